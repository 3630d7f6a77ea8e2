// A simulated control plane: one server after the other on one database, its clocks, and what the clients know (fleet_truth.hpp).
//
// The server dies with a Crash in any of its calls and comes back some steps later as another holder of the claim. Service time is kept by
// the product (agents/service_clock.hpp) from clocks that leap.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/service_clock.hpp"
#include "sim/crash.hpp"
#include "sim/fleet_truth.hpp"
#include "sim/fleet_world.hpp"
#include "sim/memory_database.hpp"
#include "sim/swarm.hpp"
#include "sim/unreliable_database.hpp"

namespace reclaim::sim {

class FleetScene {
 public:
  explicit FleetScene(Run& the_run);
  FleetScene(const FleetScene&) = delete;
  FleetScene& operator=(const FleetScene&) = delete;

  void say(const std::string& who, const std::string& what);
  // Time goes on; the server looks at its clocks. A step is at most one gap of service time.
  void pass(Millis by);
  // Asks the server. kUnavailable where it is away, or dies of it.
  template <class Call>
  auto ask(const std::string& actor, Call&& call) -> decltype(call(std::declval<const fleet::Context&>())) {
    if (!server_) return unavailable("the server is away");
    try {
      auto answer = call(world.context(actor));
      tell_decisions();
      return answer;
    } catch (const Crash&) {
      tell_decisions();
      die();
      return unavailable("the server died");
    }
  }
  void run_pass(const fleet::Collector& collector);
  void take_copy();
  // The server stops, the database becomes its copy, and the next server begins a lineage.
  void restore();
  void start_server();
  bool is_serving() const { return server_ != nullptr; }

  // What is so, past all faults.
  fleet::Context plainly() const { return {database, policy(), world.context().moment, "sim"}; }
  std::vector<fleet::Resource> rows(const std::string& worker, ResourceKind kind, std::optional<fleet::ResourceState> state = {}) const;
  std::int64_t unaccounted() const;
  const fleet::Policy& policy() const { return policy_; }

  Run& run;
  Faults faults;
  mutable MemoryDatabase database;
  UnreliableDatabase unreliable;
  fleet::Policy policy_;
  FleetWorld world;
  FleetTruth truth;
  std::size_t step = 0;
  std::size_t restores = 0;
  std::int64_t copied_ms = 0;

 private:
  struct Server {
    Server(ports::Database& database, const std::string& holder)
        : claimant(database, "fleet", holder, Millis(0)), clock(database, claimant) {}
    agents::Claimant claimant;
    agents::ServiceClock clock;
  };
  void die();
  Status tick();
  void tell_the_time();
  // What the audit trail says since it was last told.
  void tell_decisions();
  void note(const audit::Event& event);

  std::unique_ptr<Server> server_;
  std::size_t back_at_ = 0;
  int servers_ = 0;
  std::int64_t told_ = 0;         // of the audit trail
  std::int64_t copied_told_ = 0;  // of the copy's
  std::int64_t monotonic_ms_ = 1'000'000;
  std::int64_t wall_ms_ = 1'800'000'000'000;
};

}  // namespace reclaim::sim
