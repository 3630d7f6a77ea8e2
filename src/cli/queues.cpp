#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kQueues = "/api/v1/queues";

const View& queue_view() {
  static const View view = {{"VID", "vid"},
                            {"TYPE", "type"},
                            {"REQUESTS", "requests"},
                            {"SIZE", "bytes"},
                            {"OLDEST", "oldest_s"},
                            {"CLEANUP", "cleanup.requested", true},
                            {"CLEANER", "cleanup.agent"},
                            {"DONE", "cleanup.done"},
                            {"LEFT", "cleanup.left"},
                            {"SINCE", "cleanup.since"},
                            {"PROBLEM", "problem"}};
  return view;
}

void add_list(Commands& commands, CLI::App* queues) {
  struct Filter {
    std::string vid, type;
    bool cleanup = false;
  };
  auto given = std::make_shared<Filter>();
  CLI::App* command =
      commands.add(queues, "list", "Lists all queues, or some.", "reclaim queues list --cleanup", [given](Session& session) {
        std::string query;
        const auto add = [&query](const char* name, const std::string& value) {
          if (!value.empty()) query.append(query.empty() ? "?" : "&").append(name).append("=").append(url_encoded(value));
        };
        add("vid", given->vid);
        add("type", given->type);
        add("cleanup", given->cleanup ? "true" : "");
        return session.list(kQueues + query, "queues", queue_view());
      });
  command->add_option("--vid", given->vid, "Those of one tape")->check(name_check());
  command->add_option("--type", given->type, "Those of one type")->check(CLI::IsMember({"to_transfer", "to_report", "failed"}));
  command->add_flag("--cleanup", given->cleanup, "Those that are cleaned up, or should be");
}

Status show(Session& session, const std::string& vid) {
  const std::string body = TRY(session.api().call("GET", kQueues + std::string("?vid=") + url_encoded(vid)));
  const Ordered answer = TRY(read_body(body));
  if (!answer.is_object() || !answer.contains("queues") || !answer["queues"].is_array())
    return corrupt("the answer lists no queues: check --server");
  if (answer["queues"].empty()) return not_found("tape " + vid + " has no queue: nothing waits on it");
  if (session.is_json()) return session.print(body), done();
  for (const Ordered& queue : answer["queues"]) {
    if (&queue != &answer["queues"].front()) session.print("");
    TRY(session.print_fields(queue.dump()));
  }
  return done();
}

}  // namespace

void add_queue_commands(Commands& commands) {
  CLI::App* queues = commands.group(nullptr, "queues", "What waits on which tape: to be transferred, to be reported, failed.");
  add_list(commands, queues);
  auto vid = std::make_shared<std::string>();
  commands
      .add(queues, "show", "Shows the queues of one tape.", "reclaim queues show V00001",
           [vid](Session& session) { return show(session, *vid); })
      ->add_option("VID", *vid, "The tape")
      ->required()
      ->check(name_check());
}

}  // namespace reclaim::cli
