// A database in a swarm: calls that are refused, commits of which nobody hears, a disk that is full for a while, a process that dies at a
// call, each as the run's faults say. Which of them strikes is told in words.
//
// A death is thrown as Crash (crash.hpp). One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/database.hpp"
#include "sim/swarm.hpp"

namespace reclaim::sim {

using Tell = std::function<void(const std::string& what)>;

class UnreliableDatabase : public ports::Database {
 public:
  UnreliableDatabase(ports::Database& inner, Faults& faults, Dice& dice, Tell tell)
      : inner_(inner), faults_(faults), dice_(dice), tell_(std::move(tell)) {}

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override;
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override;
  using ports::Database::run;

 private:
  class Turn;

  // What hinders a call before it happens.
  Status hindered(const std::string& call);
  bool is_full();
  void die(const std::string& call, const char* when);

  ports::Database& inner_;
  Faults& faults_;
  Dice& dice_;
  Tell tell_;
  std::size_t full_for_ = 0;  // writes
};

}  // namespace reclaim::sim
