#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kAgents = "/api/v1/agents";

const View& agent_view() {
  static const View view = {{"NAME", "name"},    {"KIND", "kind"},      {"EPOCH", "epoch"},
                            {"STATE", "state"},  {"OWNED", "owned"},    {"PROGRESS AGE", "progress_age_s"},
                            {"BY", "collector"}, {"PROBLEM", "problem"}};
  return view;
}

}  // namespace

void add_agent_commands(Commands& commands) {
  CLI::App* agents = commands.group(nullptr, "agents", "The processes that hold something of the archive's store.");
  commands.add(agents, "list", "Lists all agents.", "reclaim agents list",
               [](Session& session) { return session.list(kAgents, "agents", agent_view()); });
  auto shown = std::make_shared<std::string>();
  commands
      .add(agents, "show", "Shows one agent and what it owns.", "reclaim agents show drive-1@17",
           [shown](Session& session) { return session.show(std::string(kAgents) + "/" + url_encoded(*shown)); })
      ->add_option("AGENT", *shown, "Its name, or NAME@EPOCH for one of several")
      ->required();
}

}  // namespace reclaim::cli
