// The object store in memory: what simulation and tests use. It ends with the process.
//
// Beyond the port: a batch is done at once, and version numbers grow store-wide, so that one run's numbers are another's.
// Who may call: any thread. Never kUnavailable, never kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::objects_memory {

class MemoryStore : public ports::ObjectStore {
 public:
  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

 private:
  ports::StoreAnswer apply(const ports::StoreCall& call);

  std::mutex mutex_;  // guards what follows
  std::map<ports::ObjectName, ports::Object> objects_;
  std::uint64_t last_version_ = 0;
};

}  // namespace reclaim::objects_memory
