// reclaim-bench: numbers of both planes on this machine. Databases are its own and gone afterwards.
#include <CLI/CLI.hpp>

#include <iostream>

#include "measure.hpp"
#include "stores.hpp"

int main(int argc, char** argv) {
  using namespace reclaim::bench;
  Options options;
  CLI::App app("Measures both planes on this machine.");
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--engine", options.engine, "sqlite, postgres or both")->check(CLI::IsMember({"sqlite", "postgres", "both"}));
    command->add_option("--output", options.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    return command;
  };
  CLI::App* sync = add("sync", "statements, bytes and times of full, delta and no-change syncs");
  sync->add_option("--runs", options.runs, "workers measured at each size")->check(CLI::Range(1, 100));
  sync->add_option("--handles", options.handles, "how many a worker has")->check(CLI::Range(100, 10'000'000));
  CLI::App* marks = add("marks", "how fast orphans are marked, and what a sync beside it feels");
  marks->add_option("--rows", options.rows, "orphans")->check(CLI::Range(1000, 10'000'000));
  marks->add_option("--rows-of-owner", options.rows_of_owner, "of one owner each")->check(CLI::Range(1, 1'000'000));
  const auto add_archive = [&](const char* name, const char* what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--output", options.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    command->add_option("--store", options.store, "lmdb, or rados: on a Ceph of its own")->check(CLI::IsMember(names_of_stores()));
    command->add_option("--requests", options.requests, "how many")->check(CLI::Range(1, 10'000'000));
    command->add_option("--runs", options.runs, "of each, the median counts")->check(CLI::Range(1, 100));
    return command;
  };
  CLI::App* enqueue = add_archive("enqueue", "requests into the queue of a tape");
  enqueue->add_option("--at-once", options.at_once, "in one call")->check(CLI::Range(1, 10'000));
  CLI::App* pop = add_archive("pop", "a drive takes what waits for its tape");
  CLI::App* cleanup = add_archive("cleanup", "a tape leaves service: its requests fail, or go to other tapes");
  CLI::App* takeover = add_archive("takeover", "a drive dies: its requests go back");
  if (argc == 1) {
    std::cout << app.help();
    return 0;
  }
  CLI11_PARSE(app, argc, argv);
  if (sync->parsed()) bench_sync(options);
  if (marks->parsed()) bench_marks(options);
  if (enqueue->parsed()) bench_enqueue(options);
  if (pop->parsed()) bench_pop(options);
  if (cleanup->parsed()) bench_cleanup(options);
  if (takeover->parsed()) bench_takeover(options);
  return 0;
}
