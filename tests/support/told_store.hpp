// A store that remembers what was asked of it and what it answered, in words: what a test of crashes prints when an invariant is broken.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ports/object_store.hpp"
#include "sim/crash.hpp"

namespace reclaim::testing_support {

// `stopped after call 7 (0 is the first)`
inline std::string in_words(const sim::Fault& fault) {
  const std::string call = " call " + std::to_string(fault.at) + " (0 is the first)";
  switch (fault.outcome) {
    case sim::Outcome::kStopBefore: return "stopped before" + call;
    case sim::Outcome::kStopAfter: return "stopped after" + call;
    case sim::Outcome::kAnswerLost: return "not answered to" + call;
  }
  return "";
}

class ToldStore : public ports::ObjectStore {
 public:
  ToldStore(ports::ObjectStore& inner, std::string who) : inner_(inner), who_(std::move(who)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<std::size_t> lines;
    for (const ports::StoreCall& call : calls) {
      lines.push_back(lines_.size());
      lines_.push_back(who_ + ": " + std::string(name_of(call.op)) + " " + call.name.str() + version_of(call));
    }
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);  // or the end of who calls: then these lines have no answer
    for (std::size_t i = 0; i < answers.size(); ++i) {
      lines_[lines[i]] += answers[i].ok() ? ", done" : ", " + std::string(name_of(answers[i].error().kind));
    }
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    lines_.push_back(who_ + ": list " + kind);
    return inner_.list(kind, after, limit);
  }

  // One call in each line; one without an answer was its caller's last.
  std::string told() const {
    std::string text;
    for (const std::string& line : lines_) text += "  " + line + "\n";
    return text;
  }

 private:
  static std::string version_of(const ports::StoreCall& call) {
    return call.version == ports::Version{} ? "" : " at version " + std::to_string(call.version.number);
  }

  ports::ObjectStore& inner_;
  std::string who_;
  std::vector<std::string> lines_;
};

}  // namespace reclaim::testing_support
