// An object store in a swarm: calls that are refused, calls of which nobody hears, writes that arrive when nobody expects them, processes
// that die at a call, each as the run's faults say.
//
// A write whose answer its caller has given up may arrive late: some calls later, or when deliver_late() is called. It is guarded as it
// was when it was made. A death leaves each call of the batch done or not. It is thrown as Crash (crash.hpp). One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "ports/object_store.hpp"
#include "sim/swarm.hpp"
#include "sim/unreliable_database.hpp"

namespace reclaim::sim {

class UnreliableStore : public ports::ObjectStore {
 public:
  // Late calls go to `raw`, as nobody waits for them.
  UnreliableStore(ports::ObjectStore& inner, ports::ObjectStore& raw, Faults& faults, Dice& dice, Tell tell)
      : inner_(inner), raw_(raw), faults_(faults), dice_(dice), tell_(std::move(tell)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

  // At most so many of those that are under way. What came of each.
  std::vector<std::string> deliver_late(std::size_t most);

 private:
  enum class Fate { kPlain, kAway, kSilent, kLate };
  Fate fate_of(const ports::StoreCall& call);
  void die(std::span<const ports::StoreCall> calls);

  ports::ObjectStore& inner_;
  ports::ObjectStore& raw_;
  Faults& faults_;
  Dice& dice_;
  Tell tell_;
  std::vector<ports::StoreCall> late_;
};

}  // namespace reclaim::sim
