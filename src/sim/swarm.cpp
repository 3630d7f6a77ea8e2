#include "sim/swarm.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "sim/workload_archive.hpp"
#include "sim/workload_fleet.hpp"

namespace reclaim::sim {
namespace {

constexpr std::uint32_t kAlways = 1000;
// How often a fault strikes, against what is usual: in quarters.
constexpr std::array<std::uint32_t, 3> kQuarters = {1, 4, 12};

constexpr std::array kWorkloads = {
    WorkloadKind{"fleet", "clients, a control plane and three workers with a network between them", 120, make_fleet_workload},
    WorkloadKind{"archive", "submitters, cleaners, drives, reporters and collectors on one store and one catalogue", 600,
                 make_archive_workload},
};

}  // namespace

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kDatabaseAway: return "database away";
    case FaultKind::kDatabaseSilent: return "commit without an answer";
    case FaultKind::kDiskFull: return "disk full";
    case FaultKind::kStoreAway: return "store away";
    case FaultKind::kStoreSilent: return "store call without an answer";
    case FaultKind::kStoreLate: return "store call that arrives late";
    case FaultKind::kDeath: return "death";
    case FaultKind::kPause: return "pause";
    case FaultKind::kTimeLeap: return "suspended for an hour";
    case FaultKind::kWallJump: return "clock set by an hour";
    case FaultKind::kMessageLost: return "message lost";
    case FaultKind::kAnswerLost: return "answer lost";
    case FaultKind::kMessageLate: return "message out of order";
    case FaultKind::kMessageTwice: return "message twice";
    case FaultKind::kDiskWiped: return "disk wiped";
    case FaultKind::kTwin: return "two workers with one key";
    case FaultKind::kStateFull: return "worker's disk full";
    case FaultKind::kListFails: return "list fails";
    case FaultKind::kHang: return "destroy hangs";
    case FaultKind::kPoison: return "destroy fails";
    case FaultKind::kVanish: return "thing vanishes";
    case FaultKind::kStranger: return "stranger";
    case FaultKind::kDeafWorker: return "worker away";
    case FaultKind::kRestore: return "database restored";
    case FaultKind::kAbandon: return "client dies";
    case FaultKind::kNoReceipt: return "report without an answer";
    case FaultKind::kRefusal: return "report refused";
  }
  check(false, "unknown kind of fault");
  return "";
}

Faults::Faults(Dice& dice, std::span<const Likely> possible) : dice_(dice) {
  for (const Likely& likely : possible) {
    const bool is_there = dice.happens(500);
    const std::uint32_t quarters = kQuarters[dice.below(kQuarters.size())];
    if (is_there) permille_[place(likely.kind)] = std::clamp(likely.permille * quarters / 4, 1U, kAlways);
  }
}

bool Faults::strikes(FaultKind kind) {
  if (is_calm_ || !has(kind) || !dice_.happens(permille_[place(kind)])) return false;
  ++counts_[place(kind)];
  return true;
}

std::string Faults::told() const {
  std::string text;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    if (permille_[i] == 0) continue;
    text += text.empty() ? "" : ", ";
    text += name_of(static_cast<FaultKind>(i));
  }
  return text.empty() ? "none" : text;
}

void Story::say(std::string_view who, std::string_view what) {
  std::string line(who);
  line += ": ";
  line += what;
  for (const char c : line + "\n") digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;  // FNV-1a
  if (lines_.size() < kLinesMax) lines_.push_back(std::move(line));
}

void Run::breach(std::string invariant, std::string sentence) {
  story.say("BREACH", invariant + ": " + sentence);
  if (breaches.size() < kBreachesMax) breaches.push_back({std::move(invariant), std::move(sentence)});
}

std::span<const WorkloadKind> workloads() { return kWorkloads; }

const WorkloadKind* find_workload(std::string_view name) {
  const auto found = std::ranges::find(kWorkloads, name, &WorkloadKind::name);
  return found == kWorkloads.end() ? nullptr : &*found;
}

RunOutcome run_swarm(const WorkloadKind& workload, std::uint64_t seed, std::size_t steps, bool with_harm) {
  Run run{.seed = seed, .steps = std::min(steps, kStepsMax)};
  const std::unique_ptr<Workload> one = workload.make(run);
  run.story.say("seed " + std::to_string(seed), "faults in this run: " + one->faults().told());
  one->setup();
  one->start();
  run.story.say("seed " + std::to_string(seed), "no more faults; everything comes to rest");
  if (with_harm) one->harm();
  one->check();
  RunOutcome outcome{.seed = seed, .steps = run.steps, .story = run.story.lines(), .digest = run.story.digest(), .breaches = run.breaches};
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (one->faults().count_of(kind) > 0) outcome.faults.emplace(name_of(kind), one->faults().count_of(kind));
  }
  return outcome;
}

}  // namespace reclaim::sim
