// Passes on demand and as plans, events, freezes, tokens.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

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

Status run_passes(Session& session, const std::string& path, const std::vector<std::string>& passes) {
  wire::Json body = wire::Json::object();
  if (!passes.empty()) body["passes"] = passes;
  std::string answer;
  {
    Progress progress(session.console());
    progress.say("the passes run on the server...");
    answer = TRY(session.api().call("POST", path, wire::to_text(body), kPassPatience));
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

std::string count_of(std::int64_t count, const char* noun) { return std::to_string(count) + " " + noun + (count == 1 ? "" : "s"); }

const View& plan_view() {
  static const View view = {{"PASS", "pass"},     {"WORKER", "worker"},     {"KIND", "kind"},
                            {"HANDLE", "handle"}, {"BYTES", "bytes", true}, {"REASON", "reason"}};
  return view;
}

const View& applied_view() {
  static const View view = {{"PASS", "pass"},     {"WORKER", "worker"}, {"KIND", "kind"},
                            {"HANDLE", "handle"}, {"DONE", "done"},     {"REFUSED BECAUSE", "error.detail"}};
  return view;
}

// The items of a plan, or of what was applied; kCorrupt for what is neither.
Result<std::vector<Ordered>> items_of(const Ordered& answer) {
  const bool is_plan = answer.is_object() && answer.contains("plan_id") && answer["plan_id"].is_string() && answer.contains("items") &&
                       answer["items"].is_array();
  if (!is_plan) return corrupt("the answer is no plan: check --server");
  return std::vector<Ordered>(answer["items"].begin(), answer["items"].end());
}

Status make_plan(Session& session, const std::vector<std::string>& passes, const std::string& worker) {
  wire::Json body = wire::Json::object();
  if (!passes.empty()) body["passes"] = passes;
  if (!worker.empty()) body["worker"] = worker;
  const std::string answer = TRY(session.api().call("POST", "/api/v1/gc/plan", wire::to_text(body), kPassPatience));
  const Ordered plan = TRY(read_body(answer));
  const std::vector<Ordered> items = TRY(items_of(plan));
  if (session.is_json()) return session.print(answer), done();
  if (items.empty()) return session.print("Nothing to do."), done();
  session.print_table(plan_view(), items);
  const std::int64_t bytes = plan.value("bytes", std::int64_t{0});
  std::string sum = "\n" + count_of(static_cast<std::int64_t>(items.size()), "item");
  if (bytes > 0) sum += ", " + cell_of("bytes", bytes);
  if (plan.value("truncated", false)) sum += ", and there is more: plan again after this";
  session.print(sum + ". To do exactly this: reclaim gc apply " + printable(plan["plan_id"].get<std::string>()));
  return done();
}

Status apply_plan(Session& session, const std::string& id) {
  const wire::Json body{{"plan_id", id}};
  const std::string answer = TRY(session.api().call("POST", "/api/v1/gc/apply", wire::to_text(body), kPassPatience));
  const Ordered applied = TRY(read_body(answer));
  const std::vector<Ordered> items = TRY(items_of(applied));
  if (session.is_json()) {
    session.print(answer);
  } else if (!items.empty()) {
    session.print_table(applied_view(), items);
  }
  const std::int64_t refused = applied.value("refused", std::int64_t{0});
  if (refused == 0) return done();
  return conflict(count_of(refused, "item") + " of " + std::to_string(items.size()) + " refused: they changed after the plan; plan again");
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

const View& event_view() {
  static const View view = {{"SEQ", "seq"},       {"AT", "at"},       {"ACTION", "action"}, {"WORKER", "worker"}, {"KIND", "kind"},
                            {"HANDLE", "handle"}, {"OWNER", "owner"}, {"TAPE", "tape"},     {"FILE", "file"},     {"POLICY", "policy"},
                            {"DRIVE", "drive"},   {"TO", "to"},       {"REASON", "reason"}, {"ACTOR", "actor"},   {"FROM", "from"}};
  return view;
}

Status list_events(Session& session, const std::optional<std::string>& after) {
  // Page by page: there may be ten million of them.
  return session.api().pages("/api/v1/events", after, [&](const std::string& body) -> Status {
    const Ordered page = TRY(read_body(body));
    if (!page.is_object() || !page.contains("events") || !page["events"].is_array())
      return corrupt("the answer lists no events: check --server");
    if (session.is_json()) return session.print(body), done();
    const std::vector<Ordered> events(page["events"].begin(), page["events"].end());
    if (!events.empty()) session.print_table(event_view(), events);
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

struct NewToken {
  std::string role;
  std::string name;
  std::string out;  // a file; empty: standard output
};

// A new file that only its owner can read, made before the token is: what cannot be kept is not asked for.
class SecretFile {
 public:
  static Result<SecretFile> create(const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return conflict("cannot make " + path + ": " + std::strerror(errno) + ": name a file that is not there yet");
    return SecretFile(path, file);
  }
  SecretFile(SecretFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  SecretFile& operator=(SecretFile&&) = delete;
  ~SecretFile() {
    if (file_ < 0) return;
    ::close(file_);
    ::unlink(path_.c_str());  // nothing was kept in it
  }

  Status keep(const std::string& secret) {
    const std::string line = secret + "\n";
    const bool is_written = ::write(file_, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file_) == 0;
    if (!is_written) return conflict("cannot write " + path_ + ": " + std::strerror(errno) + ": the token is lost, delete it");
    ::close(std::exchange(file_, -1));
    return done();
  }

 private:
  SecretFile(std::string path, int file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  int file_;
};

Status create_token(Session& session, const NewToken& given) {
  std::optional<SecretFile> file;
  if (!given.out.empty()) file.emplace(TRY(SecretFile::create(given.out)));
  wire::Json body{{"role", given.role}};
  if (!given.name.empty()) body["name"] = given.name;
  const std::string answer = TRY(session.api().call("POST", "/api/v1/tokens", wire::to_text(body)));
  Ordered token = TRY(read_body(answer));
  if (!token.is_object() || !token.contains("token") || !token["token"].is_string())
    return corrupt("the answer holds no token: check --server");
  const std::string secret = token["token"].get<std::string>();
  if (!file) return session.print(session.is_json() ? answer : printable(secret)), done();
  TRY(file->keep(secret));
  token.erase("token");
  if (session.is_json()) return session.print(token.dump()), done();
  return session.print_table(token_view(), {token}), done();
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
           [passes](Session& session) { return run_passes(session, "/api/v1/gc/run", *passes); })
      ->add_option("PASS", *passes, "Which ones; all when left out");
  CLI::App* archive = commands.group(nullptr, "maintenance", "The archive's passes.");
  auto kept = std::make_shared<std::vector<std::string>>();
  commands
      .add(archive, "run", "Runs maintenance passes now and waits until they are done.", "reclaim maintenance run cleanup",
           [kept](Session& session) { return run_passes(session, "/api/v1/maintenance/run", *kept); })
      ->add_option("PASS", *kept, "Which ones; all when left out");
  auto planned = std::make_shared<std::vector<std::string>>();
  auto worker = std::make_shared<std::string>();
  CLI::App* plan = commands.add(group, "plan", "Shows what the passes would do now, and does nothing.", "reclaim gc plan --worker w1",
                                [planned, worker](Session& session) { return make_plan(session, *planned, *worker); });
  plan->add_option("--pass", *planned, "Only this pass; may be given again")->allow_extra_args(false);
  plan->add_option("--worker", *worker, "Only this worker's")->check(name_check());
  auto id = std::make_shared<std::string>();
  commands
      .add(group, "apply", "Does exactly what a plan says; what has changed since is refused.", "reclaim gc apply PLAN_ID",
           [id](Session& session) { return apply_plan(session, *id); })
      ->add_option("PLAN_ID", *id, "As gc plan shows it")
      ->required();
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
  auto given = std::make_shared<NewToken>();
  CLI::App* create = commands.add(group, "create", "Makes a token and prints it alone: it is never shown again.",
                                  "reclaim tokens create --role client --name ci --out ci.token",
                                  [given](Session& session) { return create_token(session, *given); });
  create->add_option("--role", given->role, "What it may do")->required()->check(role_check());
  create->add_option("--name", given->name, "Who uses it");
  create->add_option("--out", given->out, "Put it into this new file, which only you can read, and print what it is for")
      ->type_name("FILE");
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
