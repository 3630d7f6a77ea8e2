// A server as the gateway sees it: keys of workers, frames that it keeps, answers now or held until the worker's next frame.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/control_door.hpp"
#include "wire/sync.hpp"

namespace reclaim::test {

// What the fake server answers to the frame of that sequence.
inline std::string answer(std::int64_t sequence) {
  return wire::to_json(wire::SyncAnswer{.sequence = sequence, .lineage = "33333333-3333-4333-8333-333333333333", .next_sync_ms = 1000});
}

class FakeDoor : public ports::ControlDoor {
  template <class Do>
  auto locked(Do&& touch) const {
    const std::lock_guard lock(mutex_);
    return touch();
  }

 public:
  ~FakeDoor() override { release_all(); }

  void enroll(const std::string& key, const std::string& worker) {
    locked([&] { workers_[key] = worker; });
  }
  void take_away(const std::string& key) {
    locked([&] { workers_.erase(key); });
  }
  void go_away(bool away) {
    locked([&] { is_away_ = away; });
  }

  // What came in, as `worker:text`, in order.
  std::vector<std::string> frames() const {
    return locked([&] { return frames_; });
  }
  std::vector<std::string> calls() const {
    return locked([&] { return calls_; });
  }

  // While blocked, worker_of() and call() do not return.
  void block(bool blocked) {
    locked([&] { is_blocked_ = blocked; });
    changed_.notify_all();
  }
  void wait_for_frames(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return frames_.size() >= count; });
  }
  void release_all() {
    for (auto& [worker, held] : locked([&] { return std::exchange(held_, {}); })) held.second(answer(held.first));
  }

  Result<WorkerName> worker_of(const std::string& key) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !is_blocked_; });
    if (is_away_) return unavailable("the database is away");
    return find(key);
  }

  // A frame with wait_ms is held until the worker's next; any other is answered at once.
  void sync(const std::string& key, std::string frame, Answer tell) override {
    std::unique_lock lock(mutex_);
    if (is_away_) return lock.unlock(), tell(unavailable("the database is away"));
    const Result<WorkerName> worker = find(key);
    if (!worker.ok()) return lock.unlock(), tell(worker.error());
    const Result<wire::SyncRequest> request = wire::parse_sync_request(frame);
    if (!request.ok()) return lock.unlock(), tell(request.error());
    const std::string name = worker.value().str();
    frames_.push_back(name + ":" + frame);
    auto earlier = held_.extract(name);
    if (request.value().wait_ms > 0) held_.emplace(name, std::pair(request.value().sequence, std::exchange(tell, nullptr)));
    lock.unlock();
    changed_.notify_all();
    if (!earlier.empty()) earlier.mapped().second(answer(earlier.mapped().first));
    if (tell) tell(answer(request.value().sequence));
  }

  Result<std::string> call(const std::string& key, ports::WorkerCall call) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !is_blocked_; });
    if (is_away_) return unavailable("the database is away");
    const Result<WorkerName> worker = find(key);
    if (!worker.ok()) return worker.error();
    static constexpr const char* kNames[] = {"heartbeat", "land", "retire", "status"};
    calls_.push_back(worker.value().str() + ":" + kNames[static_cast<int>(call)]);
    return R"({"name":")" + worker.value().str() + R"("})";
  }

 private:
  Result<WorkerName> find(const std::string& key) const {
    const auto found = workers_.find(key);
    if (found == workers_.end()) return unauthenticated("this key belongs to no worker");
    return WorkerName(found->second);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> workers_;
  std::map<std::string, std::pair<std::int64_t, Answer>> held_;
  std::vector<std::string> frames_;
  std::vector<std::string> calls_;
  bool is_away_ = false;
  bool is_blocked_ = false;
};

}  // namespace reclaim::test
