// The stores under test. Another one is a Subject and a line in kMakers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "ports/object_store.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {

// Why it failed; nothing if it did not.
template <class R>
std::optional<Error::Kind> failure(const R& result) {
  return result.ok() ? std::nullopt : std::optional(result.error().kind);
}

// One store, empty at first.
class Subject {
 public:
  virtual ~Subject() = default;
  // A door to it. Two doors that are open at once may be the same one.
  virtual std::shared_ptr<ports::ObjectStore> open() = 0;
};

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

struct Maker {
  const char* name;
  std::unique_ptr<Subject> (*make)();
};

inline const Maker kMakers[] = {
    {"Memory", []() -> std::unique_ptr<Subject> { return std::make_unique<MemorySubject>(); }},
    {"Lmdb", []() -> std::unique_ptr<Subject> { return std::make_unique<LmdbSubject>(); }},
};

inline void PrintTo(const Maker& maker, std::ostream* out) { *out << maker.name; }
inline std::string name_of(const testing::TestParamInfo<Maker>& info) { return info.param.name; }

class StoreContract : public testing::TestWithParam<Maker> {
 protected:
  ports::ObjectStore& store() { return *store_; }
  void reopen() {
    store_.reset();
    store_ = subject_->open();
  }

  std::unique_ptr<Subject> subject_ = GetParam().make();
  std::shared_ptr<ports::ObjectStore> store_ = subject_->open();
};

}  // namespace reclaim::test
