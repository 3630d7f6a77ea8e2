// `reclaim drive`: a tape drive's server, one process for each drive.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_drive_command(cli::CommandLine& line);

}  // namespace reclaim::apps
