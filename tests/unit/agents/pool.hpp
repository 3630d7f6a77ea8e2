// Things that agents own and a pool that they come from: the smallest estate that takeover can be tried on.
//
// A thing is `thing/<name>` with its owner in it: the pool, or an agent; and how often a dead owner's was returned to the pool.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/agent.hpp"
#include "agents/records.hpp"
#include "agents/takeover.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::test {

struct Thing {
  std::string owner = "pool";
  bool is_reserved = false;  // counts as nothing: keeps a late creation out
  int returned = 0;

  std::string bytes() const { return owner + (is_reserved ? "!" : "?") + std::to_string(returned); }
};

inline ports::ObjectName thing_name(const std::string& key) { return {"thing", key}; }

inline Thing thing_of(const std::string& bytes) {
  const std::size_t end = bytes.find_first_of("!?");
  return {.owner = bytes.substr(0, end), .is_reserved = bytes[end] == '!', .returned = std::stoi(bytes.substr(end + 1))};
}

class Pool : public agents::Estate {
 public:
  explicit Pool(ports::ObjectStore& store) : store_(store) {}

  std::vector<Status> settle(const agents::AgentId& dead, std::span<const agents::Bequest> bequests) override {
    std::vector<ports::StoreCall> calls;
    for (const agents::Bequest& bequest : bequests) {
      if (!bequest.object) {
        calls.push_back(ports::create_call(bequest.name, Thing{.owner = dead.str(), .is_reserved = true}.bytes()));
      } else {
        calls.push_back(ports::replace_call(bequest.name, bequest.object->version, returned(*bequest.object, dead)));
      }
    }
    std::vector<Status> statuses;
    for (const ports::StoreAnswer& answer : store_.run(calls)) statuses.push_back(answer.ok() ? done() : Status(answer.error()));
    return statuses;
  }

  // What names an agent that does not exist: reservations go, things are returned.
  void sweep() {
    for (const std::string& key : sim::must(store_.list_all("thing"))) {
      const ports::Object object = sim::must(store_.read(thing_name(key)));
      const Thing thing = thing_of(object.bytes);
      const Result<agents::AgentId> owner = agents::parse_agent(thing.owner);
      if (!owner.ok() || store_.read(owner.value().object()).ok()) continue;
      if (thing.is_reserved) {
        sim::must(store_.remove(thing_name(key), object.version));
      } else {
        sim::must(store_.replace(thing_name(key), object.version, returned(object, owner.value())));
      }
    }
  }

 private:
  static std::string returned(const ports::Object& object, const agents::AgentId& dead) {
    Thing thing = thing_of(object.bytes);
    if (thing.owner != dead.str() || thing.is_reserved) return object.bytes;
    return Thing{.owner = "pool", .returned = thing.returned + 1}.bytes();
  }

  ports::ObjectStore& store_;
};

// A process that collects: an agent, its estate, its pass.
struct Collector {
  static constexpr Millis kTimeout{900};

  Collector(ports::ObjectStore& the_store, const std::string& name)
      : store(the_store),
        pool(the_store),
        agent(sim::must(agents::Agent::register_as(the_store, name, "maintenance"))),
        takeover(the_store, *agent, pool, kTimeout) {}

  // One beat and one pass; a third of the timeout goes by.
  Result<agents::TakeoverReport> pass(Instant& now, std::size_t budget = 1000) {
    now = now + kTimeout / 3;
    TRY(agent->heart().beat());
    return takeover.run(now, budget);
  }

  ports::ObjectStore& store;
  Pool pool;
  std::unique_ptr<agents::Agent> agent;
  agents::Takeover takeover;
};

inline std::map<std::string, std::string> everything_in(ports::ObjectStore& store) {
  std::map<std::string, std::string> all;
  for (const char* kind : {"agent", "beat", "root", "thing"}) {
    for (const std::string& key : sim::must(store.list_all(kind))) {
      const ports::ObjectName name{kind, key};
      const ports::Object object = sim::must(store.read(name));
      all[name.str()] = std::to_string(object.version.number) + ' ' + object.bytes;
    }
  }
  return all;
}

inline std::optional<Thing> find_thing(ports::ObjectStore& store, const std::string& key) {
  const Result<ports::Object> object = store.read(thing_name(key));
  return object.ok() ? std::optional(thing_of(object.value().bytes)) : std::nullopt;
}

}  // namespace reclaim::test
