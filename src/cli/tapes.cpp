#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& tape_view() {
  static const View view = {
      {"VID", "vid"},       {"STATE", "state"},     {"POOL", "pool"},     {"LIBRARY", "library"},   {"REQUESTS", "requests", true},
      {"IN", "mounted_by"}, {"FULL", "full", true}, {"REASON", "reason"}, {"SINCE", "state_since"},
  };
  return view;
}

std::string path_of(const std::string& vid) { return "/api/v1/tapes/" + url_encoded(vid); }

CLI::Option* add_vid(CLI::App* command, std::string& vid) {
  return command->add_option("VID", vid, "What stands on its label")->required()->check(name_check());
}

CLI::Validator state_check() { return CLI::IsMember({"ACTIVE", "DISABLED", "REPACKING", "REPACKING_DISABLED", "BROKEN", "EXPORTED"}); }

void add_add(Commands& commands, CLI::App* tapes) {
  struct NewTape {
    std::string vid, pool, library, state, reason;
    bool is_full = false;
  };
  auto given = std::make_shared<NewTape>();
  CLI::App* command =
      commands.add(tapes, "add", "Adds a tape.", "reclaim tapes add V00001 --pool default --library lib1", [given](Session& session) {
        wire::Json body{{"vid", given->vid}, {"pool", given->pool}, {"library", given->library}};
        if (!given->state.empty()) body["state"] = given->state;
        if (!given->reason.empty()) body["reason"] = given->reason;
        if (given->is_full) body["full"] = true;
        return session.change("POST", "/api/v1/tapes", body, tape_view());
      });
  add_vid(command, given->vid);
  command->add_option("--pool", given->pool, "Which tapes it belongs with")->required()->check(name_check());
  command->add_option("--library", given->library, "Where it stands")->required()->check(name_check());
  command->add_option("--state", given->state, "Its state [ACTIVE]")->check(state_check());
  command->add_option("--reason", given->reason, "Why it is not ACTIVE");
  command->add_flag("--full", given->is_full, "Nothing more fits on it");
}

void add_set_state(Commands& commands, CLI::App* tapes) {
  struct Asked {
    std::string vid, state, reason;
    bool is_rehearsal = false;
  };
  auto given = std::make_shared<Asked>();
  CLI::App* command =
      commands.add(tapes, "set-state",
                   "Takes a tape out of service or back. Where requests wait on it, its state is X_PENDING until they are elsewhere.",
                   "reclaim tapes set-state V00001 BROKEN --reason 'torn at 30 m'", [given](Session& session) {
                     if (given->is_rehearsal) return session.show(path_of(given->vid) + "/state/plan?state=" + given->state);
                     wire::Json body{{"state", given->state}};
                     if (!given->reason.empty()) body["reason"] = given->reason;
                     return session.change("PUT", path_of(given->vid) + "/state", body, tape_view());
                   });
  add_vid(command, given->vid);
  command->add_option("STATE", given->state, "ACTIVE, DISABLED, REPACKING, REPACKING_DISABLED, BROKEN or EXPORTED")
      ->required()
      ->check(state_check());
  command->add_option("--reason", given->reason, "Why; for every state but ACTIVE it has to be said");
  command->add_flag("--dry-run", given->is_rehearsal, "Change nothing, and show where the requests that wait on it would go");
}

}  // namespace

void add_tape_commands(Commands& commands) {
  CLI::App* tapes = commands.group(nullptr, "tapes", "The tapes of the archive.");
  commands.add(tapes, "list", "Lists all tapes.", "reclaim tapes list",
               [](Session& session) { return session.list("/api/v1/tapes", "tapes", tape_view()); });
  auto shown = std::make_shared<std::string>();
  add_vid(commands.add(tapes, "show", "Shows all that is known of one tape.", "reclaim tapes show V00001",
                       [shown](Session& session) { return session.show(path_of(*shown)); }),
          *shown);
  add_add(commands, tapes);
  add_set_state(commands, tapes);
  auto removed = std::make_shared<std::string>();
  add_vid(commands.add(tapes, "remove", "Removes a tape that holds no copies.", "reclaim tapes remove V00001",
                       [removed](Session& session) { return session.change("DELETE", path_of(*removed), {}, tape_view()); }),
          *removed);
}

}  // namespace reclaim::cli
