// A bounded set of connections, lent out in the order of asking, each to one borrower at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/time.hpp"

namespace reclaim::sql {

// Any thread. The pool outlives what it lends.
template <class Connection>
class Pool {
 public:
  struct GiveBack {
    Pool* pool;
    void operator()(Connection* connection) const { pool->give_back(connection); }
  };
  using Lease = std::unique_ptr<Connection, GiveBack>;

  void add(std::unique_ptr<Connection> connection) {
    free_.push_back(connection.get());
    all_.push_back(std::move(connection));
  }
  bool empty() const { return all_.empty(); }

  // Null when none came free within `patience`.
  Lease take(Millis patience) {
    std::unique_lock lock(mutex_);
    if (!free_.empty()) {
      Connection* connection = free_.back();
      free_.pop_back();
      return Lease(connection, GiveBack{this});
    }
    Waiter waiter;
    waiting_.push_back(&waiter);
    waiter.served.wait_for(lock, patience, [&] { return waiter.connection != nullptr; });
    if (waiter.connection == nullptr) std::erase(waiting_, &waiter);
    return Lease(waiter.connection, GiveBack{this});
  }

 private:
  struct Waiter {
    Connection* connection = nullptr;
    std::condition_variable served;
  };

  // Handed to who waits longest: a borrower that comes back at once does not overtake it.
  void give_back(Connection* connection) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      free_.push_back(connection);
      return;
    }
    waiting_.front()->connection = connection;
    waiting_.front()->served.notify_one();
    waiting_.pop_front();
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> all_;  // fixed before the first take()
  std::vector<Connection*> free_;
  std::deque<Waiter*> waiting_;
};

}  // namespace reclaim::sql
