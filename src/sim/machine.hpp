// A worker machine in memory: what is on it, and the real worker's core (worker/agent) running on it, one step at a time.
//
// The machine outlives its worker process: crash() ends the process and keeps the things, the markers and what the disk remembers.
// A destroy that the driver was ordered to do is done at once, unless on_carry() says otherwise.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/fleet_world.hpp"
#include "worker/agent.hpp"

namespace reclaim::sim {

class Machine {
 public:
  // `disk` tells its disks from those of another machine of that name.
  explicit Machine(FleetWorld& world, std::string name = "w1", std::string disk = "disk");

  // What somebody else puts there.
  void put(ResourceKind kind, const std::string& handle) { things_[kind].insert(handle); }
  // What somebody takes away behind everybody's back.
  void take(ResourceKind kind, const std::string& handle) { things_[kind].erase(handle); }
  bool has(ResourceKind kind, const std::string& handle) const { return things_[kind].contains(handle); }
  std::string all(ResourceKind kind) const;

  // One turn of the worker: list, sync, destroy what was ordered. Starts the process when there is none.
  void turn();
  // The same in two halves, for what lies between a worker and its server: what it says, and what it makes of the answer.
  wire::SyncRequest speak();
  void hear(const Result<wire::SyncAnswer>& answer);
  // From now on this kind's lists are looked at when they are begun, and come back after the hold has ended.
  void hold_lists(ResourceKind kind) { late_lists_.insert(kind); }
  void release_lists() { late_lists_.clear(); }
  // What becomes of a destroy: one that hangs stays in hand, and acts when end_hung() lets it.
  enum class Carried { kDone, kFails, kHangs };
  void on_carry(std::function<Carried(ResourceKind, const std::string&)> carry) { carry_ = std::move(carry); }
  void end_hung();
  // The disk that holds its memory takes no writes.
  void fill_disk(bool is_full) { is_disk_full_ = is_full; }
  // The process dies. Things, markers and memory stay.
  void crash();
  // Its disk is another: nothing on it, no markers, no memory. The process is gone too.
  void wipe();
  // It has another's disk, as it is now: two machines that take themselves for one.
  void clone(const Machine& other);
  // Called before every destroy, with what is about to go: for the watch over F1.
  void on_destroy(std::function<void(ResourceKind, const std::string&)> watch) { watch_ = std::move(watch); }
  bool superseded() const { return superseded_; }

 private:
  class Driver;
  struct DiskMemory;
  struct Process;

  void carry_out();
  void carry_out(const worker::Start& start, Instant now);
  std::string incarnation() const;

  FleetWorld& world_;
  std::string name_;
  std::string disk_;
  wire::PerKind<std::set<std::string>> things_;
  std::optional<wire::Answered> remembered_;
  std::set<ResourceKind> late_lists_;
  std::int64_t started_ = 0;
  int disks_ = 1;
  bool superseded_ = false;
  bool is_disk_full_ = false;
  std::function<Carried(ResourceKind, const std::string&)> carry_;
  std::function<void(ResourceKind, const std::string&)> watch_;
  std::unique_ptr<Process> process_;

 public:
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
};

}  // namespace reclaim::sim
