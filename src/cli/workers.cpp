#include <algorithm>
#include <memory>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& worker_view() {
  static const View view = {
      {"NAME", "name"},
      {"STATE", "state"},
      {"CONTAINERS", "containers"},
      {"VOLUMES", "volumes"},
      {"DESTROYING", "destroying"},
      {"OLDEST", "oldest_destroying_s", true},
      {"LAST SYNC", "last_sync_age_s"},
      {"FROZEN", "frozen", true},
      {"BRAKED", "braked", true},
      {"MISSING", "missing", true},
      {"UNKNOWN", "unknown", true},
      {"HELD", "held", true},
      {"MALFORMED", "malformed", true},
      {"USED", "disk.used_bytes", true},
      {"DISK", "disk.total_bytes", true},
      {"SINCE", "since"},
  };
  return view;
}

std::string path_of(const std::string& worker) { return "/api/v1/workers/" + url_encoded(worker); }

void add_enroll(Commands& commands, CLI::App* workers) {
  struct Enrolment {
    std::string name;
    std::vector<std::string> keys;
    std::vector<std::string> tags;
    std::string existing;
    bool is_ephemeral = false;
  };
  auto given = std::make_shared<Enrolment>();
  CLI::App* command = commands.add(workers, "enroll", "Makes a worker known by its public key.",
                                   "reclaim workers enroll w1 --key /etc/reclaim/w1.pub", [given](Session& session) {
                                     wire::Json body{{"keys", given->keys}};
                                     if (given->is_ephemeral) body["ephemeral"] = true;
                                     if (!given->tags.empty()) body["tags"] = given->tags;
                                     if (!given->existing.empty()) body["existing"] = given->existing;
                                     return session.change("PUT", path_of(given->name), body, worker_view());
                                   });
  add_name(command, given->name, "The worker's name");
  command->add_option("--key", given->keys, "Its public key, as ssh-keygen writes it; may be given again")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->transform(public_key_from_file());
  command->add_flag("--ephemeral", given->is_ephemeral, "Forget it with its rows when it stays away");
  command->add_option("--tag", given->tags, "A tag; may be given again")->allow_extra_args(false);
  command->add_option("--existing", given->existing, "What becomes of what it already has (default: hold)")
      ->check(CLI::IsMember({"hold", "adopt", "destroy"}));
}

void add_action(Commands& commands, CLI::App* workers, const char* method, const std::string& name, const std::string& description) {
  auto worker = std::make_shared<std::string>();
  const std::string verb = method == std::string("POST") ? "/" + name : "";
  CLI::App* command = commands.add(workers, name, description, "reclaim workers " + name + " w1", [worker, method, verb](Session& session) {
    return session.change(method, path_of(*worker) + verb, {}, worker_view());
  });
  add_name(command, *worker, "The worker's name");
}

struct Acceptance {
  std::string name;
  std::string what;
  bool adopts = false;
  bool destroys = false;
  bool is_dry = false;

  std::string unknown() const { return adopts ? "adopt" : (destroys ? "destroy" : ""); }
};

std::string text_of(const Ordered& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

// The hold that is meant: the one named, the one that the flags can only mean, or the only one there is.
Result<std::string> meant(const Acceptance& given, const Ordered& worker) {
  if (!given.what.empty()) return given.what;
  std::vector<std::string> whats;
  if (worker.contains("holds") && worker["holds"].is_array()) {
    for (const Ordered& hold : worker["holds"]) whats.push_back(text_of(hold, "what"));
  }
  const auto is_held = [&](const char* what) { return std::ranges::find(whats, what) != whats.end(); };
  if (!given.unknown().empty()) return std::string(is_held("existing") || !is_held("incarnation") ? "existing" : "incarnation");
  if (whats.empty()) return conflict("nothing of " + given.name + " waits to be accepted");
  if (whats.size() > 1) return invalid("--what", "more than one thing waits: say which, with --what " + whats[0] + " or another");
  if (whats[0] == "lineage")
    return invalid("--what", "this database has forgotten something: see `reclaim lineage show`, then `reclaim lineage accept`");
  return whats[0];
}

std::string consequence(const std::string& what, const std::string& unknown, const std::string& name) {
  const std::string strangers = unknown == "adopt"     ? "is adopted by owner adopted:" + name + ", until that is released"
                                : unknown == "destroy" ? "is destroyed after the unknown grace"
                                                       : "is held again, until --adopt or --destroy";
  if (what == "brake") return "the next inventories are believed, whatever they lack or show";
  if (what == "existing") return "what was found on the machine at first contact " + strangers;
  if (what == "incarnation") {
    return "the new incarnation takes the worker's place: rows that it does not have are lost at once, what it has without a row " +
           strangers;
  }
  return "the next session opens whatever its start counter says, and supersedes the present one";
}

Status accept(Session& session, const Acceptance& given) {
  const std::string answer = TRY(session.api().call("GET", path_of(given.name)));
  const Ordered worker = TRY(read_body(answer));
  const std::string what = TRY(meant(given, worker));
  const auto tell = [&](const std::string& text) { session.console().err << given.name << ": " << printable(text) << "\n"; };
  if (worker.contains("holds") && worker["holds"].is_array()) {
    for (const Ordered& hold : worker["holds"]) tell("held: " + text_of(hold, "what") + ": " + text_of(hold, "reason"));
  }
  if (what == "existing" && given.unknown().empty()) {
    return invalid("--adopt", "say --adopt (an owner keeps them until it is released) or --destroy");
  }
  tell((given.is_dry ? "would be accepted: " : "accepted: ") + consequence(what, given.unknown(), given.name));
  if (given.is_dry) return done();
  wire::Json body{{"what", what}};
  if (!given.unknown().empty()) body["unknown"] = given.unknown();
  return session.change("POST", path_of(given.name) + "/accept", body, worker_view());
}

void add_accept(Commands& commands, CLI::App* workers) {
  auto given = std::make_shared<Acceptance>();
  CLI::App* command = commands.add(workers, "accept", "Lifts what a worker holds back for you, and says first what that does.",
                                   "reclaim workers accept w1 --adopt", [given](Session& session) { return accept(session, *given); });
  add_name(command, given->name, "The worker's name");
  command->add_option("--what", given->what, "Which hold, where more than one waits")
      ->check(CLI::IsMember({"brake", "existing", "incarnation", "session"}));
  CLI::Option* adopt = command->add_flag("--adopt", given->adopts, "Keep what is there without a record");
  command->add_flag("--destroy", given->destroys, "Destroy it")->excludes(adopt);
  command->add_flag("--dry-run", given->is_dry, "Only say what it would do");
}

}  // namespace

void add_worker_commands(Commands& commands) {
  CLI::App* workers = commands.group(nullptr, "workers", "The machines that hold containers and volumes.");
  add_enroll(commands, workers);
  commands.add(workers, "list", "Lists all workers.", "reclaim workers list --output json",
               [](Session& session) { return session.list("/api/v1/workers", "workers", worker_view()); });
  auto worker = std::make_shared<std::string>();
  CLI::App* show = commands.add(workers, "show", "Shows all that is known of one worker.", "reclaim workers show w1",
                                [worker](Session& session) { return session.show(path_of(*worker)); });
  add_name(show, *worker, "The worker's name");
  add_accept(commands, workers);
  add_action(commands, workers, "POST", "land", "Lets a worker empty: nothing new goes there, its owners' work may end.");
  add_action(commands, workers, "POST", "retire", "Lets a worker empty and then forgets it.");
  add_action(commands, workers, "POST", "prune", "Forgets a worker that does not run, with its rows.");
  add_action(commands, workers, "DELETE", "delete", "Removes a worker, its keys and its rows.");
}

}  // namespace reclaim::cli
