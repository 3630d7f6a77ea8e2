// `reclaim backup` and `reclaim restore`: a copy of the database and the archive's store of one moment, while everything runs, and a
// control plane made of it.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_backup_command(cli::CommandLine& line);
void add_restore_command(cli::CommandLine& line);

}  // namespace reclaim::apps
