// A worker with many containers, as the frames it sends: full, delta, nothing new, `same`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/teller.hpp"

namespace reclaim::test {

class Reporter {
 public:
  Reporter(sim::FleetWorld& world, const std::string& worker, std::int64_t started = 1) : teller_(world, worker, started) {}

  static std::vector<std::string> handles(std::int64_t count, const std::string& prefix = "c") {
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 1; i <= count; ++i) names.push_back(prefix + std::to_string(i));
    return names;
  }

  // From now on the worker has these, and says so in full.
  wire::SyncRequest full(std::vector<std::string> handles) {
    wire::SyncRequest request = teller_.frame("");
    digest_ = {};
    for (const std::string& handle : handles) digest_.add(handle);
    count_ = static_cast<std::int64_t>(handles.size());
    base_ = request.sequence;
    request.inventories.containers->added = std::move(handles);
    return request;
  }

  wire::SyncRequest delta(std::vector<std::string> added = {}, std::vector<std::string> removed = {}) {
    wire::SyncRequest request = teller_.frame("");
    for (const std::string& handle : added) digest_.add(handle);
    for (const std::string& handle : removed) digest_.remove(handle);
    count_ += static_cast<std::int64_t>(added.size()) - static_cast<std::int64_t>(removed.size());
    request.inventories.containers =
        wire::Inventory{.base = base_, .added = std::move(added), .removed = std::move(removed), .count = count_, .digest = digest_};
    request.inventories.volumes = wire::Inventory{.base = base_};
    base_ = request.sequence;
    return request;
  }

  // What a standing channel sends while nothing happens.
  wire::SyncRequest same() {
    wire::SyncRequest request = teller_.frame("");
    request.inventories = {};
    request.same = true;
    return request;
  }

  wire::SyncAnswer tell(const wire::SyncRequest& request) { return teller_.tell(request); }
  std::int64_t high_water() const { return teller_.high_water; }

 private:
  sim::Teller teller_;
  SetDigest digest_;
  std::int64_t count_ = 0;
  std::int64_t base_ = 0;  // the sequence of the last inventory
};

}  // namespace reclaim::test
