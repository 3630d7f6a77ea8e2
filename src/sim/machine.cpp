#include "sim/machine.hpp"

#include <algorithm>
#include <utility>

#include "ports/resource_driver.hpp"

namespace reclaim::sim {
namespace {

// The same numbers in every run.
class CountingRandom : public Random {
 public:
  std::uint64_t next() override { return state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL; }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace

class Machine::Driver : public ports::ResourceDriver {
 public:
  Driver(Machine& machine, ResourceKind kind) : machine_(machine), kind_(kind) {}
  ResourceKind kind() const override { return kind_; }
  std::string name() const override { return "memory"; }

  Result<std::vector<ports::Listed>> list() override {
    std::vector<ports::Listed> listed;
    for (const std::string& name : machine_.things_[kind_]) listed.push_back({.name = name});
    return listed;
  }

  Status destroy(const Handle& handle, Instant) override {
    if (machine_.watch_ && machine_.has(kind_, handle.str())) machine_.watch_(kind_, handle.str());
    machine_.things_[kind_].erase(handle.str());
    return done();
  }

 private:
  Machine& machine_;
  ResourceKind kind_;
};

struct Machine::DiskMemory : worker::Memory {
  explicit DiskMemory(Machine& owner) : machine(owner) {}
  Result<std::optional<wire::Answered>> load() override { return machine.remembered_; }
  Status store(const wire::Answered& answered) override {
    if (machine.is_disk_full_) return unavailable("no space left");
    machine.remembered_ = answered;
    return done();
  }
  Machine& machine;
};

struct Machine::Process {
  explicit Process(Machine& owner)
      : machine(owner),
        containers(owner, ResourceKind::kContainer),
        volumes(owner, ResourceKind::kVolume),
        memory(owner),
        agent({.identity = {.session = owner.incarnation() + "-" + std::to_string(++owner.started_),
                            .incarnation = owner.incarnation(),
                            .started = owner.started_}},
              {&containers, &volumes}, memory, random) {
    must(agent.open());
  }

  // What each driver shows, looked at now; what is held back is handed in by a later turn.
  void list(const std::vector<std::size_t>& started, Instant now) {
    for (auto late = held_back.begin(); late != held_back.end();) {
      const auto& [place, listing] = *late;
      const bool is_held = machine.late_lists_.contains(place == 0 ? ResourceKind::kContainer : ResourceKind::kVolume);
      if (!is_held) agent.listed(place, listing, now);
      late = is_held ? std::next(late) : held_back.erase(late);
    }
    for (const std::size_t place : started) {
      Driver& driver = place == 0 ? containers : volumes;
      if (machine.late_lists_.contains(driver.kind())) {
        held_back.emplace(place, driver.list());
      } else {
        agent.listed(place, driver.list(), now);
      }
    }
  }

  Machine& machine;
  std::map<std::size_t, worker::Listing> held_back;
  Driver containers;
  Driver volumes;
  DiskMemory memory;
  CountingRandom random;
  worker::Agent agent;
  std::vector<worker::Start> hung;
};

Machine::Machine(FleetWorld& world, std::string name, std::string disk) : world_(world), name_(std::move(name)), disk_(std::move(disk)) {}
Machine::~Machine() = default;

void Machine::crash() { process_.reset(); }

void Machine::wipe() {
  crash();
  things_ = {};
  remembered_.reset();
  started_ = 0;
  ++disks_;
}

void Machine::clone(const Machine& other) {
  crash();
  things_ = other.things_;
  remembered_ = other.remembered_;
  started_ = other.started_;
  disk_ = other.disk_;
  disks_ = other.disks_;
}

std::string Machine::incarnation() const { return name_ + "-" + disk_ + "-" + std::to_string(disks_); }

std::string Machine::all(ResourceKind kind) const {
  std::string text;
  for (const std::string& handle : things_[kind]) text += (text.empty() ? "" : " ") + handle;
  return text;
}

void Machine::turn() {
  const wire::SyncRequest request = speak();
  Result<fleet::SyncOutcome> outcome = fleet::sync(world_.context("worker:" + name_), {.key = "", .worker = name_}, request);
  hear(outcome.ok() ? Result<wire::SyncAnswer>(std::move(outcome.value().answer)) : outcome.error());
}

wire::SyncRequest Machine::speak() {
  if (!process_) process_ = std::make_unique<Process>(*this);
  worker::Agent& agent = process_->agent;
  const Instant now{world_.context().moment.now.ms};
  process_->list(agent.begin(now), now);
  return agent.prepare(std::nullopt, now);
}

void Machine::hear(const Result<wire::SyncAnswer>& answer) {
  if (!process_) return;
  const Instant now{world_.context().moment.now.ms};
  superseded_ = process_->agent.take(answer, now).verdict == worker::Turn::Verdict::kSuperseded;
  carry_out();
}

void Machine::carry_out() {
  worker::Destroyer& destroyer = process_->agent.destroyer();
  const Instant now{world_.context().moment.now.ms};
  for (std::vector<worker::Start> starts = destroyer.start(now); !starts.empty(); starts = destroyer.start(now)) {
    for (const worker::Start& start : starts) {
      const Carried carried = carry_ ? carry_(start.kind, start.handle) : Carried::kDone;
      if (carried == Carried::kDone) carry_out(start, now);
      if (carried == Carried::kFails) destroyer.finished(start.kind, start.handle, unavailable("the driver cannot destroy it"), now);
      if (carried == Carried::kHangs) process_->hung.push_back(start);
    }
  }
}

void Machine::carry_out(const worker::Start& start, Instant now) {
  Status outcome;
  for (ports::ResourceDriver* driver : process_->agent.drivers_of(start.kind, start.handle)) {
    outcome = driver->destroy(Handle(start.handle), start.deadline);
  }
  process_->agent.destroyer().finished(start.kind, start.handle, outcome, now);
}

void Machine::end_hung() {
  if (!process_) return;
  const Instant now{world_.context().moment.now.ms};
  for (const worker::Start& start : std::exchange(process_->hung, {})) carry_out(start, now);
  carry_out();
}

}  // namespace reclaim::sim
