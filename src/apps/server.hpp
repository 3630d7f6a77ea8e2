// `reclaim server`: HTTP API, SSH gateway, collectors and metrics in one process.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_server_command(cli::CommandLine& line);

}  // namespace reclaim::apps
