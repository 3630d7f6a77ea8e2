#include "cli/commands.hpp"

#include <memory>
#include <set>
#include <utility>

#include "cli/client.hpp"

namespace reclaim::cli {
namespace {

struct Given {
  ApiOptions api;
  std::string output;  // empty: table
};

// What stands nearer to the end of the line goes before what stands earlier.
Given joined(const Given& early, Given late) {
  if (late.api.server.empty()) late.api.server = early.api.server;
  if (late.api.token_file.empty()) late.api.token_file = early.api.token_file;
  if (late.output.empty()) late.output = early.output;
  return late;
}

void add_options(CLI::App* command, Given& given) {
  command->add_option("--server", given.api.server, "Where the server is [RECLAIM_SERVER, else http://127.0.0.1:7070]")->type_name("URL");
  command->add_option("--token-file", given.api.token_file, "What holds the token [RECLAIM_TOKEN_FILE, else what a local server wrote]")
      ->type_name("FILE");
  command->add_option("--output", given.output, "How to answer: for people, or the API's own JSON [table]")
      ->check(CLI::IsMember({"table", "json"}));
}

int exit_code_of(const Error& error) {
  if (error.kind == Error::Kind::kInvalid && error.field.starts_with("--")) return kUsage;
  const bool is_temporary = error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended;
  return is_temporary ? kTemporary : kFailed;
}

int perform(const Given& given, Console& console, const Commands::Action& action) {
  Result<Api> api = Api::open(given.api, console);
  if (!api.ok()) return complain(console, api.error().message), kUsage;
  Session session(api.value(), console, given.output == "json");
  const Status status = action(session);
  if (!status.ok()) return complain(console, status.error().message), exit_code_of(status.error());
  return kDone;
}

// All pages as one: the first body with every item in it and no `next`.
std::string joined_pages(const std::string& first, const std::string& key, std::vector<Ordered> items) {
  Ordered whole = Ordered::parse(first, nullptr, false);
  whole.erase("next");
  whole[key] = std::move(items);
  return whole.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

}  // namespace

// What stands before a command's name, and the commands that it is for.
struct Commands::Early {
  Given given;
  std::set<const CLI::App*> commands;

  bool is_given() const { return !given.api.server.empty() || !given.api.token_file.empty() || !given.output.empty(); }
};

Status Session::change(const char* method, const std::string& path, const wire::Json& body, const View& view) {
  const std::string answer = TRY(api_.call(method, path, body.is_null() ? "" : wire::to_text(body)));
  Ordered item = TRY(read_body(answer));
  if (is_json_) return print(answer), done();
  return print_table(view, {std::move(item)}), done();
}

Status Session::show(const std::string& path) { return print_fields(TRY(api_.call("GET", path))); }

Status Session::list(const std::string& path, const std::string& key, const View& view) {
  std::vector<Ordered> items;
  std::string first;
  int pages = 0;
  Progress progress(console_);
  const auto take = [&](const std::string& body) -> Status {
    if (pages++ == 0) first = body;
    Ordered page = TRY(read_body(body));
    if (!page.is_object() || !page.contains(key) || !page[key].is_array())
      return corrupt("the answer lists no " + key + ": check --server");
    for (Ordered& item : page[key]) items.push_back(std::move(item));
    progress.say(std::to_string(items.size()) + " " + key + " so far");
    return done();
  };
  TRY(api_.pages(path, std::nullopt, take));
  if (!is_json_) return print_table(view, items), done();
  return print(pages == 1 ? first : joined_pages(first, key, std::move(items))), done();
}

void Session::print(const std::string& body) { console_.out << body << "\n" << std::flush; }

void Session::print_table(const View& view, const std::vector<Ordered>& items) {
  console_.out << render_table(view, items, console_.width, console_.has_colour) << std::flush;
}

Status Session::print_fields(const std::string& body) {
  const Ordered object = TRY(read_body(body));
  if (is_json_) return print(body), done();
  console_.out << render_fields(object, console_.width) << std::flush;
  return done();
}

Commands::Commands(CommandLine& line) : line_(line), early_(std::make_shared<Early>()) {
  CLI::App& app = line.app();
  add_options(&app, early_->given);
  app.final_callback([early = early_, &app] {
    const CLI::App* command = app.get_subcommands().front();
    if (early->is_given() && !early->commands.contains(command)) {
      throw CLI::ExtrasError(app.get_name(), {"options of the client before " + command->get_name()});
    }
  });
}

CLI::App* Commands::group(CLI::App* parent, const std::string& name, const std::string& description) {
  CLI::App* group = line_.group(parent, name, description);
  if (parent == nullptr) early_->commands.insert(group);
  add_options(group, early_->given);
  return group;
}

CLI::App* Commands::add(CLI::App* parent, const std::string& name, const std::string& description, const std::string& example,
                        Action action) {
  auto given = std::make_shared<Given>();
  CommandLine& line = line_;
  CLI::App* command = line.add(parent, name, description, example, [early = early_, given, &line, run = std::move(action)] {
    return perform(joined(early->given, *given), line.console(), run);
  });
  if (parent == nullptr) early_->commands.insert(command);
  add_options(command, *given);
  return command;
}

CLI::Option* add_name(CLI::App* command, std::string& text, const std::string& description) {
  return command->add_option("NAME", text, description)->required()->check(name_check());
}

void add_client_commands(CommandLine& line, const OpenLibrary& open_library) {
  Commands commands(line);
  add_worker_commands(commands);
  add_owner_commands(commands);
  add_resource_commands(commands, ResourceKind::kContainer);
  add_resource_commands(commands, ResourceKind::kVolume);
  add_explain_command(commands);
  add_collector_commands(commands);
  add_event_command(commands);
  add_tape_commands(commands);
  add_file_commands(commands, open_library);
  add_policy_commands(commands);
  add_retrieve_commands(commands);
  add_failed_commands(commands);
  add_queue_commands(commands);
  add_drive_commands(commands);
  add_agent_commands(commands);
  add_lineage_commands(commands);
  add_freeze_commands(commands);
  add_token_commands(commands);
}

}  // namespace reclaim::cli
