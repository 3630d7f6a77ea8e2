// What a restored or lost database has forgotten.
#include <memory>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& regressed_view() {
  static const View view = {
      {"WORKER", "worker"}, {"UNKNOWN CONTAINERS", "unknown.containers"}, {"UNKNOWN VOLUMES", "unknown.volumes"}, {"REASON", "reason"},
      {"SINCE", "since"},
  };
  return view;
}

// One line on the lineage, then the workers that prove a loss.
Status show_lineage(Session& session, const std::string& body) {
  const Ordered lineage = TRY(read_body(body));
  if (session.is_json()) return session.print(body), done();
  const bool is_known = lineage.is_object() && lineage.contains("regressed_workers") && lineage["regressed_workers"].is_array();
  if (!is_known) return session.print_fields(body);
  const Ordered& regressed = lineage["regressed_workers"];
  session.console().out << "lineage " << printable(lineage.value("lineage", "")) << ": "
                        << (regressed.empty() ? "no worker has seen more than this database remembers"
                                              : std::to_string(regressed.size()) + " workers have seen more than this database remembers")
                        << "\n";
  if (!regressed.empty()) session.print_table(regressed_view(), {regressed.begin(), regressed.end()});
  return done();
}

Status accept_lineage(Session& session, const std::string& unknown, bool is_dry) {
  const std::string present = TRY(session.api().call("GET", "/api/v1/lineage"));
  if (!session.is_json() || unknown.empty() || is_dry) TRY(show_lineage(session, present));
  if (unknown.empty()) {
    return invalid("--unknown",
                   "say what becomes of things without a record: --unknown adopt (owners adopted:WORKER keep them) or --unknown destroy");
  }
  session.console().err << (is_dry ? "would begin" : "begins") << " a new lineage: every worker begins anew; what has no record is "
                        << (unknown == "adopt" ? "adopted by owners adopted:WORKER" : "destroyed after the unknown grace") << "\n";
  if (is_dry) return done();
  return show_lineage(session, TRY(session.api().call("POST", "/api/v1/lineage/accept", wire::to_text(wire::Json{{"unknown", unknown}}))));
}

}  // namespace

void add_lineage_commands(Commands& commands) {
  CLI::App* lineage = commands.group(nullptr, "lineage", "What this control plane has forgotten, after a backup was restored.");
  commands.add(lineage, "show", "Shows the lineage and the workers that have seen more than the database remembers.",
               "reclaim lineage show",
               [](Session& session) -> Status { return show_lineage(session, TRY(session.api().call("GET", "/api/v1/lineage"))); });
  struct Given {
    std::string unknown;
    bool is_dry = false;
  };
  auto given = std::make_shared<Given>();
  CLI::App* accept = commands.add(lineage, "accept", "Accepts the loss and begins a new lineage; says first what would become unknown.",
                                  "reclaim lineage accept --unknown adopt",
                                  [given](Session& session) { return accept_lineage(session, given->unknown, given->is_dry); });
  accept->add_option("--unknown", given->unknown, "What becomes of things without a record")->check(CLI::IsMember({"adopt", "destroy"}));
  accept->add_flag("--dry-run", given->is_dry, "Only say what it would do");
}

}  // namespace reclaim::cli
