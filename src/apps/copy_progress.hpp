// How far a long copy is, on a terminal, and whether it shall go on: SIGTERM and SIGINT end it in order, so that nothing half stays.
#pragma once

#include <atomic>
#include <string>

#include "apps/backup_files.hpp"
#include "cli/console.hpp"
#include "runtime/signals.hpp"

namespace reclaim::apps {

class CopyProgress {
 public:
  explicit CopyProgress(cli::Console& console);

  // Of one file, for people: `database`.
  Written of(const std::string& what);

 private:
  cli::Progress progress_;
  std::atomic<bool> is_stopped_ = false;
  runtime::Signals signals_;
};

// What a process that copies ends with.
int exit_code_of_copy(const Error& error);

}  // namespace reclaim::apps
