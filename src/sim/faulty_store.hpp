// Crash at every step, for the object store: stops the process before call k, after it, or lets it be applied while its answer is lost.
//
// Every call of a batch counts as one, and so does a list; the Fault may be shared with a FaultyDatabase, which then numbers the calls of
// both. Inside a batch, whose calls promise no order, a stop before or after one call leaves each of the others done or not, as the seed
// says. A lost answer is kUnavailable for that call alone, refused or not; the process lives on with it, and the others are answered.
//
// A stop is thrown as Crash. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ports/object_store.hpp"
#include "sim/crash.hpp"

namespace reclaim::sim {

class FaultyStore : public ports::ObjectStore {
 public:
  FaultyStore(ports::ObjectStore& inner, Fault& fault, std::uint64_t seed = 0) : inner_(inner), fault_(fault), seed_(seed) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

 private:
  // How many calls into the next `count` the fault happens; `count` if it does not.
  std::size_t arrive(std::size_t count);
  [[noreturn]] void stop(std::span<const ports::StoreCall> calls, std::size_t at);

  ports::ObjectStore& inner_;
  Fault& fault_;
  std::uint64_t seed_;
};

}  // namespace reclaim::sim
