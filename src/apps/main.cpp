// reclaim: takes back what a distributed system no longer needs. One executable; every process and the client are subcommands of it.
#include "apps/backup_command.hpp"
#include "apps/drive_command.hpp"
#include "apps/gateway_command.hpp"
#include "apps/maintenance_command.hpp"
#include "apps/open_library.hpp"
#include "apps/server.hpp"
#include "apps/simulate_command.hpp"
#include "apps/store_command.hpp"
#include "apps/worker_options.hpp"
#include "cli/client.hpp"
#include "cli/command_line.hpp"
#include "cli/console.hpp"

int main(int argc, char** argv) {
  reclaim::cli::CommandLine line(reclaim::cli::system_console());
  reclaim::apps::add_server_command(line);
  reclaim::apps::add_worker_command(line);
  reclaim::apps::add_gateway_command(line);
  reclaim::apps::add_drive_command(line);
  reclaim::apps::add_store_commands(line);
  reclaim::cli::add_client_commands(line, reclaim::apps::open_library);
  reclaim::apps::add_maintenance_command(line);
  reclaim::apps::add_backup_command(line);
  reclaim::apps::add_restore_command(line);
  reclaim::apps::add_simulate_command(line);
  return line.run(argc, argv);
}
