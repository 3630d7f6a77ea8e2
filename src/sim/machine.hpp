// A worker machine in memory: what is on it, and the real worker's core (worker/agent) running on it, one step at a time.
//
// The machine outlives its worker process: crash() ends the process and keeps the things, the markers and what the disk remembers.
// A destroy that the driver was ordered to do is done at once; `hold_destroys` leaves orders in hand instead.
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
  explicit Machine(FleetWorld& world, std::string name = "w1");

  // What somebody else puts there.
  void put(ResourceKind kind, const std::string& handle) { things_[kind].insert(handle); }
  // What somebody takes away behind everybody's back.
  void take(ResourceKind kind, const std::string& handle) { things_[kind].erase(handle); }
  bool has(ResourceKind kind, const std::string& handle) const { return things_[kind].contains(handle); }
  std::string all(ResourceKind kind) const;

  // One turn of the worker: list, sync, destroy what was ordered. Starts the process when there is none.
  void turn();
  // From now on this kind's lists are looked at when they are begun, and come back after the hold has ended.
  void hold_lists(ResourceKind kind) { late_lists_.insert(kind); }
  void release_lists() { late_lists_.clear(); }
  // The process dies. Things, markers and memory stay.
  void crash();
  // Its disk is another: nothing on it, no markers, no memory. The process is gone too.
  void wipe();
  // Called before every destroy, with what is about to go: for the watch over F1.
  void on_destroy(std::function<void(ResourceKind, const std::string&)> watch) { watch_ = std::move(watch); }
  bool superseded() const { return superseded_; }

 private:
  class Driver;
  struct DiskMemory;
  struct Process;

  void carry_out();
  std::string incarnation() const;

  FleetWorld& world_;
  std::string name_;
  wire::PerKind<std::set<std::string>> things_;
  std::optional<wire::Answered> remembered_;
  std::set<ResourceKind> late_lists_;
  std::int64_t started_ = 0;
  int disks_ = 1;
  bool superseded_ = false;
  std::function<void(ResourceKind, const std::string&)> watch_;
  std::unique_ptr<Process> process_;

 public:
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
};

}  // namespace reclaim::sim
