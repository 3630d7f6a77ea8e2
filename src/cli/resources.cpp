#include <cstdint>
#include <memory>
#include <optional>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

const View& resource_view() {
  static const View view = {
      {"WORKER", "worker"},
      {"HANDLE", "handle"},
      {"STATE", "state"},
      {"OWNER", "owner"},
      {"CONTAINER", "container"},
      {"PARENT", "parent"},
      {"SIZE", "bytes", true},
      {"PINNED", "pinned", true},
      {"MISSING SINCE", "missing_since"},
      {"STUCK", "stuck", true},
      {"IN HAND FOR", "in_hand_s", true},
      {"ATTEMPTS", "attempts", true},
      {"LAST ERROR", "last_error"},
      {"REASON", "reason"},
      {"SINCE", "since"},
  };
  return view;
}

struct Resource {
  ResourceKind kind;
  std::string text;  // WORKER/HANDLE, already checked

  std::string worker() const { return text.substr(0, text.find('/')); }
  std::string handle() const { return text.substr(text.find('/') + 1); }
  std::string collection() const { return "/api/v1/workers/" + url_encoded(worker()) + "/" + std::string(plural_of(kind)); }
  std::string path() const { return collection() + "/" + url_encoded(handle()); }
};

void add_resource(CLI::App* command, Resource& resource) {
  command->add_option("WORKER/HANDLE", resource.text, "Its worker and its name there")->required()->check(resource_check());
}

class ResourceCommands {
 public:
  ResourceCommands(Commands& commands, ResourceKind kind)
      : commands_(commands),
        kind_(kind),
        group_(commands.group(nullptr, std::string(plural_of(kind)), "The " + std::string(plural_of(kind)) + " on all workers.")) {}

  void add_list() {
    struct Filter {
      std::string worker, state, owner;
      bool is_missing = false;
    };
    auto given = std::make_shared<Filter>();
    CLI::App* command =
        add("list", "Lists all of them, or those that the flags name.", " --state destroying", [given, kind = kind_](Session& session) {
          std::string query;
          const auto narrow = [&query](const char* key, const std::string& value) {
            if (!value.empty()) query.append(query.empty() ? "?" : "&").append(key).append("=").append(url_encoded(value));
          };
          narrow("worker", given->worker);
          narrow("state", given->state);
          narrow("owner", given->owner);
          narrow("missing", given->is_missing ? "true" : "");
          const std::string key(plural_of(kind));
          return session.list("/api/v1/" + key + query, key, resource_view());
        });
    command->add_option("--worker", given->worker, "Those of one worker")->check(name_check());
    command->add_option("--state", given->state, "Those in one state")
        ->check(CLI::IsMember({"creating", "created", "failed", "destroying"}));
    command->add_option("--owner", given->owner, "Those of one owner");
    command->add_flag("--missing", given->is_missing, "Those that their worker does not report any more");
  }

  void add_add() {
    struct NewResource {
      std::string owner, container, parent;
    };
    auto given = std::make_shared<NewResource>();
    auto resource = std::make_shared<Resource>(Resource{kind_, {}});
    const char* example = kind_ == ResourceKind::kContainer ? " w1/c1 --owner build-1" : " w1/v1 --container c1";
    CLI::App* command = add("add", "Registers one before it is created.", example, [given, resource](Session& session) {
      wire::Json body{{"handle", resource->handle()}};
      if (!given->owner.empty()) body["owner"] = given->owner;
      if (!given->container.empty()) body["container"] = given->container;
      if (!given->parent.empty()) body["parent"] = given->parent;
      return session.change("POST", resource->collection(), body, resource_view());
    });
    add_resource(command, *resource);
    command->add_option("--owner", given->owner, "What keeps it alive");
    if (kind_ == ResourceKind::kContainer) return;
    command->add_option("--container", given->container, "The container that uses it")->check(name_check());
    command->add_option("--parent", given->parent, "The volume that it is made from")->check(name_check());
  }

  void add_show() {
    auto resource = std::make_shared<Resource>(Resource{kind_, {}});
    CLI::App* command =
        add("show", "Shows all that is known of one.", kSample, [resource](Session& session) { return session.show(resource->path()); });
    add_resource(command, *resource);
  }

  void add_explain() {
    auto resource = std::make_shared<Resource>(Resource{kind_, {}});
    CLI::App* command = add("explain", "Says why one is kept, or what destroys it and when.", kSample,
                            [resource](Session& session) { return session.show(resource->path() + "/explain"); });
    add_resource(command, *resource);
  }

  void add_verb(const char* method, const std::string& name, const std::string& description, const std::string& suffix) {
    auto resource = std::make_shared<Resource>(Resource{kind_, {}});
    CLI::App* command = add(name, description, kSample, [resource, method, suffix](Session& session) {
      return session.change(method, resource->path() + suffix, {}, resource_view());
    });
    add_resource(command, *resource);
  }

  void add_pin() {
    auto resource = std::make_shared<Resource>(Resource{kind_, {}});
    auto reason = std::make_shared<std::string>();
    auto ttl_s = std::make_shared<std::optional<std::int64_t>>();
    CLI::App* command = add("pin", "Keeps one, whatever becomes of its owner.", " w1/x1 --reason 'looking into it' --ttl 1h",
                            [resource, reason, ttl_s](Session& session) {
                              wire::Json body{{"reason", *reason}};
                              if (*ttl_s) body["ttl_s"] = **ttl_s;
                              return session.change("PUT", resource->path() + "/pin", body, resource_view());
                            });
    add_resource(command, *resource);
    command->add_option("--reason", *reason, "Why")->required();
    command->add_option("--ttl", *ttl_s, "For how long, such as 1h; without it until unpinned")
        ->type_name("DURATION")
        ->transform(duration_to_seconds());
  }

 private:
  static constexpr const char* kSample = " w1/x1";

  CLI::App* add(const std::string& name, const std::string& description, const std::string& example, Commands::Action action) {
    return commands_.add(group_, name, description, "reclaim " + group_->get_name() + " " + name + example, std::move(action));
  }

  Commands& commands_;
  ResourceKind kind_;
  CLI::App* group_;
};

// A handle may name a container and a volume of one worker; the container is what people mean then.
Status explain(Session& session, Resource resource) {
  Result<std::string> answer = session.api().call("GET", resource.path() + "/explain");
  if (!answer.ok() && answer.error().kind == Error::Kind::kNotFound) {
    resource.kind = ResourceKind::kVolume;
    answer = session.api().call("GET", resource.path() + "/explain");
  }
  return session.print_fields(TRY(std::move(answer)));
}

}  // namespace

void add_resource_commands(Commands& commands, ResourceKind kind) {
  ResourceCommands resources(commands, kind);
  resources.add_list();
  resources.add_show();
  resources.add_add();
  resources.add_verb("POST", "created", "Says that one was created.", "/created");
  resources.add_verb("POST", "failed", "Says that one could not be created.", "/failed");
  resources.add_explain();
  resources.add_verb("POST", "destroy", "Has one destroyed, also when its owner lives; not when it is pinned.", "/destroy");
  resources.add_pin();
  resources.add_verb("DELETE", "unpin", "Ends a pin.", "/pin");
  resources.add_verb("POST", "touch", "Keeps one for the touch grace.", "/touch");
}

void add_explain_command(Commands& commands) {
  auto resource = std::make_shared<Resource>(Resource{ResourceKind::kContainer, {}});
  CLI::App* command = commands.add(nullptr, "explain", "Says why a container or volume is kept, or what destroys it and when.",
                                   "reclaim explain w1/c1", [resource](Session& session) { return explain(session, *resource); });
  add_resource(command, *resource);
}

}  // namespace reclaim::cli
