#include "apps/store_command.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/system/system_time.hpp"
#include "apps/open_database.hpp"
#include "apps/open_store.hpp"
#include "archive/ledger.hpp"
#include "archive/store_check.hpp"
#include "archive/store_list.hpp"
#include "archive/store_text.hpp"
#include "cli/table.hpp"

namespace reclaim::apps {
namespace {

using cli::Ordered;

// Says how far it is, on a terminal: every object of the store is read, which may take a while.
class Watched : public ports::ObjectStore {
 public:
  Watched(ports::ObjectStore& store, cli::Console& console) : store_(store), progress_(console) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    const std::size_t before = read_ / kSaidEvery;
    read_ += calls.size();
    if (read_ / kSaidEvery != before) progress_.say(std::to_string(read_) + " objects read");
    return store_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return store_.list(kind, after, limit);
  }

 private:
  static constexpr std::size_t kSaidEvery = 1000;

  ports::ObjectStore& store_;
  cli::Progress progress_;
  std::size_t read_ = 0;
};

struct Given {
  std::string data;
  std::string store;
  std::string database = {};  // of check alone
  std::string output;
  bool is_json() const { return output == "json"; }
};

using Action = std::function<Status(ports::ObjectStore&, const Given&, cli::Console&)>;

std::string text_of_json(const Ordered& json) { return json.dump(-1, ' ', false, Ordered::error_handler_t::replace) + "\n"; }

void print(cli::Console& console, const std::string& text) { console.out << text << std::flush; }

Status list(ports::ObjectStore& store, const std::vector<std::string>& kinds, const Given& given, cli::Console& console) {
  std::vector<Ordered> items;
  {
    Watched watched(store, console);
    for (const std::string& kind : kinds) {
      for (const archive::ListedObject& object : TRY(archive::list_objects(watched, kind))) {
        Ordered item{{"name", object.name.str()}, {"version", object.version.number}, {"size", object.size}};
        if (!object.unreadable.empty()) item["damaged"] = object.unreadable;
        items.push_back(std::move(item));
      }
    }
  }
  static const cli::View view = {{"NAME", "name"}, {"VERSION", "version"}, {"SIZE", "size"}, {"DAMAGED", "damaged", true}};
  if (given.is_json()) return print(console, text_of_json({{"objects", std::move(items)}})), done();
  return print(console, cli::render_table(view, items, console.width, console.has_colour)), done();
}

Status show(ports::ObjectStore& store, const ports::ObjectName& name, const Given& given, cli::Console& console) {
  const Result<ports::Object> object = store.read(name);
  if (!object.ok() && object.error().kind == Error::Kind::kNotFound)
    return not_found("the store holds no " + name.str() + ": see reclaim store list " + name.kind);
  const ports::Object found = TRY(object);
  return print(console, given.is_json() ? archive::json_of(name, found) + "\n" : archive::text_of(name, found)), done();
}

Ordered summary_of(const archive::StoreSummary& summary) {
  Ordered queued = Ordered::object();
  for (const archive::QueueType type : archive::kQueueTypes)
    queued[std::string(name_of(type))] = summary.in_queues.at(static_cast<std::size_t>(type));
  Ordered json{{"queues", summary.queues},   {"segments", summary.segments}, {"forwarding_only", summary.forwarding_only},
               {"indexes", summary.indexes}, {"agents", summary.agents},     {"requests", std::move(queued)}};
  json["requests"]["with_agents"] = summary.with_agents;
  json["requests"]["moving"] = summary.moving;
  json["states"] = {{"queued", summary.queued}, {"transferred", summary.transferred}, {"failed", summary.failed}};
  return json;
}

Ordered json_of(const archive::Finding& finding) {
  Ordered json{{"kind", name_of(finding.kind)}, {"invariant", invariant_of(finding.kind)}, {"sentence", finding.sentence}};
  if (is_leftover(finding.kind)) json["invariant"] = nullptr;
  for (const ports::ObjectName& object : finding.objects) json["objects"].push_back(object.str());
  return json;
}

std::string line_of(const archive::Finding& finding) {
  const std::string broken(invariant_of(finding.kind));
  const std::string where = finding.objects.empty() ? "" : finding.objects.front().str() + ": ";
  return (broken.empty() ? "left over" : "breaks " + broken) + ", " + std::string(name_of(finding.kind)) + ": " +
         printable(where + finding.sentence) + "\n";
}

// The one that is named, or the data directory's, if it has one.
Result<std::optional<OpenedDatabase>> open_books(const Given& given) {
  if (given.database.empty() && given.data.empty()) return std::optional<OpenedDatabase>();
  Result<OpenedDatabase> opened = open_existing_database(given.database.empty() ? database_of(given.data) : given.database);
  if (opened.ok()) return std::optional(std::move(opened).value());
  const bool is_absent = opened.error().kind == Error::Kind::kNotFound;
  if (is_absent && given.database.empty()) return std::optional<OpenedDatabase>();
  return Error{is_absent ? Error::Kind::kInvalid : opened.error().kind, "--database: " + opened.error().message};
}

Result<std::optional<archive::TakenLedger>> ledger_of(ports::ObjectStore& store, const std::optional<OpenedDatabase>& books) {
  if (!books) return std::optional<archive::TakenLedger>();
  const archive::Context context{*books->database, system::SystemClock().wall(), "store check"};
  return std::optional(TRY(archive::take_ledger(context, store)));
}

Ordered json_of(const archive::TakenLedger& taken) {
  Ordered json{{"enqueued", taken.ledger.enqueued}};
  for (const auto& [place, requests] : taken.ledger.places()) json[std::string(place)] = requests;
  json["unaccounted"] = taken.is_settled ? Ordered(taken.ledger.unaccounted()) : Ordered(nullptr);
  return json;
}

// `C1: 3 enqueued = 2 queued + ... + 1 cancelled + 0 removed; 0 unaccounted`
std::string line_of(const archive::TakenLedger& taken) {
  std::string line = "C1: " + std::to_string(taken.ledger.enqueued) + " enqueued = ";
  for (const auto& [place, requests] : taken.ledger.places()) {
    line += (line.ends_with("= ") ? "" : " + ") + std::to_string(requests) + " " + std::string(place);
  }
  return line + (taken.is_settled ? "; " + std::to_string(taken.ledger.unaccounted()) + " unaccounted\n"
                                  : "; requests moved while they were counted: check again\n");
}

std::string text_of(const archive::StoreReport& report, const std::optional<archive::TakenLedger>& ledger, int width) {
  std::string text = cli::render_fields(summary_of(report.summary), width);
  if (ledger) text += line_of(*ledger);
  for (const archive::Finding& finding : report.findings) text += line_of(finding);
  if (report.more > 0) text += std::to_string(report.more) + " more that look wrong were not looked at again\n";
  if (report.unsettled > 0) text += std::to_string(report.unsettled) + " changed too often to be judged: check again\n";
  return text;
}

Status verdict_of(const archive::StoreReport& report, const std::optional<archive::TakenLedger>& ledger) {
  const auto broken = std::ranges::count_if(report.findings, [](const archive::Finding& each) { return !is_leftover(each.kind); });
  if (broken > 0) {
    return corrupt(std::to_string(broken) + (broken == 1 ? " thing is" : " things are") +
                   " broken: look at the objects with reclaim store show, and keep a copy of the store before anything else");
  }
  if (!ledger || !ledger->is_settled || ledger->ledger.unaccounted() == 0) return done();
  return corrupt("C1 is broken: what was enqueued differs by " + std::to_string(ledger->ledger.unaccounted()) +
                 " from what is there and what has ended: keep a copy of the store and the database before anything else");
}

Status check(ports::ObjectStore& store, const Given& given, cli::Console& console) {
  const std::optional<OpenedDatabase> books = TRY(open_books(given));
  archive::StoreReport report;
  std::optional<archive::TakenLedger> ledger;
  {
    Watched watched(store, console);
    report = TRY(archive::check_store(watched));
    ledger = TRY(ledger_of(watched, books));
  }
  if (given.is_json()) {
    Ordered json{{"summary", summary_of(report.summary)}, {"findings", Ordered::array()}};
    for (const archive::Finding& finding : report.findings) json["findings"].push_back(json_of(finding));
    json["more"] = report.more;
    json["unsettled"] = report.unsettled;
    json["ledger"] = ledger ? json_of(*ledger) : Ordered(nullptr);
    print(console, text_of_json(json));
  } else {
    print(console, text_of(report, ledger, console.width));
  }
  return verdict_of(report, ledger);
}

// The store that the flags name, which has to be there.
Result<std::unique_ptr<ports::ObjectStore>> open(const Given& given) {
  if (given.data.empty() == given.store.empty())
    return invalid("", "say which store: --data DIR of a server, or --store lmdb:PATH or rados://POOL");
  const char* flag = given.store.empty() ? "--data: " : "--store: ";
  Result<std::unique_ptr<ports::ObjectStore>> opened = open_existing_store(given.store.empty() ? store_of(given.data) : given.store);
  if (opened.ok()) return opened;
  return Error{opened.error().kind, flag + opened.error().message};
}

int exit_code_of(const Error& error) {
  if (error.kind == Error::Kind::kInvalid) return cli::kUsage;
  return error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended ? cli::kTemporary : cli::kFailed;
}

int perform(const Given& given, cli::Console& console, const Action& action) {
  Result<std::unique_ptr<ports::ObjectStore>> store = open(given);
  const Status status = store.ok() ? action(*store.value(), given, console) : Status(store.error());
  if (status.ok()) return cli::kDone;
  cli::complain(console, status.error().message);
  const bool is_absent = !store.ok() && status.error().kind == Error::Kind::kNotFound;
  return is_absent ? cli::kUsage : exit_code_of(status.error());
}

CLI::App* add(cli::CommandLine& line, CLI::App* group, const std::string& name, const std::string& description, const std::string& example,
              Action action) {
  auto given = std::make_shared<Given>();
  CLI::App* command =
      line.add(group, name, description, example, [given, &line, run = std::move(action)] { return perform(*given, line.console(), run); });
  command->add_option("--data", given->data, "The server's data directory")->type_name("DIR");
  command->add_option("--store", given->store, "... or the store itself: lmdb:PATH or rados://POOL")->type_name("STORE");
  command->add_option("--output", given->output, "How to answer [table]")->check(CLI::IsMember({"table", "json"}));
  return command;
}

CLI::Validator object_name_check() {
  const auto check_text = [](std::string& text) {
    const Result<ports::ObjectName> name = ports::parse_object_name(text);
    return name.ok() ? std::string() : "'" + text + "' " + name.error().message;
  };
  return {check_text, ""};
}

}  // namespace

void add_store_commands(cli::CommandLine& line) {
  CLI::App* group = line.group(nullptr, "store", "The archive's object store, seen from outside, also while a server runs.");
  const std::vector<std::string> all(std::begin(archive::kStoreKinds), std::end(archive::kStoreKinds));
  auto kinds = std::make_shared<std::vector<std::string>>(all);
  add(line, group, "list", "Lists the objects of a kind, or all.", "reclaim store list queue --data /var/lib/reclaim",
      [kinds](ports::ObjectStore& store, const Given& given, cli::Console& console) { return list(store, *kinds, given, console); })
      ->add_option("KIND", *kinds, "Which kinds [all]")
      ->check(CLI::IsMember(all));
  auto name = std::make_shared<std::string>();
  add(line, group, "show", "Shows one object, readable as far as it can be read.",
      "reclaim store show queue/V00001.t --data /var/lib/reclaim",
      [name](ports::ObjectStore& store, const Given& given, cli::Console& console) -> Status {
        return show(store, TRY(ports::parse_object_name(*name)), given, console);
      })
      ->add_option("NAME", *name, "Of the object, KIND/KEY")
      ->required()
      ->check(object_name_check());
  auto database = std::make_shared<std::string>();
  add(line, group, "check",
      "Checks the whole store: every request in exactly one place that finds it, and what crashes have left over, which is harmless. "
      "With the database also that none is missing (C1). Ends with 1 when something is broken.",
      "reclaim store check --data /var/lib/reclaim",
      [database](ports::ObjectStore& store, Given given, cli::Console& console) {
        given.database = *database;
        return check(store, given, console);
      })
      ->add_option("--database", *database, "sqlite:PATH or postgres://... [DIR/reclaim.db of --data, where it is there]")
      ->type_name("DATABASE");
}

}  // namespace reclaim::apps
