// A control plane over any database, at a time that stands still until it is moved, that speaks in words: what tests and simulations
// arrange, and what they ask.
//
// Requires a database of its own. Programmer errors of a test (a use case that should have worked) end the process with the reason.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/events.hpp"
#include "fleet/collectors.hpp"
#include "fleet/context.hpp"
#include "fleet/owners.hpp"
#include "fleet/resources.hpp"
#include "fleet/sync.hpp"
#include "fleet/workers.hpp"
#include "ports/database.hpp"

namespace reclaim::sim {

// The value, or the end of the process with the reason.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) check(false, result.error().message.c_str());
  return std::move(result).value();
}
inline void must(const Status& status) {
  if (!status.ok()) check(false, status.error().message.c_str());
}

class FleetWorld {
 public:
  static constexpr const char* kLineage = "l1";  // of a database that has none yet

  explicit FleetWorld(ports::Database& database, fleet::Policy policy = {});

  fleet::Context context(std::string actor = "test") const;
  ports::Database& database() { return *database_; }
  fleet::Policy& policy() { return policy_; }
  void advance(Millis by);
  // Where somebody else keeps the time.
  void set_moment(const fleet::Moment& moment) { moment_ = moment; }
  // Clocks that began before now are not trusted to have run out (a gap in serving).
  void distrust_clocks() { moment_.trusted_from = moment_.now; }
  // The same world seen through another database port: a decorator over the same one.
  void see_through(ports::Database& database) { database_ = &database; }

  // Arranging. Names as `a`; a worker is enrolled with `existing: destroy` and without keys.
  void enroll(const std::string& worker, fleet::Existing existing = fleet::Existing::kDestroy);
  void own(const std::string& owner, std::optional<Millis> ttl = std::nullopt, bool interruptible = true);
  void release(const std::string& owner, Millis keep = Millis(0));
  void add_container(const std::string& handle, const std::string& owner, const std::string& worker = "w1");
  struct Links {
    std::string owner;
    std::string container;
    std::string parent;
  };
  void add_volume(const std::string& handle, const Links& links, const std::string& worker = "w1");

  // The claim that passes run under; taken over anew by each call of take_claim(), as a restarted server does.
  void take_claim();
  const fleet::Claim& claim() const { return claim_; }
  fleet::PassReport run(std::string_view pass);
  // Every collector once, in order.
  void collect();
  // The same on a database that may fail: what fails is left to the next pass.
  void try_to_collect();

  // `a:created b:destroying`, in order of handles; `missing` is added where it is so: `a:created,missing`.
  std::string containers(const std::string& worker = "w1") const { return describe(ResourceKind::kContainer, worker); }
  std::string volumes(const std::string& worker = "w1") const { return describe(ResourceKind::kVolume, worker); }
  // What came from somewhere and is nowhere (C1).
  std::int64_t unaccounted() const;

  static fleet::ResourceName container(const std::string& handle, const std::string& worker = "w1");
  static fleet::ResourceName volume(const std::string& handle, const std::string& worker = "w1");

 private:
  std::string describe(ResourceKind kind, const std::string& worker) const;

  ports::Database* database_;
  fleet::Policy policy_;
  fleet::Moment moment_{{1'000'000}, {}, {1'800'000'000'000}};
  fleet::Claim claim_{"fleet", "", 0};
  int servers_ = 0;
};

// `pass:mark-orphans: marked w1 c1 created destroying orphan: its owner is released or expired`
std::string in_words(const audit::RecordedEvent& recorded);

}  // namespace reclaim::sim
