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
  add_action(commands, workers, "POST", "land", "Lets a worker empty: nothing new goes there, its owners' work may end.");
  add_action(commands, workers, "POST", "retire", "Lets a worker empty and then forgets it.");
  add_action(commands, workers, "POST", "prune", "Forgets a worker that does not run, with its rows.");
  add_action(commands, workers, "DELETE", "delete", "Removes a worker, its keys and its rows.");
}

}  // namespace reclaim::cli
