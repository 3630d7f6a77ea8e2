// The stores under test. Another one is a Subject and a line in a makers.cpp.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "ports/object_store.hpp"

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

struct Maker {
  const char* name;
  std::unique_ptr<Subject> (*make)();
};

// The stores that a program tests; each has its own makers.cpp.
std::vector<Maker> makers();

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
