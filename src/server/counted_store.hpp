// A store whose calls are counted, by what they were and what became of them.
//
// Who may call: any thread. Everything else is the store's own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::server {

// By operation (create, read, replace, remove, list) and result (ok, or the name of the error's kind).
using StoreCalls = std::map<std::pair<std::string, std::string>, std::uint64_t>;

class CountedStore final : public ports::ObjectStore {
 public:
  explicit CountedStore(std::unique_ptr<ports::ObjectStore> store) : store_(std::move(store)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

  StoreCalls calls() const;

 private:
  const std::unique_ptr<ports::ObjectStore> store_;
  mutable std::mutex mutex_;  // of the counts
  StoreCalls calls_;
};

}  // namespace reclaim::server
