#include "archive/store_check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "agents/agent_id.hpp"
#include "archive/store_facts.hpp"
#include "archive/store_list.hpp"
#include "archive/store_rules.hpp"

namespace reclaim::archive {
namespace {

using ports::ObjectName;
using ports::ObjectStore;

constexpr std::size_t kBatch = 16;  // objects in memory at once: up to 16 MiB each
constexpr int kLooksMax = 5;        // at objects that change under our eyes

using Versions = std::map<ObjectName, std::optional<ports::Version>>;

// What is there of these, into the facts.
Status read_into(ObjectStore& store, std::span<const ObjectName> names, Facts& facts, Versions* versions) {
  for (std::size_t from = 0; from < names.size(); from += kBatch) {
    std::vector<ports::StoreCall> calls;
    for (const ObjectName& name : names.subspan(from, std::min(kBatch, names.size() - from))) calls.push_back(ports::read_call(name));
    const std::vector<ports::StoreAnswer> answers = store.run(calls);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const ports::StoreAnswer& answer = answers[i];
      const bool is_absent = !answer.ok() && answer.error().kind == Error::Kind::kNotFound;
      const bool is_corrupt = !answer.ok() && answer.error().kind == Error::Kind::kCorrupt;
      if (!answer.ok() && !is_absent && !is_corrupt) return answer.error();
      if (answer.ok()) facts.add(calls[i].name, answer.value());
      if (is_corrupt) facts.unreadable.insert_or_assign(calls[i].name, answer.error().message);
      if (versions != nullptr) (*versions)[calls[i].name] = answer.ok() ? std::optional(answer.value().version) : std::nullopt;
    }
  }
  return done();
}

Status read_kind(ObjectStore& store, const std::string& kind, Facts& facts) {
  std::string after;
  for (;;) {
    const std::vector<std::string> keys = TRY(store.list(kind, after, ports::kStoreListMax));
    std::vector<ObjectName> names;
    names.reserve(keys.size());
    for (const std::string& key : keys) names.push_back({kind, key});
    TRY(read_into(store, names, facts, nullptr));
    if (keys.size() < ports::kStoreListMax) return done();
    after = keys.back();
  }
}

// The agents too, where one of these is a child of a split: it may be in the hands of any of them.
Result<std::vector<ObjectName>> all_neighbours(ObjectStore& store, const Facts& facts, const Finding& finding) {
  std::vector<ObjectName> names = neighbours(facts, finding);
  if (finding.kind != Finding::Kind::kStranded || finding.objects.size() < 3) return names;
  for (const std::string& key : TRY(store.list_all(std::string(agents::kAgentKind))))
    names.push_back({std::string(agents::kAgentKind), key});
  return names;
}

// All that the finding involves, as it was at one moment; nothing, if it changes too often to be seen so.
Result<std::optional<Facts>> settled(ObjectStore& store, const Finding& finding) {
  for (int look = 0; look < kLooksMax; ++look) {
    Facts facts;
    Versions first;
    for (;;) {
      std::vector<ObjectName> unread;
      for (const ObjectName& name : TRY(all_neighbours(store, facts, finding))) {
        if (!first.contains(name) && std::ranges::find(unread, name) == unread.end()) unread.push_back(name);
      }
      if (unread.empty()) break;
      TRY(read_into(store, unread, facts, &first));
    }
    std::vector<ObjectName> names;
    for (const auto& [name, version] : first) names.push_back(name);
    Facts again;
    Versions second;
    TRY(read_into(store, names, again, &second));
    if (first == second) return std::optional(std::move(facts));
  }
  return std::optional<Facts>();
}

StoreSummary summarize(const Facts& facts) {
  StoreSummary summary{
      .queues = facts.queues.size(), .segments = facts.segments.size(), .indexes = facts.indexes.size(), .agents = facts.agents.size()};
  for (const auto& [id, segment] : facts.segments) {
    if (!segment.forwarded.empty() && !segment.owner) ++summary.forwarding_only;
    if (!is_live(facts, id)) continue;
    const std::uint64_t requests = segment.ordinals.size();
    if (const auto* queue = std::get_if<QueueId>(&*segment.owner)) summary.in_queues.at(static_cast<std::size_t>(queue->type)) += requests;
    if (std::holds_alternative<agents::AgentId>(*segment.owner)) summary.with_agents += requests;
    if (std::holds_alternative<SegmentId>(*segment.owner)) summary.moving += requests;
    summary.queued += segment.states.queued;
    summary.transferred += segment.states.transferred;
    summary.failed += segment.states.failed;
  }
  return summary;
}

StoreSurvey survey_of(const Facts& facts) {
  StoreSurvey survey{.summary = summarize(facts), .is_whole = facts.unreadable.empty() && facts.damaged.empty()};
  for (const auto& [id, segment] : facts.segments) {
    StoreSurvey::Origin& origin = survey.origins[segment.origin];
    if (!is_live(facts, id)) continue;
    for (const std::uint16_t ordinal : segment.ordinals) origin.highest = std::max(origin.highest, ordinal);
    origin.may_have_ended.insert(origin.may_have_ended.end(), segment.may_have_ended.begin(), segment.may_have_ended.end());
  }
  for (const auto& [origin, index] : facts.indexes) survey.origins[origin];
  return survey;
}

Result<Facts> read_all(ObjectStore& store) {
  Facts facts;
  for (const std::string_view kind : kStoreKinds) TRY(read_kind(store, std::string(kind), facts));
  return facts;
}

// Two pointers of one queue to one segment are one suspicion.
bool is_same(const Finding& left, const Finding& right) { return left.kind == right.kind && left.objects == right.objects; }

// Looks at each suspicion again, up to kFindingsMax of them.
Status confirm(ObjectStore& store, std::span<const Finding> suspicions, StoreReport& report) {
  for (const Finding& suspicion : suspicions.first(std::min(suspicions.size(), kFindingsMax))) {
    const std::optional<Facts> facts = TRY(settled(store, suspicion));
    std::optional<Finding> finding = facts ? judge_again(*facts, suspicion) : std::nullopt;
    if (!facts) ++report.unsettled;
    if (finding) report.findings.push_back(std::move(*finding));
  }
  report.more += suspicions.size() - std::min(suspicions.size(), kFindingsMax);
  return done();
}

}  // namespace

std::string_view name_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kUnreadable: return "unreadable";
    case Finding::Kind::kNoOwner: return "no-owner";
    case Finding::Kind::kStranded: return "stranded";
    case Finding::Kind::kUnlisted: return "unlisted";
    case Finding::Kind::kMisplaced: return "misplaced";
    case Finding::Kind::kTwice: return "twice";
    case Finding::Kind::kLost: return "lost";
    case Finding::Kind::kGarbageChild: return "garbage-child";
    case Finding::Kind::kDeadPointer: return "dead-pointer";
    case Finding::Kind::kDanglingRecord: return "dangling-record";
    case Finding::Kind::kEmptySegment: return "empty-segment";
    case Finding::Kind::kDeadReservation: return "dead-reservation";
    case Finding::Kind::kDeadMount: return "dead-mount";
    case Finding::Kind::kDamaged: return "damaged";
  }
  return "";
}

std::string_view invariant_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kUnreadable:
    case Finding::Kind::kLost: return "A2";
    case Finding::Kind::kNoOwner:
    case Finding::Kind::kStranded:
    case Finding::Kind::kUnlisted:
    case Finding::Kind::kMisplaced:
    case Finding::Kind::kTwice: return "A1";
    case Finding::Kind::kGarbageChild:
    case Finding::Kind::kDeadPointer:
    case Finding::Kind::kDanglingRecord:
    case Finding::Kind::kEmptySegment:
    case Finding::Kind::kDeadReservation:
    case Finding::Kind::kDeadMount:
    case Finding::Kind::kDamaged: return "";
  }
  return "";
}

bool is_leftover(Finding::Kind kind) { return invariant_of(kind).empty(); }

Result<StoreReport> check_store(ObjectStore& store) {
  Facts facts = TRY(read_all(store));
  StoreReport report{.summary = summarize(facts)};
  std::vector<Finding> suspicions = judge(facts);
  facts = {};
  suspicions.erase(std::unique(suspicions.begin(), suspicions.end(), is_same), suspicions.end());
  const auto leftovers =
      std::stable_partition(suspicions.begin(), suspicions.end(), [](const Finding& each) { return !is_leftover(each.kind); });
  const auto broken = static_cast<std::size_t>(leftovers - suspicions.begin());
  const std::span<const Finding> all(suspicions);
  TRY(confirm(store, all.first(broken), report));
  TRY(confirm(store, all.subspan(broken), report));
  return report;
}

Result<StoreSurvey> survey_store(ObjectStore& store) {
  const Facts facts = TRY(read_all(store));
  return survey_of(facts);
}

}  // namespace reclaim::archive
