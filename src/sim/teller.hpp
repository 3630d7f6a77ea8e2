// A worker reduced to its words: a session that tells what it has, and keeps what it was told. For tests that say every frame.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/fleet_world.hpp"
#include "wire/sync.hpp"

namespace reclaim::sim {

// `a b c` -> {"a", "b", "c"}
std::vector<std::string> words(std::string_view text);
std::string joined(const std::vector<std::string>& words);

class Teller {
 public:
  explicit Teller(FleetWorld& world, std::string worker = "w1", std::int64_t started = 1);

  // A frame with full inventories of both kinds, at the high-water mark heard so far.
  wire::SyncRequest frame(std::string_view containers, std::string_view volumes = "");
  // Sends it, and hears the answer: its high-water mark is what the next frame quotes.
  wire::SyncAnswer tell(const wire::SyncRequest& request);
  wire::SyncAnswer tell(std::string_view containers, std::string_view volumes = "") { return tell(frame(containers, volumes)); }
  // Sends it without hearing: for frames that arrive late, twice, or to be refused.
  Result<fleet::SyncOutcome> send(const wire::SyncRequest& request);

  std::int64_t high_water = 0;
  std::int64_t sequence = 0;

 private:
  FleetWorld& world_;
  std::string worker_;
  std::int64_t started_;
};

wire::DestroyResult destroyed(ResourceKind kind, const std::string& handle);
wire::DestroyResult failed(ResourceKind kind, const std::string& handle, const std::string& error);

}  // namespace reclaim::sim
