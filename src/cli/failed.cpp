#include <memory>
#include <string>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kFailedPath = "/api/v1/failed";

const View& failed_view() {
  static const View view = {{"ID", "id"},         {"FILE", "file"},   {"VID", "vid"},
                            {"ERRORS", "errors"}, {"SINCE", "since"}, {"REPORT TO", "report_to"}};
  return view;
}

std::string path_of(const std::string& id) { return std::string(kFailedPath) + "/" + url_encoded(id); }

std::shared_ptr<std::string> add_id(CLI::App* command, const std::shared_ptr<std::string>& id) {
  command->add_option("ID", *id, "Of the request")->required();
  return id;
}

}  // namespace

void add_failed_commands(Commands& commands) {
  CLI::App* failed = commands.group(nullptr, "failed", "Requests that came to nothing, and wait for an operator.");
  auto vid = std::make_shared<std::string>();
  commands
      .add(failed, "list", "Lists all failed requests, or those of one tape.", "reclaim failed list --vid V00001",
           [vid](Session& session) {
             return session.list(kFailedPath + (vid->empty() ? "" : "?vid=" + url_encoded(*vid)), "failed", failed_view());
           })
      ->add_option("--vid", *vid, "Those of one tape")
      ->check(name_check());
  auto id = std::make_shared<std::string>();
  add_id(commands.add(failed, "show", "Shows one failed request.", "reclaim failed show 17-1-5",
                      [id](Session& session) { return session.show(path_of(*id)); }),
         id);
  static const View queued = {{"ID", "id"}, {"VID", "vid"}, {"STATE", "state"}};
  add_id(commands.add(failed, "retry", "Submits a failed request anew; where only its report failed, reports again.",
                      "reclaim failed retry 17-1-5",
                      [id](Session& session) { return session.change("POST", path_of(*id) + "/retry", {}, queued); }),
         id);
  add_id(commands.add(failed, "remove", "Gives a failed request up for good.", "reclaim failed remove 17-1-5",
                      [id](Session& session) { return session.change("DELETE", path_of(*id), {}, failed_view()); }),
         id);
}

}  // namespace reclaim::cli
