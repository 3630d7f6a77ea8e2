#include "archive/ledger.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "archive/ended.hpp"
#include "archive/store_check.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;
using SeenOrigins = decltype(StoreSurvey::origins);

constexpr std::size_t kPage = 5'000;        // rows
constexpr Millis kFoldedAfter{86'400'000};  // no submitter waits so long for its answer

std::string key_of(const SegmentId& origin) { return object_name(origin).key; }

// How many requests the store shows that are not on record.
Result<std::int64_t> count_unheard(Transaction& transaction, const SeenOrigins& seen) {
  std::int64_t unheard = 0;
  for (auto origin = seen.begin(); origin != seen.end();) {
    std::map<std::string, std::int64_t> page;
    for (; origin != seen.end() && page.size() < kPage; ++origin) page.emplace(key_of(origin->first), origin->second.highest);
    wire::Json names = wire::Json::array();
    for (const auto& [name, highest] : page) names.push_back(name);
    for (const ports::Row& row : TRY(transaction.run(sql::origins_find, {wire::to_text(names)}))) {
      std::int64_t& left = page.at(row.text(0));
      left = std::max<std::int64_t>(left - row.integer(1), 0);
    }
    for (const auto& [name, left] : page) unheard += left;
  }
  return unheard;
}

std::int64_t& count_of(Ledger& ledger, Ending how) {
  switch (how) {
    case Ending::kDone: return ledger.done;
    case Ending::kCancelled: return ledger.cancelled;
    case Ending::kRemoved: return ledger.removed;
  }
  check(false, "unknown ending");
  return ledger.done;
}

// What is on record and in its segment still has not ended.
Status leave_out_present(Transaction& transaction, const SeenOrigins& seen, Ledger& ledger) {
  wire::Json ids = wire::Json::array();
  const auto ask = [&]() -> Status {
    if (ids.empty()) return done();
    const std::string list = wire::to_text(std::exchange(ids, wire::Json::array()));
    for (const ports::Row& row : TRY(transaction.run(sql::ended_how, {list}))) {
      for (const Ending how : {Ending::kDone, Ending::kCancelled, Ending::kRemoved}) {
        if (row.text(0) == name_of(how)) --count_of(ledger, how);
      }
    }
    return done();
  };
  for (const auto& [origin, there] : seen) {
    for (const std::uint16_t ordinal : there.may_have_ended) {
      ids.push_back(text_of(RequestId{.origin = origin, .ordinal = ordinal}));
      if (ids.size() == kPage) TRY(ask());
    }
  }
  return ask();
}

// What the catalogue knows, at one moment.
Status read_books(Transaction& transaction, const SeenOrigins& seen, Ledger& ledger) {
  const ports::Rows sum = TRY(transaction.run(sql::origins_sum, ports::Values{}));
  const ports::Rows ended = TRY(transaction.run(sql::ended_counts, ports::Values{}));
  if (sum.empty() || ended.empty()) return corrupt("the counts of ended requests are missing");
  ledger.enqueued = sum[0].integer(0) + TRY(count_unheard(transaction, seen));
  ledger.done = ended[0].integer(0);
  ledger.cancelled = ended[0].integer(1);
  ledger.removed = ended[0].integer(2);
  return leave_out_present(transaction, seen, ledger);
}

Result<Ledger> balance(const Context& context, const StoreSurvey& survey) {
  const StoreSummary& summary = survey.summary;
  const auto in = [&](QueueType type) { return static_cast<std::int64_t>(summary.in_queues.at(static_cast<std::size_t>(type))); };
  const Ledger there{.queued = in(QueueType::kToTransfer),
                     .with_agents = static_cast<std::int64_t>(summary.with_agents),
                     .moving = static_cast<std::int64_t>(summary.moving),
                     .to_report = in(QueueType::kToReport),
                     .failed = in(QueueType::kFailed)};
  return ports::transact(context.database, ports::Access::kRead, [&](Transaction& transaction) -> Result<Ledger> {
    Ledger ledger = there;
    TRY(read_books(transaction, survey.origins, ledger));
    return ledger;
  });
}

// After the survey of a moment ago, which is the first look.
Result<TakenLedger> take(const Context& context, ports::ObjectStore& store, const StoreSurvey& survey) {
  const Ledger first = TRY(balance(context, survey));
  if (first.unaccounted() == 0) return TakenLedger{first, true};
  const StoreSurvey again = TRY(survey_store(store));
  const Ledger second = TRY(balance(context, again));
  return TakenLedger{second, second == first || second.unaccounted() == 0};
}

// The counts first, as whoever ends requests does: two who wait for each other would have to begin anew.
Status fold(Transaction& transaction, WallTime before, const std::vector<std::string>& names) {
  TRY(transaction.run(sql::ended_kept_lock, ports::Values{}));
  std::int64_t requests = 0;
  for (const ports::Row& row : TRY(transaction.run(sql::origins_remove, {wire::to_text(wire::Json(names)), before.ms}))) {
    requests += row.integer(0);
  }
  if (requests > 0) TRY(transaction.run(sql::origins_fold, {requests}));
  return done();
}

// One page at a time: nobody who writes waits long. Of an origin of which anything is left, its segment or its index is there
// (locate.hpp).
Status fold_all(const Context& context, const SeenOrigins& seen) {
  std::set<std::string> there;
  for (const auto& [origin, what] : seen) there.insert(key_of(origin));
  const WallTime before = context.wall - kFoldedAfter;
  std::string after;
  for (;;) {
    const ports::Rows rows = TRY(context.database.run(sql::origins_old, {before.ms, after, static_cast<std::int64_t>(kPage)}));
    std::vector<std::string> over;
    for (const ports::Row& row : rows) {
      after = row.text(0);
      if (!there.contains(after)) over.push_back(after);
    }
    const auto page = [&](Transaction& transaction) { return fold(transaction, before, over); };
    if (!over.empty()) TRY(ports::transact(context.database, ports::Access::kWrite, page));
    if (rows.size() < kPage) return done();
  }
}

}  // namespace

std::vector<std::pair<std::string_view, std::int64_t>> Ledger::places() const {
  return {{"queued", queued}, {"with_agents", with_agents}, {"moving", moving},  {"to_report", to_report}, {"failed", failed},
          {"done", done},     {"cancelled", cancelled},     {"removed", removed}};
}

std::int64_t Ledger::unaccounted() const {
  std::int64_t left = enqueued;
  for (const auto& [place, requests] : places()) left -= requests;
  return left;
}

Result<TakenLedger> take_ledger(const Context& context, ports::ObjectStore& store) {
  const StoreSurvey survey = TRY(survey_store(store));
  return take(context, store, survey);
}

Result<TakenLedger> keep_ledger(const Context& context, ports::ObjectStore& store) {
  const StoreSurvey survey = TRY(survey_store(store));
  if (survey.is_whole) TRY(fold_all(context, survey.origins));
  return take(context, store, survey);
}

void raise(Origins& highest, const RequestId& id) {
  std::uint32_t& raised = highest[id.origin];
  raised = std::max(raised, id.ordinal);
}

Status raise_origins(Transaction& transaction, WallTime wall, const Origins& highest) {
  if (highest.empty()) return done();
  wire::Json list = wire::Json::array();
  for (const auto& [origin, requests] : highest) list.push_back({{"name", key_of(origin)}, {"requests", requests}});
  TRY(transaction.run(sql::origins_raise, {wire::to_text(list), wall.ms}));
  return done();
}

}  // namespace reclaim::archive
