#include <cstdint>
#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& policy_view() {
  static const View view = {
      {"NAME", "name"}, {"PRIORITY", "priority"}, {"MIN AGE", "min_age_s"}, {"MIN FILES", "min_files"}, {"MIN SIZE", "min_bytes"}};
  return view;
}

std::string path_of(const std::string& name) { return "/api/v1/policies/" + url_encoded(name); }

void add_set(Commands& commands, CLI::App* policies) {
  struct Given {
    std::string name;
    std::int64_t priority = 0, min_age_s = 0, min_files = 0, min_bytes = 0;
  };
  constexpr std::int64_t kNumberMax = 9007199254740991;
  auto given = std::make_shared<Given>();
  CLI::App* command = commands.add(policies, "set", "Makes a policy, or replaces it.",
                                   "reclaim policies set bulk --min-age 1h --min-files 500", [given](Session& session) {
                                     const wire::Json body{{"priority", given->priority},
                                                           {"min_age_s", given->min_age_s},
                                                           {"min_files", given->min_files},
                                                           {"min_bytes", given->min_bytes}};
                                     return session.change("PUT", path_of(given->name), body, policy_view());
                                   });
  add_name(command, given->name);
  command->add_option("--priority", given->priority, "Larger goes first [0]");
  command->add_option("--min-age", given->min_age_s, "A mount pays when a request waits this long, such as 1h [0s]")
      ->type_name("DURATION")
      ->transform(duration_to_seconds());
  command->add_option("--min-files", given->min_files, "... or this many wait [0]")->check(CLI::Range(std::int64_t{0}, kNumberMax));
  command->add_option("--min-bytes", given->min_bytes, "... or this many bytes [0]")->check(CLI::Range(std::int64_t{0}, kNumberMax));
}

}  // namespace

void add_policy_commands(Commands& commands) {
  CLI::App* policies = commands.group(nullptr, "policies", "When a mount pays for the requests that name a policy.");
  commands.add(policies, "list", "Lists all policies.", "reclaim policies list",
               [](Session& session) { return session.list("/api/v1/policies", "policies", policy_view()); });
  auto shown = std::make_shared<std::string>();
  add_name(commands.add(policies, "show", "Shows one policy.", "reclaim policies show bulk",
                        [shown](Session& session) { return session.show(path_of(*shown)); }),
           *shown);
  add_set(commands, policies);
  auto removed = std::make_shared<std::string>();
  add_name(
      commands.add(policies, "remove", "Removes a policy; requests that name it wait for nothing any more.", "reclaim policies remove bulk",
                   [removed](Session& session) { return session.change("DELETE", path_of(*removed), {}, policy_view()); }),
      *removed);
}

}  // namespace reclaim::cli
