#include <cstdint>
#include <memory>
#include <optional>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& owner_view() {
  static const View view = {
      {"ID", "id"},
      {"KIND", "kind"},
      {"STATE", "state"},
      {"LEASE", "ttl_s"},
      {"EXPIRES IN", "expires_in_s"},
      {"INTERRUPTIBLE", "interruptible"},
      {"RESOURCES", "resources"},
      {"RELEASED", "released_at"},
      {"KEPT UNTIL", "keep_until"},
      {"LABELS", "labels"},
  };
  return view;
}

std::string path_of(const std::string& owner) { return "/api/v1/owners/" + url_encoded(owner); }

std::string label_error(const std::string& text) {
  const std::size_t sign = text.find('=');
  return sign == std::string::npos || sign == 0 ? "'" + text + "' is not KEY=VALUE" : "";
}

wire::Json labels_of(const std::vector<std::string>& texts) {
  wire::Json labels = wire::Json::object();
  for (const std::string& text : texts) labels[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  return labels;
}

void add_add(Commands& commands, CLI::App* owners) {
  struct NewOwner {
    std::string id;
    std::string kind;
    std::optional<std::int64_t> ttl_s;
    bool is_not_interruptible = false;
    std::vector<std::string> labels;
  };
  auto given = std::make_shared<NewOwner>();
  CLI::App* command = commands.add(owners, "add", "Adds an owner, or renews it when it is there with the same content.",
                                   "reclaim owners add build-1 --kind build --ttl 1h --label branch=main", [given](Session& session) {
                                     wire::Json body{{"kind", given->kind}, {"interruptible", !given->is_not_interruptible}};
                                     if (given->ttl_s) body["ttl_s"] = *given->ttl_s;
                                     if (!given->labels.empty()) body["labels"] = labels_of(given->labels);
                                     return session.change("PUT", path_of(given->id), body, owner_view());
                                   });
  command->add_option("ID", given->id, "The owner's id")->required()->check(owner_check());
  command->add_option("--kind", given->kind, "What it is: build, session, cache, ...")->required();
  command->add_option("--ttl", given->ttl_s, "Its lease, such as 1h; without one it lives until released")
      ->type_name("DURATION")
      ->transform(duration_to_seconds());
  command->add_flag("--not-interruptible", given->is_not_interruptible, "Its worker waits for it before landing");
  command->add_option("--label", given->labels, "A label; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE")
      ->check(CLI::Validator([](std::string& text) { return label_error(text); }, ""));
}

// The API renews an owner that is put again as it is, so the client asks how that was.
Status renew(Session& session, const std::string& id, std::optional<std::int64_t> ttl_s) {
  const std::string answer = TRY(session.api().call("GET", path_of(id)));
  const Ordered owner = TRY(read_body(answer));
  if (!owner.is_object()) return corrupt("the answer is no owner: check --server");
  wire::Json body = wire::Json::object();
  for (const char* field : {"kind", "ttl_s", "interruptible", "labels"}) {
    if (owner.contains(field)) body[field] = wire::Json(owner[field]);
  }
  if (ttl_s) body["ttl_s"] = *ttl_s;
  return session.change("PUT", path_of(id), body, owner_view());
}

void add_renew(Commands& commands, CLI::App* owners) {
  auto id = std::make_shared<std::string>();
  auto ttl_s = std::make_shared<std::optional<std::int64_t>>();
  CLI::App* command = commands.add(owners, "renew", "Lets an owner's lease begin anew.", "reclaim owners renew build-1",
                                   [id, ttl_s](Session& session) { return renew(session, *id, *ttl_s); });
  command->add_option("ID", *id, "The owner's id")->required()->check(owner_check());
  command->add_option("--ttl", *ttl_s, "Another lease than it had, such as 1h")->type_name("DURATION")->transform(duration_to_seconds());
}

void add_release(Commands& commands, CLI::App* owners) {
  auto id = std::make_shared<std::string>();
  auto keep_for_s = std::make_shared<std::int64_t>(0);
  CLI::App* command = commands.add(owners, "release", "Says that an owner needs nothing any more.",
                                   "reclaim owners release build-1 --keep-for 5d", [id, keep_for_s](Session& session) {
                                     wire::Json body = wire::Json::object();
                                     if (*keep_for_s != 0) body["keep_for_s"] = *keep_for_s;
                                     return session.change("POST", path_of(*id) + "/release", body, owner_view());
                                   });
  command->add_option("ID", *id, "The owner's id")->required()->check(owner_check());
  command->add_option("--keep-for", *keep_for_s, "How long what it had is kept nevertheless, such as 5d")
      ->type_name("DURATION")
      ->transform(duration_to_seconds());
}

}  // namespace

void add_owner_commands(Commands& commands) {
  CLI::App* owners = commands.group(nullptr, "owners", "What keeps containers and volumes alive.");
  commands.add(owners, "list", "Lists all owners.", "reclaim owners list",
               [](Session& session) { return session.list("/api/v1/owners", "owners", owner_view()); });
  auto shown = std::make_shared<std::string>();
  commands
      .add(owners, "show", "Shows all that is known of one owner.", "reclaim owners show build-1",
           [shown](Session& session) { return session.show(path_of(*shown)); })
      ->add_option("ID", *shown, "The owner's id")
      ->required()
      ->check(owner_check());
  add_add(commands, owners);
  add_renew(commands, owners);
  add_release(commands, owners);
  auto deleted = std::make_shared<std::string>();
  commands
      .add(owners, "delete", "Removes an owner that has no resources.", "reclaim owners delete build-1",
           [deleted](Session& session) { return session.change("DELETE", path_of(*deleted), {}, owner_view()); })
      ->add_option("ID", *deleted, "The owner's id")
      ->required()
      ->check(owner_check());
}

}  // namespace reclaim::cli
