// A store that cannot read what it keeps of some objects, or not at this moment.
#pragma once

#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::test {

class BlindStore : public ports::ObjectStore {
 public:
  BlindStore(ports::ObjectStore& inner, std::set<ports::ObjectName> unseen, Error::Kind why)
      : inner_(inner), unseen_(std::move(unseen)), why_(why) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!sees && unseen_.contains(calls[i].name)) answers[i] = Error{why_, calls[i].name.str() + " cannot be read"};
    }
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }

  bool sees = false;

 private:
  ports::ObjectStore& inner_;
  std::set<ports::ObjectName> unseen_;
  Error::Kind why_;
};

}  // namespace reclaim::test
