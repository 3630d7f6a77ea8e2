// Every command of `reclaim` that is not a daemon, added to the line that the daemons share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/command_line.hpp"
#include "ports/tape_library.hpp"

namespace reclaim::cli {

// `dir:PATH` becomes a library on this machine. Only apps know how.
using OpenLibrary = std::function<Result<std::unique_ptr<ports::TapeLibrary>>(const std::string& address)>;

// Without libraries there is no command that writes onto tapes.
void add_client_commands(CommandLine& line, const OpenLibrary& open_library = {});

}  // namespace reclaim::cli
