// Passes on demand, events, freezes, tokens.
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr Millis kPassPatience = std::chrono::hours(1);
constexpr Millis kReconnectPause(1000);

// Columns for objects whose shape the API leaves open: every field that any of them has, in their order.
View view_of(const std::vector<Ordered>& items) {
  View view;
  for (const Ordered& item : items) {
    for (const auto& field : item.items()) {
      const bool is_known = std::ranges::any_of(view, [&](const Column& column) { return column.path == field.key(); });
      if (is_known) continue;
      std::string title = printable(field.key());
      std::ranges::transform(title, title.begin(), [](char c) { return c == '_' ? ' ' : static_cast<char>(std::toupper(c)); });
      view.push_back({std::move(title), field.key()});
    }
  }
  return view;
}

Status run_passes(Session& session, const std::vector<std::string>& passes) {
  wire::Json body = wire::Json::object();
  if (!passes.empty()) body["passes"] = passes;
  std::string answer;
  {
    Progress progress(session.console());
    progress.say("the passes run on the server...");
    answer = TRY(session.api().call("POST", "/api/v1/gc/run", wire::to_text(body), kPassPatience));
  }
  Ordered report = TRY(read_body(answer));
  if (session.is_json()) return session.print(answer), done();
  const bool has_passes = report.is_object() && report.contains("passes") && report["passes"].is_array();
  const Ordered& list = has_passes ? report["passes"] : report;
  const bool is_table = list.is_array() && std::ranges::all_of(list, [](const Ordered& item) { return item.is_object(); });
  if (!is_table) return session.print_fields(answer);
  const std::vector<Ordered> items(list.begin(), list.end());
  if (!items.empty()) session.print_table(view_of(items), items);
  return done();
}

// One event as one line: no table, because nobody knows how wide the next one is.
std::string line_of(const Ordered& event) {
  std::string line;
  if (!event.is_object()) return line;
  for (const auto& field : event.items()) {
    const std::string cell = cell_of(field.key(), field.value());
    if (cell.empty()) continue;
    const bool is_head = field.key() == "seq" || field.key() == "at" || field.key() == "action";
    if (!line.empty()) line += "  ";
    line += is_head ? cell : printable(field.key()) + "=" + cell;
  }
  return line;
}

Status list_events(Session& session, const std::optional<std::string>& after) {
  // Page by page: there may be ten million of them.
  return session.api().pages("/api/v1/events", after, [&](const std::string& body) -> Status {
    const Ordered page = TRY(read_body(body));
    if (!page.is_object() || !page.contains("events") || !page["events"].is_array())
      return corrupt("the answer lists no events: check --server");
    if (session.is_json()) return session.print(body), done();
    const std::vector<Ordered> events(page["events"].begin(), page["events"].end());
    if (!events.empty()) session.print_table(view_of(events), events);
    return done();
  });
}

// Goes on from the last event seen, for as long as the server lets us in and somebody reads.
Status follow_events(Session& session, std::optional<std::string> after) {
  Console& console = session.console();
  Progress progress(console);
  bool was_connected = false;
  const auto show = [&](const Event& event) {
    was_connected = true;
    progress.clear();
    if (!event.seq.empty()) after = event.seq;
    const Result<Ordered> read = read_body(event.data);
    if (!read.ok()) return true;
    console.out << (session.is_json() ? event.data : line_of(read.value())) << std::endl;
    return console.out.good();
  };
  for (;;) {
    Status status = session.api().follow(after, show);
    if (status.ok()) was_connected = true;
    const bool may_return = status.ok() || (was_connected && status.error().kind == Error::Kind::kUnavailable);
    if (!may_return) return status;
    if (!status.ok()) progress.say("the server is away, trying again...");
    if (!console.out.good() || !console.pause(kReconnectPause)) return done();
  }
}

CLI::Validator role_check() { return CLI::IsMember({"admin", "client", "gateway", "viewer"}); }

const View& token_view() {
  static const View view = {{"ID", "id"}, {"ROLE", "role"}, {"NAME", "name"}, {"CREATED", "created"}};
  return view;
}

Status create_token(Session& session, const std::string& role, const std::string& name) {
  wire::Json body{{"role", role}};
  if (!name.empty()) body["name"] = name;
  const std::string answer = TRY(session.api().call("POST", "/api/v1/tokens", wire::to_text(body)));
  if (session.is_json()) return session.print(answer), done();
  const Ordered token = TRY(read_body(answer));
  if (!token.is_object() || !token.contains("token") || !token["token"].is_string())
    return corrupt("the answer holds no token: check --server");
  session.print(printable(token["token"].get<std::string>()));
  return done();
}

void add_freeze(Commands& commands, const std::string& verb, const std::string& description, bool needs_reason) {
  auto worker = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  CLI::App* command = commands.add(nullptr, verb, description, "reclaim " + verb + " w1 --reason 'moving its disks'",
                                   [worker, reason, verb](Session& session) -> Status {
                                     const std::string of = worker->empty() ? "" : "/workers/" + url_encoded(*worker);
                                     wire::Json body = wire::Json::object();
                                     if (!reason->empty()) body["reason"] = *reason;
                                     const std::string answer =
                                         TRY(session.api().call("POST", "/api/v1" + of + "/" + verb, wire::to_text(body)));
                                     return session.print_fields(answer);
                                   });
  command->add_option("WORKER", *worker, "One worker; all when left out")->check(name_check());
  command->add_option("--reason", *reason, "Why")->required(needs_reason);
}

}  // namespace

void add_collector_commands(Commands& commands) {
  CLI::App* group = commands.group(nullptr, "gc", "The collectors.");
  auto passes = std::make_shared<std::vector<std::string>>();
  commands
      .add(group, "run", "Runs collector passes now and waits until they are done.", "reclaim gc run mark-orphans",
           [passes](Session& session) { return run_passes(session, *passes); })
      ->add_option("PASS", *passes, "Which ones; all when left out");
}

void add_event_command(Commands& commands) {
  auto after = std::make_shared<std::optional<std::string>>();
  auto follows = std::make_shared<bool>(false);
  CLI::App* command =
      commands.add(nullptr, "events",
                   "Shows what was changed and decided, by whom and why. With --output json one page, or with --follow one event, a line.",
                   "reclaim events --follow",
                   [after, follows](Session& session) { return *follows ? follow_events(session, *after) : list_events(session, *after); });
  command->add_option("--after", *after, "Begin after this number")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{9007199254740991}));
  command->add_flag("--follow", *follows, "Go on as they happen; picks the thread up when the server comes back");
}

void add_freeze_commands(Commands& commands) {
  add_freeze(commands, "freeze", "Lets no orders leave, for one worker or for all.", true);
  add_freeze(commands, "unfreeze", "Ends a freeze.", false);
}

void add_token_commands(Commands& commands) {
  CLI::App* group = commands.group(nullptr, "tokens", "Who may use the API.");
  auto role = std::make_shared<std::string>();
  auto name = std::make_shared<std::string>();
  CLI::App* create = commands.add(group, "create", "Makes a token and prints it alone: it is never shown again.",
                                  "reclaim tokens create --role client --name ci > ci.token",
                                  [role, name](Session& session) { return create_token(session, *role, *name); });
  create->add_option("--role", *role, "What it may do")->required()->check(role_check());
  create->add_option("--name", *name, "Who uses it");
  commands.add(group, "list", "Lists the tokens, without themselves.", "reclaim tokens list",
               [](Session& session) { return session.list("/api/v1/tokens", "tokens", token_view()); });
  auto id = std::make_shared<std::string>();
  commands
      .add(group, "delete", "Makes a token useless from now on.", "reclaim tokens delete t1",
           [id](Session& session) { return session.change("DELETE", "/api/v1/tokens/" + url_encoded(*id), {}, token_view()); })
      ->add_option("ID", *id, "The token's id, as tokens list shows it")
      ->required();
}

}  // namespace reclaim::cli
