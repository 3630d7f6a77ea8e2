// An object store in which somebody else acts once, before the call with that number, counted from 0; a batch is one call.
//
// One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::test {

class InterruptedStore : public ports::ObjectStore {
 public:
  InterruptedStore(ports::ObjectStore& inner, int at, std::function<void()> act) : inner_(inner), at_(at), act_(std::move(act)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    arrive();
    return inner_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    arrive();
    return inner_.list(kind, after, limit);
  }
  bool has_happened() const { return calls_ > at_; }

 private:
  void arrive() {
    if (calls_++ == at_) act_();
  }

  ports::ObjectStore& inner_;
  int at_;
  std::function<void()> act_;
  int calls_ = 0;
};

}  // namespace reclaim::test
