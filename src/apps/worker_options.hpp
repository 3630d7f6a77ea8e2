// The flags of `reclaim worker`, and the command itself.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/command_line.hpp"
#include "wire/sync.hpp"

namespace reclaim::apps {

struct RootSpec {
  ResourceKind kind;
  std::string driver;  // runc, crun, dir, btrfs, overlay, exec
  std::string path;    // of exec: the program
  std::string home;    // the directory with its lock and marker: the path; of exec: one of its own in the worker's state
};

struct WorkerOptions {
  std::string name;
  std::string gateway_host;
  int gateway_port = 0;
  std::string gateway_key;
  std::string gateway_fingerprint;
  std::string key;
  std::vector<RootSpec> roots;
  std::string state;
  Millis sync_interval{30'000};
  Millis destroy_timeout{300'000};
  Millis straggler_after{2'000};
  wire::PerKind<std::size_t> in_flight{5, 3};
  bool observe = false;
  bool accepts_new_incarnation = false;
};

// `DRIVER:PATH`. `state` is the worker's.
Result<RootSpec> parse_root(ResourceKind kind, const std::string& text, const std::string& state);
// `container=5,volume=3`; a kind left out keeps its default.
Result<wire::PerKind<std::size_t>> parse_in_flight(const std::string& text);

void add_worker_command(cli::CommandLine& line);

// Until a signal stops it, or it is superseded. Exit codes: 0 stopped, 1 failed, 2 wrong usage or roots that disagree, 4 superseded.
int run_worker(const WorkerOptions& options);

}  // namespace reclaim::apps
