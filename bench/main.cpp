// reclaim-bench: numbers of the fleet plane on this machine. Databases are its own and gone afterwards.
#include <CLI/CLI.hpp>

#include <iostream>

#include "measure.hpp"

int main(int argc, char** argv) {
  using namespace reclaim::bench;
  Options options;
  CLI::App app("Measures the fleet plane on this machine.");
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
  if (argc == 1) {
    std::cout << app.help();
    return 0;
  }
  CLI11_PARSE(app, argc, argv);
  if (sync->parsed()) bench_sync(options);
  if (marks->parsed()) bench_marks(options);
  return 0;
}
