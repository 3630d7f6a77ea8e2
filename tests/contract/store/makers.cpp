// The stores that need no server.
#include <memory>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "contract/store/stores.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {
namespace {

class MemorySubject : public Subject {
 public:
  std::shared_ptr<ports::ObjectStore> open() override { return store_; }

 private:
  std::shared_ptr<ports::ObjectStore> store_ = std::make_shared<objects_memory::MemoryStore>();
};

// Without syncs: no test here cuts the power.
class LmdbSubject : public Subject {
 public:
  std::shared_ptr<ports::ObjectStore> open() override {
    std::shared_ptr<ports::ObjectStore> store = open_.lock();
    if (!store) store = objects_lmdb::open_lmdb({.directory = directory_ / "objects", .fsync = false}).value();
    open_ = store;
    return store;
  }

 private:
  testing_support::TempDirectory directory_;
  std::weak_ptr<ports::ObjectStore> open_;
};

}  // namespace

std::vector<Maker> makers() {
  return {
      {"Memory", []() -> std::unique_ptr<Subject> { return std::make_unique<MemorySubject>(); }},
      {"Lmdb", []() -> std::unique_ptr<Subject> { return std::make_unique<LmdbSubject>(); }},
  };
}

}  // namespace reclaim::test
