#include "apps/copy_progress.hpp"

#include <csignal>

#include "cli/command_line.hpp"
#include "cli/table.hpp"

namespace reclaim::apps {

CopyProgress::CopyProgress(cli::Console& console) : progress_(console), signals_({SIGTERM, SIGINT}, [this](int) { is_stopped_ = true; }) {}

Written CopyProgress::of(const std::string& what) {
  return [this, what](std::uint64_t bytes) -> Status {
    if (is_stopped_) return unavailable("stopped: nothing of it is left");
    progress_.say(what + ": " + cli::cell_of("bytes", bytes));
    return done();
  };
}

int exit_code_of_copy(const Error& error) {
  if (error.kind == Error::Kind::kInvalid || error.kind == Error::Kind::kNotFound) return cli::kUsage;
  return error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended ? cli::kTemporary : cli::kFailed;
}

}  // namespace reclaim::apps
