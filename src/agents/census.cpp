#include "agents/census.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "agents/records.hpp"

namespace reclaim::agents {
namespace {

constexpr std::size_t kAgentsAtOnce = 64;  // each may have a list of two megabytes

Result<std::vector<AgentId>> ids_of(ports::ObjectStore& store, std::string_view kind) {
  std::vector<AgentId> ids;
  for (const std::string& key : TRY(store.list_all(std::string(kind)))) {
    Result<AgentId> id = parse_agent_key(key);
    if (id.ok()) ids.push_back(std::move(id).value());
  }
  return ids;
}

// Reads some at a time; `take` gets those that are there, also where the store cannot read what it keeps of one.
template <class Take>
Status read_each(ports::ObjectStore& store, const std::vector<ports::ObjectName>& names, std::size_t at_once, Take take) {
  for (std::size_t at = 0; at < names.size(); at += at_once) {
    std::vector<ports::StoreCall> calls;
    for (std::size_t i = at; i < std::min(at + at_once, names.size()); ++i) calls.push_back(ports::read_call(names[i]));
    std::vector<ports::StoreAnswer> answers = store.run(calls);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].ok() && answers[i].error().kind == Error::Kind::kNotFound) continue;
      if (!answers[i].ok() && answers[i].error().kind != Error::Kind::kCorrupt) return answers[i].error();
      take(at + i, answers[i]);
    }
  }
  return done();
}

Beat beat_of(const AgentId& id, const ports::StoreAnswer& object) {
  if (!object.ok()) return {};
  const Result<stored::Beat> read = decode_beat(id, object.value().bytes);
  if (!read.ok()) return {.version = object.value().version};
  const stored::Beat& beat = read.value();
  return {.alive = beat.alive(),
          .progress = beat.progress(),
          .limit = Millis(static_cast<std::int64_t>(beat.limit_ms())),
          .version = object.value().version};
}

Listed listed(const AgentId& id, const ports::StoreAnswer& object) {
  if (!object.ok()) return {.id = id, .unreadable = object.error().message};
  const Result<stored::Agent> read = decode_agent(id, object.value().bytes);
  if (!read.ok()) return {.id = id, .unreadable = read.error().message};
  Listed listed{.id = id, .kind = read.value().kind(), .owned = owned_by(read.value())};
  if (!read.value().collector().empty()) listed.collector = parse_agent(read.value().collector()).value();
  return listed;
}

}  // namespace

// Beats are listed before agents, and made before them: a beat whose agent is not there yet is not taken for an agent without a beat.
Result<std::vector<Sighting>> look(ports::ObjectStore& store) {
  std::map<AgentId, bool> has_object;
  for (AgentId& id : TRY(ids_of(store, kBeatKind))) has_object.emplace(std::move(id), false);
  for (AgentId& id : TRY(ids_of(store, kAgentKind))) has_object.insert_or_assign(std::move(id), true);
  std::vector<Sighting> sightings;
  std::vector<ports::ObjectName> beats;
  for (const auto& [id, has] : has_object) {
    sightings.push_back({.id = id, .has_object = has});
    beats.push_back(id.beat());
  }
  TRY(read_each(store, beats, ports::kStoreBatchMax,
                [&](std::size_t i, const ports::StoreAnswer& object) { sightings[i].beat = beat_of(sightings[i].id, object); }));
  std::erase_if(sightings, [](const Sighting& sighting) { return !sighting.has_object && !sighting.beat; });
  return sightings;
}

Result<std::vector<Listed>> list_agents(ports::ObjectStore& store) {
  const std::vector<AgentId> ids = TRY(ids_of(store, kAgentKind));
  std::vector<ports::ObjectName> names;
  names.reserve(ids.size());
  for (const AgentId& id : ids) names.push_back(id.object());
  std::vector<Listed> all;
  TRY(read_each(store, names, kAgentsAtOnce,
                [&](std::size_t i, const ports::StoreAnswer& object) { all.push_back(listed(ids[i], object)); }));
  return all;
}

}  // namespace reclaim::agents
