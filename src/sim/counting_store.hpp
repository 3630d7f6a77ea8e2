// What a use case costs, as the object store sees it, and which calls it made: a decorator that counts.
//
// Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::sim {

struct StoreCost {
  std::map<std::string, std::int64_t> calls;  // by what was called, on which kind, and how it ended: `replace queue conflict`
  std::int64_t batches = 0;                   // round trips; a list is one too
  std::int64_t bytes_written = 0;             // of creates and replaces that were done
  std::int64_t bytes_read = 0;

  // All calls that begin so: `replace queue`. Without a beginning, all.
  std::int64_t count(std::string_view beginning = "") const;
};

class CountingStore : public ports::ObjectStore {
 public:
  explicit CountingStore(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

  StoreCost cost() const;
  // What was counted so far; counting begins anew.
  StoreCost take();

 private:
  ports::ObjectStore& inner_;
  mutable std::mutex mutex_;  // of the cost
  StoreCost cost_;
};

}  // namespace reclaim::sim
