// Worlds by a seed: each holds every invariant, and is the same world again. Seeds that once found something are kept.
#include "sim/swarm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "swarm/corpus.hpp"

namespace reclaim::test {
namespace {

using FaultCounts = std::map<std::string, std::int64_t>;
using sim::RunOutcome;

std::string told(const sim::WorkloadKind& workload, const RunOutcome& outcome) {
  std::string text;
  for (const sim::Breach& breach : outcome.breaches) text += breach.invariant + ": " + breach.sentence + "\n";
  return text + "  reclaim simulate --workload " + std::string(workload.name) + " --seed " + std::to_string(outcome.seed) + " --steps " +
         std::to_string(outcome.steps);
}

void expect_to_hold_twice(const sim::WorkloadKind& workload, std::uint64_t seed, std::size_t steps, FaultCounts& faults) {
  const RunOutcome once = run_swarm(workload, seed, steps);
  EXPECT_TRUE(once.holds()) << told(workload, once);
  const RunOutcome again = run_swarm(workload, seed, steps);
  EXPECT_EQ(once.digest, again.digest) << "another story the second time: " << told(workload, again);
  for (const auto& [kind, count] : once.faults) faults[kind] += 2 * count;
}

TEST(Swarm, OfSeedsHoldsEveryInvariantAndIsTheSameAgain) {
  constexpr std::uint64_t kFirst = 1;
  constexpr std::uint64_t kSeeds = 150;
  FaultCounts faults;
  std::string line;
  for (const sim::WorkloadKind& workload : sim::workloads()) {
    for (std::uint64_t seed = kFirst; seed < kFirst + kSeeds && !HasFailure(); ++seed) {
      expect_to_hold_twice(workload, seed, workload.steps, faults);
    }
    line += std::string(workload.name) + " " + std::to_string(kSeeds) + " seeds, ";
  }
  std::int64_t sum = 0;
  for (const auto& [kind, count] : faults) sum += count;
  std::printf("swarm: %seach twice, %lld faults of %zu kinds\n", line.c_str(), static_cast<long long>(sum), faults.size());
}

TEST(Swarm, OfTheCorpusHoldsEveryInvariant) {
  FaultCounts faults;
  for (const KeptSeed& kept : kCorpus) {
    const sim::WorkloadKind* workload = sim::find_workload(kept.workload);
    ASSERT_NE(workload, nullptr) << kept.workload;
    SCOPED_TRACE(kept.story);
    expect_to_hold_twice(*workload, kept.seed, kept.steps == 0 ? workload->steps : kept.steps, faults);
  }
}

bool names(const RunOutcome& outcome, const std::string& invariant) {
  const bool is_told =
      std::ranges::any_of(outcome.story, [&](const std::string& text) { return text.starts_with("BREACH: " + invariant); });
  return is_told && std::ranges::any_of(outcome.breaches, [&](const sim::Breach& breach) { return breach.invariant == invariant; });
}

// In a world where nothing is left that is needed, nothing can be taken: not in all of these.
TEST(Swarm, NamesTheInvariantThatIsBroken) {
  constexpr std::uint64_t kSeeds = 10;
  constexpr std::array<std::pair<const char*, const char*>, 2> kBroken = {{{"fleet", "F1"}, {"archive", "A2"}}};
  for (const auto& [name, invariant] : kBroken) {
    const sim::WorkloadKind& workload = *sim::find_workload(name);
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) found += names(run_swarm(workload, seed, workload.steps, true), invariant) ? 1 : 0;
    EXPECT_GT(found, 0U) << name << " " << invariant;
  }
}

TEST(Swarm, OfAnotherSeedIsAnotherWorld) {
  for (const sim::WorkloadKind& workload : sim::workloads()) {
    EXPECT_NE(run_swarm(workload, 1, workload.steps).digest, run_swarm(workload, 2, workload.steps).digest) << workload.name;
  }
}

}  // namespace
}  // namespace reclaim::test
