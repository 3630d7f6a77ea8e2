// What the client's commands have in common: where the server is, how to answer, and what an error means for the exit code.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/ids.hpp"
#include "cli/api.hpp"
#include "cli/client.hpp"
#include "cli/command_line.hpp"
#include "cli/table.hpp"
#include "wire/json.hpp"

namespace reclaim::cli {

// One command at work. An error whose field is a flag (`--unknown`) is wrong usage.
class Session {
 public:
  Session(Api& api, Console& console, bool is_json) : api_(api), console_(console), is_json_(is_json) {}

  Api& api() { return api_; }
  Console& console() { return console_; }
  bool is_json() const { return is_json_; }

  // Asks, and shows the object in the answer as one line of `view`.
  Status change(const char* method, const std::string& path, const wire::Json& body, const View& view);
  // Asks, and shows the object in the answer field by field.
  Status show(const std::string& path);
  // Follows all pages of `path` and shows the items of `key`.
  Status list(const std::string& path, const std::string& key, const View& view);

  void print(const std::string& body);  // JSON as the API sent it
  void print_table(const View& view, const std::vector<Ordered>& items);
  Status print_fields(const std::string& body);

 private:
  Api& api_;
  Console& console_;
  bool is_json_;
};

// Adds commands that have --server, --token-file and --output, which may also stand before their names.
class Commands {
 public:
  using Action = std::function<Status(Session&)>;

  explicit Commands(CommandLine& line);
  CLI::App* group(CLI::App* parent, const std::string& name, const std::string& description);
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& description, const std::string& example, Action action);

 private:
  struct Early;
  CommandLine& line_;
  std::shared_ptr<Early> early_;
};

// `text`, to be bound to a required positional argument NAME.
CLI::Option* add_name(CLI::App* command, std::string& text, const std::string& description = "The name");

void add_worker_commands(Commands& commands);
void add_owner_commands(Commands& commands);
void add_resource_commands(Commands& commands, ResourceKind kind);
void add_explain_command(Commands& commands);
void add_tape_commands(Commands& commands);
void add_file_commands(Commands& commands, const OpenLibrary& open_library);
void add_archive_command(Commands& commands, CLI::App* files, const OpenLibrary& open_library);
void add_policy_commands(Commands& commands);
void add_retrieve_commands(Commands& commands);
void add_failed_commands(Commands& commands);
void add_queue_commands(Commands& commands);
void add_drive_commands(Commands& commands);
void add_agent_commands(Commands& commands);
void add_token_commands(Commands& commands);
void add_event_command(Commands& commands);
void add_collector_commands(Commands& commands);
void add_lineage_commands(Commands& commands);
void add_freeze_commands(Commands& commands);

}  // namespace reclaim::cli
