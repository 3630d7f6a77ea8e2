#include "agents/takeover.hpp"

#include <algorithm>
#include <utility>

#include "agents/census.hpp"
#include "agents/records.hpp"

namespace reclaim::agents {
namespace {

constexpr std::size_t kSlice = 64;  // objects of a dead agent in memory at once
constexpr std::size_t kProblemsMax = 100;

bool is(const Status& status, Error::Kind kind) { return !status.ok() && status.error().kind == kind; }

bool is_refusal(const Error& error) { return error.kind == Error::Kind::kConflict || error.kind == Error::Kind::kNotFound; }

bool is_dead(Life life) {
  switch (life) {
    case Life::kSilent:
    case Life::kStuck:
    case Life::kBeatless: return true;
    case Life::kAlive:
    case Life::kLeftover: return false;
  }
  return false;
}

}  // namespace

Result<TakeoverReport> Takeover::run(Instant now, std::size_t budget) {
  TRY(self_.heart().check());
  report_ = {};
  budget_ = budget;
  const Result<std::vector<Sighting>> sightings = look(store_);
  if (!sightings.ok()) {
    watcher_.missed();
    return sightings.error();
  }
  judgements_ = watcher_.judge(now, sightings.value());
  for (const Judgement& judgement : due()) {
    if (budget_ == 0) report_.more = true;
    if (budget_ == 0) break;
    const Status attended = attend(judgement);
    if (is(attended, Error::Kind::kFenced)) return attended.error();
    if (!attended.ok()) problem(judgement.seen.id, attended.error());
  }
  const Status flushed = self_.flush();
  if (is(flushed, Error::Kind::kFenced)) return flushed.error();
  if (!flushed.ok()) problem(self_.id(), flushed.error());
  return std::move(report_);
}

// The dead and the leftovers, and whatever is on one's own list: collections that were begun.
std::vector<Judgement> Takeover::due() const {
  std::vector<Judgement> due;
  std::set<ports::ObjectName> begun;
  for (const ports::ObjectName& name : self_.owned()) {
    if (name.kind == kAgentKind) begun.insert(name);
  }
  for (const Judgement& judgement : judgements_) {
    const bool is_begun = begun.erase(judgement.seen.id.object()) > 0;
    if (is_begun || is_dead(judgement.life) || judgement.life == Life::kLeftover) due.push_back(judgement);
  }
  for (const ports::ObjectName& name : begun) due.push_back({.seen = {.id = parse_agent_key(name.key).value()}});
  return due;
}

Status Takeover::attend(const Judgement& judgement) {
  if (judgement.life == Life::kLeftover) return remove_leftover(judgement);
  std::optional<Taken> taken = TRY(take(judgement));
  if (taken) TRY(settle(std::move(*taken)));
  return done();
}

Status Takeover::remove_leftover(const Judgement& judgement) {
  if (TRY(remove_beat(judgement))) ++report_.leftovers;
  return done();
}

// False: it has beaten since it was judged.
Result<bool> Takeover::remove_beat(const Judgement& judgement) {
  if (!judgement.seen.beat) return true;
  const Status removed = store_.remove(judgement.seen.id.beat(), judgement.seen.beat->version);
  if (removed.ok() || is(removed, Error::Kind::kNotFound)) return true;
  if (is(removed, Error::Kind::kConflict)) return false;
  return removed.error();
}

// Nothing: it lives, has left, or is another's. What is certain is let go; after a refusal, which one's own earlier call may have caused
// by arriving late, and after an error, the name stays on one's own list and the next pass goes on from there.
Result<std::optional<Takeover::Taken>> Takeover::take(const Judgement& judgement) {
  const AgentId& id = judgement.seen.id;
  const Result<ports::Object> object = store_.read(id.object());
  if (!object.ok() && object.error().kind == Error::Kind::kNotFound) return let_go(id);
  if (!object.ok()) return object.error();
  stored::Agent record = TRY(decode_agent(id, object.value().bytes));
  Taken taken{.id = id, .record = std::move(record), .version = object.value().version};
  if (is_collecting(taken.record.collector())) return std::optional<Taken>{};  // inherited from there, with a write that may be under way
  if (!TRY(is_due_to_self(judgement, taken.record))) return let_go(id);
  const bool is_taken = taken.record.collector() == self_.id().str();
  if (is_taken && self_.owned().contains(id.object())) return std::optional(std::move(taken));
  TRY(self_.own(std::vector{id.object()}));
  if (is_taken) return std::optional(std::move(taken));
  if (!TRY(remove_beat(judgement))) return let_go(id);
  taken.record.set_collector(self_.id().str());
  const Result<ports::Version> written = store_.replace(id.object(), taken.version, encode(id, taken.record));
  if (!written.ok() && is_refusal(written.error())) return std::optional<Taken>{};
  if (!written.ok()) return written.error();
  taken.version = written.value();
  ++report_.taken;
  return std::optional(std::move(taken));
}

bool Takeover::is_collecting(const std::string& agent) const {
  return !agent.empty() && self_.owned().contains(parse_agent(agent).value().object());
}

std::optional<Takeover::Taken> Takeover::let_go(const AgentId& id) {
  self_.release(std::vector{id.object()});
  return std::nullopt;
}

// An agent in whose object somebody else stands is his as long as he exists; when he dies, whoever collects him inherits it.
Result<bool> Takeover::is_due_to_self(const Judgement& judgement, const stored::Agent& record) {
  if (record.collector() == self_.id().str()) return true;
  if (!is_dead(judgement.life)) return false;
  if (record.collector().empty()) return true;
  const Result<ports::Object> holder = store_.read(parse_agent(record.collector()).value().object());
  if (holder.ok()) return false;
  if (holder.error().kind == Error::Kind::kNotFound) return true;
  return holder.error();
}

// The list is written once, at the end: a crash before it settles again what is settled, which the estate bears.
Status Takeover::settle(Taken taken) {
  const std::vector<ports::ObjectName> names = owned_by(taken.record);
  std::set<ports::ObjectName> left(names.begin(), names.end());
  for (std::size_t at = 0; at < names.size() && budget_ > 0;) {
    const std::size_t count = std::min({kSlice, names.size() - at, budget_});
    TRY(self_.heart().check());
    TRY(settle_slice(taken, std::span(names).subspan(at, count), left));
    at += count;
  }
  if (left.empty()) return bury(taken);
  if (budget_ == 0) report_.more = true;
  if (left.size() == names.size()) return done();
  set_owned(taken.record, left);
  TRY(store_.replace(taken.id.object(), taken.version, encode(taken.id, taken.record)));
  return done();
}

// Everything is read first, and then that the dead agent is still one's own: if another collector comes after that, he rewrites what was
// read here, and what is written here is refused.
Status Takeover::settle_slice(const Taken& taken, std::span<const ports::ObjectName> names, std::set<ports::ObjectName>& left) {
  std::vector<Bequest> things = read_slice(taken.id, names);
  if (TRY(store_.read(taken.id.object())).version != taken.version) return conflict("another collector goes on with it");
  const auto is_thing = [](const Bequest& bequest) { return bequest.name.kind != kAgentKind; };
  const auto agents = std::stable_partition(things.begin(), things.end(), is_thing);
  for (auto agent = agents; agent != things.end(); ++agent) TRY(settled(taken.id, agent->name, inherit(taken.id, *agent), left));
  things.erase(agents, things.end());
  const std::vector<Status> statuses = things.empty() ? std::vector<Status>() : estate_.settle(taken.id, things);
  check(statuses.size() == things.size(), "one answer for each bequest");
  for (std::size_t i = 0; i < statuses.size(); ++i) TRY(settled(taken.id, things[i].name, statuses[i], left));
  return done();
}

Status Takeover::settled(const AgentId& dead, const ports::ObjectName& name, const Status& status, std::set<ports::ObjectName>& left) {
  if (is(status, Error::Kind::kFenced)) return status;
  if (!status.ok()) {
    problem(dead, status.error());
    return done();
  }
  left.erase(name);
  ++report_.settled;
  if (budget_ > 0) --budget_;
  return done();
}

// What cannot be read now is left out, and stays on the list.
std::vector<Bequest> Takeover::read_slice(const AgentId& dead, std::span<const ports::ObjectName> names) {
  std::vector<ports::StoreCall> calls;
  calls.reserve(names.size());
  for (const ports::ObjectName& name : names) calls.push_back(ports::read_call(name));
  std::vector<ports::StoreAnswer> answers = store_.run(calls);
  std::vector<Bequest> bequests;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].ok()) {
      bequests.push_back({.name = names[i], .object = std::move(answers[i]).value()});
    } else if (answers[i].error().kind == Error::Kind::kNotFound) {
      bequests.push_back({.name = names[i], .object = std::nullopt});
    } else {
      problem(dead, answers[i].error());
    }
  }
  return bequests;
}

// An agent that the dead one had recorded to collect it. Its object is rewritten in any case, so that the dead one, if it is only paused,
// does not write itself into it when it wakes. A living agent bears that.
Status Takeover::inherit(const AgentId& dead, const Bequest& agent) {
  if (!agent.object) return done();
  const AgentId id = TRY(parse_agent_key(agent.name.key));
  stored::Agent record = TRY(decode_agent(id, agent.object->bytes));
  const bool is_begun = record.collector() == dead.str();
  if (is_begun) TRY(self_.own(std::vector{agent.name}));
  if (is_begun) record.set_collector(self_.id().str());
  TRY(store_.replace(agent.name, agent.object->version, encode(id, record)));
  if (is_begun) ++report_.taken;
  return done();
}

Status Takeover::bury(const Taken& taken) {
  Status removed = store_.remove(taken.id.object(), taken.version);
  if (!removed.ok() && !is(removed, Error::Kind::kNotFound)) return removed;
  ++report_.collected;
  let_go(taken.id);
  return done();
}

void Takeover::problem(const AgentId& id, const Error& error) {
  if (report_.problems.size() < kProblemsMax) report_.problems.push_back(id.str() + ": " + error.message);
}

}  // namespace reclaim::agents
