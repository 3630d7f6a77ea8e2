// `reclaim gateway`: the SSH gateway alone, in front of servers elsewhere.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_gateway_command(cli::CommandLine& line);

}  // namespace reclaim::apps
