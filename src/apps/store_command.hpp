// `reclaim store list|show|check`: looks into a store from outside, without a server and beside one that runs.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_store_commands(cli::CommandLine& line);

}  // namespace reclaim::apps
