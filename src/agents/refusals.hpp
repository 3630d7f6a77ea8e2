// Writes of one agent that the store has refused, until it is known what they were: everyday conflicts, of which an agent that lives makes
// another try or nothing; or late writes, by an agent that was collected, on what others have since then.
//
// A refusal does not say which of the two it is. But a write to the agent's own list or beat that the store accepts proves that nobody had
// collected the agent when it was sent: what was refused before that was everyday, and so was what has been written after all. What is
// left when the agent finds itself collected was late, but for what happens to be refused between its last beat and a pause.
//
// Who may call: any thread. Nobody acts on it; a crash forgets it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::agents {

// Objects by what they are: `agent` the collected one itself, `takeover` agents that it was collecting; all else by the kind of their
// names, unless whoever met the refusal knew better.
using LateWrites = std::map<std::string, std::uint64_t>;

class Refusals {
 public:
  // Orders refusals and proofs.
  using Mark = std::uint64_t;

  void refused(const ports::ObjectName& name, std::string_view what);
  void written(const ports::ObjectName& name);

  // Taken before a proof is sent; when it was accepted, everything up to there was everyday.
  Mark mark() const;
  void proven(Mark until);

  LateWrites left() const;

 private:
  struct Refused {
    std::string what;
    Mark at;
  };

  mutable std::mutex mutex_;  // guards what follows
  Mark next_ = 0;
  std::map<ports::ObjectName, Refused> refused_;  // at most kOwnedMax
};

// A store, as one agent writes to it: the same, and what it refuses is noted.
class NotingStore final : public ports::ObjectStore {
 public:
  NotingStore(ports::ObjectStore& store, Refusals& refusals) : store_(store), refusals_(refusals) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return store_.list(kind, after, limit);
  }

 private:
  ports::ObjectStore& store_;
  Refusals& refusals_;
};

}  // namespace reclaim::agents
