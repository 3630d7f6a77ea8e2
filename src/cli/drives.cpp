#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kDrives = "/api/v1/drives";

const View& drive_view() {
  static const View view = {{"NAME", "name"}, {"DESIRED", "desired"}, {"TAPE", "mounted"}, {"REASON", "reason"}, {"SINCE", "since"}};
  return view;
}

std::string path_of(const std::string& name) { return std::string(kDrives) + "/" + url_encoded(name); }

struct Asked {
  std::string name, reason;
};

CLI::Option* add_turn(Commands& commands, CLI::App* drives, const char* desired, const char* description, const char* example) {
  auto given = std::make_shared<Asked>();
  CLI::App* command = commands.add(drives, desired, description, example, [given, desired](Session& session) {
    return session.change("PUT", path_of(given->name), {{"desired", desired}, {"reason", given->reason}}, drive_view());
  });
  add_name(command, given->name, "The drive's name");
  return command->add_option("--reason", given->reason, "Why");
}

}  // namespace

void add_drive_commands(Commands& commands) {
  CLI::App* drives = commands.group(nullptr, "drives", "The tape drives. A drive makes itself known when it first starts.");
  commands.add(drives, "list", "Lists all drives.", "reclaim drives list",
               [](Session& session) { return session.list(kDrives, "drives", drive_view()); });
  auto shown = std::make_shared<std::string>();
  add_name(commands.add(drives, "show", "Shows one drive.", "reclaim drives show drive-1",
                        [shown](Session& session) { return session.show(path_of(*shown)); }),
           *shown);
  add_turn(commands, drives, "up", "Lets a drive work.", "reclaim drives up drive-1");
  add_turn(commands, drives, "down", "Takes a drive out of service: it finishes the file at hand and unmounts.",
           "reclaim drives down drive-1 --reason 'head cleaning'")
      ->required();
}

}  // namespace reclaim::cli
