#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/request_lines.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kRetrieves = "/api/v1/retrieves";
constexpr std::size_t kBatch = 10'000;
constexpr std::size_t kRefusalsShown = 20;

const View& retrieve_view() {
  static const View view = {{"ID", "id"},
                            {"FILE", "file"},
                            {"STATE", "state"},
                            {"VID", "vid"},
                            {"COPY", "copy", true},
                            {"ERRORS", "errors"},
                            {"ATTEMPTS", "attempts", true},
                            {"REPORTED", "reported"},
                            {"CREATED", "created"},
                            {"DESTINATION", "destination"}};
  return view;
}

const View& queued_view() {
  static const View view = {{"ID", "id"}, {"VID", "vid"}};
  return view;
}

std::string path_of(const std::string& id) { return std::string(kRetrieves) + "/" + url_encoded(id); }

CLI::Option* add_id(CLI::App* command, std::string& id) {
  return command->add_option("ID", id, "Of the request, as submit has shown it")->required();
}

// What many submitted at once came to.
struct Submission {
  std::vector<Ordered> ids;       // one for each, null where it was refused
  std::vector<Ordered> refusals;  // the first ones, with their lines
  std::size_t refused = 0;
};

// `[17].file` is `file` to who reads of a line.
Ordered without_place(Ordered error) {
  if (!error.is_object() || !error.contains("field") || !error["field"].is_string()) return error;
  const std::string field = error["field"].get<std::string>();
  const std::size_t end = field.find("].");
  if (field.starts_with('[') && end != std::string::npos) error["field"] = field.substr(end + 2);
  return error;
}

Status send(Session& session, std::span<const RequestLine> lines, Submission& submission) {
  std::string items;
  for (const RequestLine& line : lines) items += (items.empty() ? "[" : ",") + line.json;
  const std::string body = TRY(session.api().call_each(kRetrieves, items + "]"));
  const Ordered results = TRY(read_body(body));
  if (!results.is_array() || results.size() != lines.size()) return corrupt("the answer is no list of results: check --server");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool is_refused = !results[i].is_object() || !results[i].contains("id");
    submission.ids.push_back(is_refused ? Ordered() : results[i]["id"]);
    if (!is_refused || ++submission.refused > kRefusalsShown) continue;
    Ordered refusal{{"line", lines[i].line}};
    refusal["error"] = results[i].is_object() && results[i].contains("error") ? without_place(results[i]["error"]) : Ordered();
    submission.refusals.push_back(std::move(refusal));
  }
  return done();
}

// To submit again would ask twice for what was queued: who is stopped is told from where to go on.
Error stopped(Error error, std::span<const RequestLine> lines, std::size_t sent) {
  error.message += "; the " + std::to_string(sent) + " before line " + std::to_string(lines[sent].line) + " were submitted";
  if (error.kind == Error::Kind::kUnavailable)
    error.message +=
        ", of the next " + std::to_string(std::min(kBatch, lines.size() - sent)) + " it is not known: see reclaim retrieves list";
  return error;
}

Result<Submission> send_all(Session& session, std::span<const RequestLine> lines) {
  Submission submission;
  Progress progress(session.console());
  for (std::size_t at = 0; at < lines.size(); at += kBatch) {
    const Status sent = send(session, lines.subspan(at, std::min(kBatch, lines.size() - at)), submission);
    if (!sent.ok()) return stopped(sent.error(), lines, at);
    progress.say(std::to_string(submission.ids.size()) + " of " + std::to_string(lines.size()) + " requests");
  }
  return submission;
}

Result<std::vector<RequestLine>> read_lines(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file) return invalid("--from", "cannot read " + path);
  Result<std::vector<RequestLine>> lines = read_request_lines(path == "-" ? std::cin : file);
  if (lines.ok() || lines.error().kind != Error::Kind::kInvalid) return lines;
  return invalid(
      "", (path == "-" ? "standard input" : path) + ", " + lines.error().field + ": " + lines.error().message + "; nothing was sent");
}

Status submit_many(Session& session, const std::string& path) {
  const std::vector<RequestLine> lines = TRY(read_lines(path));
  const Submission submission = TRY(send_all(session, lines));
  const std::size_t queued = submission.ids.size() - submission.refused;
  if (session.is_json()) {
    const Ordered report{{"queued", queued}, {"refused", submission.refused}, {"refusals", submission.refusals}, {"ids", submission.ids}};
    session.print(report.dump(-1, ' ', false, Ordered::error_handler_t::replace));
  } else {
    session.print(std::to_string(queued) + " requests are queued.");
    static const View view = {{"LINE", "line"}, {"FIELD", "error.field"}, {"REFUSED BECAUSE", "error.detail"}};
    if (!submission.refusals.empty()) session.print_table(view, submission.refusals);
  }
  if (submission.refused == 0) return done();
  return conflict(std::to_string(submission.refused) + " of " + std::to_string(lines.size()) + " requests refused");
}

struct NewRetrieve {
  std::string file, destination, report_to, requester, policy, from;
  std::int64_t priority = 0;

  wire::Json json() const {
    wire::Json body{{"file", file}, {"destination", destination}};
    if (!report_to.empty()) body["report_to"] = report_to;
    if (!requester.empty()) body["requester"] = requester;
    if (!policy.empty()) body["policy"] = policy;
    if (priority != 0) body["priority"] = priority;
    return body;
  }
};

Status submit(Session& session, const NewRetrieve& given) {
  if (!given.from.empty()) return submit_many(session, given.from);
  if (given.file.empty() || given.destination.empty()) return invalid("--from", "give FILE and DESTINATION, or many with --from");
  return session.change("POST", kRetrieves, given.json(), queued_view());
}

void add_submit(Commands& commands, CLI::App* retrieves) {
  auto given = std::make_shared<NewRetrieve>();
  CLI::App* command = commands.add(retrieves, "submit",
                                   "Asks for a file; or for many, one a line: JSON objects as the API takes them, or CSV whose first line "
                                   "names its columns, such as file,destination,report_to,requester,priority,policy.",
                                   "reclaim retrieves submit f1 'run 7/f1' --report-to http://127.0.0.1:8080/done\n"
                                   "  reclaim retrieves submit --from requests.csv",
                                   [given](Session& session) { return submit(session, *given); });
  command->add_option("FILE", given->file, "The file's id")->check(name_check());
  command->add_option("DESTINATION", given->destination, "Where it shall be in the disk buffer, relative to its root");
  command->add_option("--report-to", given->report_to, "Who is told how it ended, by HTTP POST")->type_name("URL");
  command->add_option("--requester", given->requester, "Who asks");
  command->add_option("--priority", given->priority, "Larger goes first [0]");
  command->add_option("--policy", given->policy, "When a mount pays; without one a single request is enough")->check(name_check());
  CLI::Option* from = command->add_option("--from", given->from, "Many, one a line; - is standard input")->type_name("PATH");
  for (const char* other : {"FILE", "DESTINATION", "--report-to", "--requester", "--priority", "--policy"})
    from->excludes(command->get_option(other));
}

void add_list(Commands& commands, CLI::App* retrieves) {
  struct Filter {
    std::string file, vid, state;
  };
  auto given = std::make_shared<Filter>();
  CLI::App* command = commands.add(retrieves, "list", "Lists all requests, or some.", "reclaim retrieves list --vid V00001 --state queued",
                                   [given](Session& session) {
                                     std::string query;
                                     const auto add = [&query](const char* name, const std::string& value) {
                                       if (value.empty()) return;
                                       query.append(query.empty() ? "?" : "&").append(name).append("=").append(url_encoded(value));
                                     };
                                     add("file", given->file);
                                     add("vid", given->vid);
                                     add("state", given->state);
                                     return session.list(kRetrieves + query, "retrieves", retrieve_view());
                                   });
  command->add_option("--file", given->file, "Those for one file")->check(name_check());
  command->add_option("--vid", given->vid, "Those on one tape")->check(name_check());
  command->add_option("--state", given->state, "Those in one state")
      ->check(CLI::IsMember({"queued", "transferring", "reporting", "failed", "done"}));
}

}  // namespace

void add_retrieve_commands(Commands& commands) {
  CLI::App* retrieves = commands.group(nullptr, "retrieves", "Requests to read files from tape.");
  add_submit(commands, retrieves);
  auto shown = std::make_shared<std::string>();
  add_id(commands.add(retrieves, "show", "Shows where a request is.", "reclaim retrieves show 17-1-5",
                      [shown](Session& session) { return session.show(path_of(*shown)); }),
         *shown);
  add_list(commands, retrieves);
  auto cancelled = std::make_shared<std::string>();
  add_id(commands.add(retrieves, "cancel", "Takes a request back; one that is being copied ends as soon as that is noticed.",
                      "reclaim retrieves cancel 17-1-5",
                      [cancelled](Session& session) { return session.change("DELETE", path_of(*cancelled), {}, retrieve_view()); }),
         *cancelled);
}

}  // namespace reclaim::cli
