// A machine with drivers and a control plane with rows, both in memory and with state, and the agent between them. Every turn is run
// by hand, and an answer may be lost on its way.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "ports/control_link.hpp"
#include "ports/resource_driver.hpp"
#include "worker/agent.hpp"

namespace reclaim::worker {

class ManualClock : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return {now_.ms}; }
  void advance(Millis by) { now_ = now_ + by; }

 private:
  Instant now_{1'000'000};
};

class CountingRandom : public Random {
 public:
  std::uint64_t next() override { return ++last_ * 0x9e3779b97f4a7c15ULL; }

 private:
  std::uint64_t last_ = 0;
};

class SetDriver : public ports::ResourceDriver {
 public:
  SetDriver(ResourceKind kind, std::string name) : kind_(kind), name_(std::move(name)) {}

  ResourceKind kind() const override { return kind_; }
  std::string name() const override { return name_; }
  Result<std::vector<ports::Listed>> list() override {
    if (!readable) return unavailable("the disk is away");
    std::vector<ports::Listed> listed;
    for (const std::string& resource : resources) listed.push_back({resource});
    return listed;
  }
  Status destroy(const Handle& handle, Instant) override {
    if (poisoned.contains(handle.str())) return unavailable("it does not go");
    resources.erase(handle.str());
    return done();
  }

  std::set<std::string> resources;
  std::set<std::string> poisoned;
  bool readable = true;

 private:
  ResourceKind kind_;
  std::string name_;
};

// The server's half, as small as the protocol allows: rows that are to be destroyed leave on an acknowledgement that their mark's
// `as_of` covers, or by absence from a covering inventory while no order for them is in hand.
class SmallServer : public ports::ControlLink {
 public:
  Result<wire::SyncAnswer> exchange(const wire::SyncRequest& request) override {
    requests.push_back(request);
    if (fence) return fenced("fenced", *fence);
    for (const ResourceKind kind : kResourceKinds) reconcile(kind, request);
    last_answer = answer_to(request);
    if (lose_answers > 0) {
      --lose_answers;
      return unavailable("the connection broke");
    }
    return last_answer;
  }
  Status heartbeat() override { return done(); }
  Status land() override { return done(); }
  Status retire() override { return done(); }
  Result<std::string> status() override { return std::string("{}"); }

  void mark(ResourceKind kind, const std::string& handle) { destroying[kind][handle] = ++high_water; }

  wire::PerKind<std::map<std::string, std::int64_t>> destroying;  // handle -> number of the mark
  std::int64_t high_water = 100;
  std::string lineage = "lineage-1";
  std::vector<std::string> replaces;
  std::optional<std::string> fence;
  std::vector<ResourceKind> resync;
  std::int64_t next_sync_ms = 30'000;
  int lose_answers = 0;
  std::vector<wire::SyncRequest> requests;
  wire::SyncAnswer last_answer;

 private:
  void reconcile(ResourceKind kind, const wire::SyncRequest& request) {
    auto& rows = destroying[kind];
    for (const wire::DestroyResult& result : request.results) {
      const auto row = rows.find(result.handle);
      if (result.kind == kind && result.succeeded && row != rows.end() && row->second <= request.as_of) rows.erase(row);
    }
    if (!request.inventories[kind]) return;
    const wire::Inventory& inventory = *request.inventories[kind];
    if (!inventory.base) reported[kind].clear();
    for (const std::string& handle : inventory.removed) reported[kind].erase(handle);
    reported[kind].insert(inventory.added.begin(), inventory.added.end());
    std::erase_if(rows, [&](const auto& row) {
      const auto& hand = request.in_hand[kind];
      return row.second <= request.as_of && !reported[kind].contains(row.first) && std::ranges::find(hand, row.first) == hand.end();
    });
  }

  wire::SyncAnswer answer_to(const wire::SyncRequest& request) {
    wire::SyncAnswer answer{.sequence = request.sequence, .lineage = lineage, .replaces = replaces, .high_water = high_water};
    for (const ResourceKind kind : kResourceKinds) {
      for (const auto& [handle, mark] : destroying[kind]) {
        const auto& hand = request.in_hand[kind];
        if (std::ranges::find(hand, handle) == hand.end()) answer.destroy[kind].push_back(handle);
      }
    }
    answer.resync = std::exchange(resync, {});
    answer.next_sync_ms = next_sync_ms;
    return answer;
  }

 public:
  wire::PerKind<std::set<std::string>> reported;
};

class KeptMemory : public Memory {
 public:
  Result<std::optional<wire::Answered>> load() override { return answered; }
  Status store(const wire::Answered& last) override {
    if (is_full) return unavailable("no space left on device");
    answered = last;
    return done();
  }
  std::optional<wire::Answered> answered;
  bool is_full = false;
};

struct WorkerWorld {
  ManualClock clock;
  CountingRandom random;
  KeptMemory memory;
  SmallServer server;
  SetDriver containers{ResourceKind::kContainer, "runc:/c"};
  SetDriver volumes{ResourceKind::kVolume, "dir:/v"};
  std::unique_ptr<Agent> agent;
  std::vector<Start> running;
  std::function<void()> while_listing = [] {};

  explicit WorkerWorld(AgentOptions options = {}) { start(std::move(options)); }

  // A new process: nothing is left of the former but the memory on its disk.
  void start(AgentOptions options = {}) {
    ++starts_;
    options.identity = {"session-" + std::to_string(starts_), "incarnation", starts_};
    running.clear();
    late_.reset();
    agent = std::make_unique<Agent>(options, drivers_, memory, random);
    agent->open().value();
  }

  Turn turn() {
    for (const std::size_t place : agent->begin(clock.now())) agent->listed(place, drivers_[place]->list(), clock.now());
    while_listing();
    const wire::SyncRequest request = agent->prepare(std::nullopt, clock.now());
    return agent->take(server.exchange(request), clock.now());
  }
  // A list of the volumes begins now, and what it sees is handed in by end_list(), turns later.
  void turn_without_volumes() {
    for (const std::size_t place : agent->begin(clock.now())) {
      if (place == 0) agent->listed(place, containers.list(), clock.now());
      if (place == 1) late_ = volumes.list();
    }
    const wire::SyncRequest request = agent->prepare(std::nullopt, clock.now());
    (void)agent->take(server.exchange(request), clock.now());
  }
  bool is_listing() const { return late_.has_value(); }
  void end_list() { agent->listed(1, *std::exchange(late_, std::nullopt), clock.now()); }

  void start_orders() {
    for (Start& start : agent->destroyer().start(clock.now())) running.push_back(std::move(start));
  }

  void finish(const Start& order) {
    Status outcome;
    for (ports::ResourceDriver* driver : agent->drivers_of(order.kind, order.handle)) {
      outcome = driver->destroy(Handle(order.handle), order.deadline);
    }
    agent->destroyer().finished(order.kind, order.handle, outcome, clock.now());
  }

  void finish_all() {
    start_orders();
    while (!running.empty()) {
      const Start order = running.back();
      running.pop_back();
      finish(order);
      start_orders();
    }
  }

  const wire::SyncRequest& last() const { return server.requests.back(); }

 private:
  std::vector<ports::ResourceDriver*> drivers_{&containers, &volumes};
  std::optional<Listing> late_;
  std::int64_t starts_ = 0;
};

}  // namespace reclaim::worker
