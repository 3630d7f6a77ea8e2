#include "cli/command_line.hpp"

#include <array>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "base/duration.hpp"
#include "base/ids.hpp"

namespace reclaim::cli {
namespace {

// `reclaim owners add`, as far as the line was understood.
std::string deepest_command(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

Result<std::string> key_in(const std::string& path) {
  std::ifstream file(path);
  std::array<char, 16'384> text{};
  file.read(text.data(), text.size());
  if (file.gcount() == 0) return invalid(path, "cannot be read");
  std::istringstream words(std::string(text.data(), static_cast<std::size_t>(file.gcount())));
  std::string type;
  std::string key;
  words >> type >> key;
  if (type.starts_with("-----BEGIN")) return invalid(path, "is not a public key: give the .pub file beside it");
  const bool is_key = (type.starts_with("ssh-") || type.starts_with("ecdsa-") || type.starts_with("sk-")) && key.starts_with("AAAA");
  if (!is_key) return invalid(path, "does not hold a public key as ssh-keygen writes it");
  return type + " " + key;
}

}  // namespace

CommandLine::CommandLine(Console console)
    : console_(std::move(console)), app_("Takes back the containers and volumes that nobody needs any more.", "reclaim") {
  app_.require_subcommand(1);
  app_.footer("Every command has --help. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 temporary.");
}

CLI::App* CommandLine::group(CLI::App* parent, const std::string& name, const std::string& description) {
  CLI::App* command = (parent == nullptr ? &app_ : parent)->add_subcommand(name, description);
  command->require_subcommand(1);
  return command;
}

void CommandLine::also(CLI::App* group, const std::string& example, std::function<int()> action) {
  group->require_subcommand(0, 1);
  group->footer("Example:\n  " + example);
  group->callback([this, group, run = std::move(action)] {
    if (group->get_subcommands().empty()) chosen_ = run;
  });
}

CLI::App* CommandLine::add(CLI::App* parent, const std::string& name, const std::string& description, const std::string& example,
                           std::function<int()> action) {
  CLI::App* command = (parent == nullptr ? &app_ : parent)->add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  command->callback([this, run = std::move(action)] { chosen_ = run; });
  return command;
}

int CommandLine::run(int argc, const char* const* argv) {
  chosen_ = nullptr;
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    console_.out << app_.help() << std::flush;
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    console_.out << version.what() << std::endl;
    return kDone;
  } catch (const CLI::ParseError& error) {
    return refuse(error);
  }
  return chosen_();
}

int CommandLine::refuse(const CLI::ParseError& error) {
  // A misspelt word is why something else seems to be missing.
  const std::vector<std::string> unknown = app_.remaining(true);
  const bool is_misspelt = error.get_name() == "RequiredError" && !unknown.empty();
  const std::string what = is_misspelt ? "'" + unknown.front() + "' is not known here" : error.what();
  complain(console_, what + ": see " + deepest_command(app_) + " --help");
  return kUsage;
}

CLI::Validator duration_check() {
  const auto check_text = [](std::string& text) {
    const auto parsed = parse_duration(text);
    return parsed.ok() ? std::string() : parsed.error().message;
  };
  return {check_text, ""};
}

CLI::Validator duration_to_seconds() {
  const auto convert = [](std::string& text) {
    const auto parsed = parse_duration(text);
    if (!parsed.ok()) return parsed.error().message;
    if (parsed.value().count() % 1000 != 0) return "'" + text + "' is not a whole number of seconds";
    text = std::to_string(parsed.value().count() / 1000);
    return std::string();
  };
  return {convert, ""};
}

CLI::Validator name_check() {
  const auto check_text = [](std::string& text) {
    const auto parsed = parse_worker_name(text);
    return parsed.ok() ? std::string() : "'" + text + "' " + parsed.error().message;
  };
  return {check_text, ""};
}

CLI::Validator owner_check() {
  const auto check_text = [](std::string& text) {
    const auto parsed = parse_owner_id(text);
    return parsed.ok() ? std::string() : "'" + text + "' " + parsed.error().message;
  };
  return {check_text, ""};
}

CLI::Validator resource_check() {
  const auto check_text = [](std::string& text) {
    const std::size_t slash = text.find('/');
    const bool is_resource =
        slash != std::string::npos && is_well_formed_name(text.substr(0, slash)) && is_well_formed_name(text.substr(slash + 1));
    return is_resource ? std::string() : "'" + text + "' is not WORKER/HANDLE";
  };
  return {check_text, ""};
}

CLI::Validator public_key_from_file() {
  const auto convert = [](std::string& text) {
    const auto key = key_in(text);
    if (!key.ok()) return key.error().field + " " + key.error().message;
    text = key.value();
    return std::string();
  };
  return {convert, ""};
}

}  // namespace reclaim::cli
