// What every benchmark shares: where it ran, how long something took, and how the numbers are shown.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adapters/system/system_time.hpp"
#include "support/fleet_store.hpp"
#include "wire/json.hpp"

namespace reclaim::bench {

struct Options {
  std::string engine = "both";
  std::string output = "table";
  std::string store = "lmdb";
  int runs = 5;
  std::vector<std::int64_t> handles = {100, 10'000, 100'000};
  std::int64_t rows = 100'000;
  std::int64_t rows_of_owner = 1000;
  std::vector<std::int64_t> requests = {1000, 100'000};
  std::int64_t at_once = 100;
};

std::vector<test::FleetEngine> engines(const Options& options);
std::string name_of(test::FleetEngine engine);
// As the engine itself says it.
std::string durability(test::FleetEngine engine, const test::FleetStore& store);

struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
Spread spread_of(const std::vector<double>& values);
double percentile(std::vector<double> values, double share);

// Wall time and this process's CPU time, of one of `times` calls. (PostgreSQL works in processes of its own.)
struct Took {
  double wall_ms = 0;
  double cpu_ms = 0;
};
Took took(const Clock& clock, int times, const std::function<void()>& work);

// {commit, machine, ...}: what a number is worth nothing without.
wire::Json provenance();
// Columns in the order of the first row's keys; `json` prints provenance and rows.
void print(const Options& options, const std::string& title, const std::vector<wire::Json>& rows, const std::vector<std::string>& columns);

void bench_sync(const Options& options);
void bench_marks(const Options& options);
void bench_enqueue(const Options& options);
void bench_pop(const Options& options);
void bench_cleanup(const Options& options);
void bench_takeover(const Options& options);

}  // namespace reclaim::bench
