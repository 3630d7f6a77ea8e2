#include "apps/simulate_command.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/system/system_time.hpp"
#include "apps/build_commit.hpp"
#include "base/duration.hpp"
#include "cli/table.hpp"
#include "sim/swarm.hpp"

namespace reclaim::apps {
namespace {

using cli::Ordered;

constexpr std::size_t kFailedMax = 100;  // shown of many seeds
constexpr std::uint64_t kSaidEvery = 10;

struct SimulateFlags {
  std::string workload;
  std::optional<std::uint64_t> seed;
  std::string seeds;
  std::size_t steps = 0;  // 0: the workload's own
  std::string time_limit;
  std::string output;
  bool is_json() const { return output == "json"; }
};

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<Seeds> parse_seeds(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> first = number_in(text.substr(0, dots));
  const std::optional<std::uint64_t> last = number_in(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return Seeds{*first, *last};
}

CLI::Validator seeds_check() {
  const auto check_text = [](const std::string& text) {
    return parse_seeds(text) ? std::string() : "'" + text + "' is not FIRST..LAST, as in 1..1000";
  };
  return {check_text, ""};
}

std::string replay_of(const SimulateFlags& flags, const sim::RunOutcome& outcome) {
  return "reclaim simulate --workload " + flags.workload + " --seed " + std::to_string(outcome.seed) + " --steps " +
         std::to_string(outcome.steps);
}

Ordered json_of(const SimulateFlags& flags, const sim::RunOutcome& outcome) {
  Ordered json{{"seed", outcome.seed}, {"steps", outcome.steps}, {"holds", outcome.holds()}, {"breaches", Ordered::array()}};
  for (const sim::Breach& breach : outcome.breaches) {
    json["breaches"].push_back({{"invariant", breach.invariant}, {"sentence", breach.sentence}});
  }
  json["faults"] = outcome.faults;
  json["replay"] = replay_of(flags, outcome);
  return json;
}

std::string verdict_of(const SimulateFlags& flags, const sim::RunOutcome& outcome) {
  const std::string seed = "seed " + std::to_string(outcome.seed) + ": ";
  if (outcome.holds()) return seed + "every invariant holds\n";
  std::string text;
  for (const sim::Breach& breach : outcome.breaches) text += seed + breach.invariant + " does not hold: " + breach.sentence + "\n";
  return text + "  build: " + std::string(build_commit()) + "\n  again: " + replay_of(flags, outcome) + "\n";
}

int simulate_one(const sim::WorkloadKind& workload, const SimulateFlags& flags, std::size_t steps, cli::Console& console) {
  const sim::RunOutcome outcome = sim::run_swarm(workload, *flags.seed, steps);
  if (flags.is_json()) {
    Ordered json{{"workload", flags.workload}, {"build", build_commit()}};
    json.update(json_of(flags, outcome));
    json["story"] = outcome.story;
    console.out << json.dump(-1, ' ', false, Ordered::error_handler_t::replace) << std::endl;
  } else {
    for (const std::string& line : outcome.story) console.out << printable(line) << '\n';
    console.out << verdict_of(flags, outcome) << std::flush;
  }
  return outcome.holds() ? cli::kDone : cli::kFailed;
}

struct Tally {
  std::uint64_t runs = 0;
  std::uint64_t last = 0;
  std::map<std::string, std::int64_t> faults;
  std::vector<sim::RunOutcome> failed;  // the first ones, without their stories
  std::uint64_t failures = 0;
  double seconds = 0;

  double runs_per_second() const { return seconds > 0 ? static_cast<double>(runs) / seconds : 0; }
};

void add(Tally& tally, sim::RunOutcome outcome) {
  ++tally.runs;
  tally.last = outcome.seed;
  for (const auto& [kind, count] : outcome.faults) tally.faults[kind] += count;
  if (outcome.holds()) return;
  ++tally.failures;
  outcome.story.clear();
  if (tally.failed.size() < kFailedMax) tally.failed.push_back(std::move(outcome));
}

Ordered json_of(const SimulateFlags& flags, const Seeds& seeds, const Tally& tally) {
  Ordered json{{"workload", flags.workload}, {"build", build_commit()},    {"first", seeds.first},
               {"last", tally.last},         {"runs", tally.runs},         {"runs_per_second", tally.runs_per_second()},
               {"failures", tally.failures}, {"failed", Ordered::array()}, {"faults", tally.faults}};
  for (const sim::RunOutcome& outcome : tally.failed) json["failed"].push_back(json_of(flags, outcome));
  return json;
}

std::string text_of(const SimulateFlags& flags, const Seeds& seeds, const Tally& tally) {
  std::int64_t faults = 0;
  for (const auto& [kind, count] : tally.faults) faults += count;
  const std::string rate = std::to_string(tally.runs_per_second());
  std::string text = flags.workload + ": seeds " + std::to_string(seeds.first) + ".." + std::to_string(tally.last) + ", " +
                     std::to_string(tally.failures) + " of " + std::to_string(tally.runs) + " fail, " + rate.substr(0, rate.find('.') + 2) +
                     " runs per second, " + std::to_string(faults) + " faults of " + std::to_string(tally.faults.size()) + " kinds\n";
  for (const auto& [kind, count] : tally.faults) text += "  " + kind + ": " + std::to_string(count) + "\n";
  return text;
}

int simulate_many(const sim::WorkloadKind& workload, const SimulateFlags& flags, std::size_t steps, cli::Console& console) {
  const system::SystemClock clock;
  const Instant began = clock.now();
  const Seeds seeds = *parse_seeds(flags.seeds);
  const Millis limit = flags.time_limit.empty() ? Millis::max() : parse_duration(flags.time_limit).value();
  Tally tally;
  cli::Progress progress(console);
  for (std::uint64_t seed = seeds.first; clock.now() - began < limit; ++seed) {
    add(tally, sim::run_swarm(workload, seed, steps));
    if (!tally.failed.empty() && tally.failed.back().seed == seed && !flags.is_json()) {
      progress.clear();
      console.out << verdict_of(flags, tally.failed.back()) << std::flush;
    }
    if (tally.runs % kSaidEvery == 0) {
      progress.say("seed " + std::to_string(seed) + " of " + flags.seeds + ", " + std::to_string(tally.failures) + " failed");
    }
    if (seed == seeds.last) break;
  }
  progress.clear();
  tally.seconds = static_cast<double>((clock.now() - began).count()) / 1000;
  console.out << (flags.is_json() ? json_of(flags, seeds, tally).dump() + "\n" : text_of(flags, seeds, tally)) << std::flush;
  return tally.failures == 0 ? cli::kDone : cli::kFailed;
}

int simulate(const SimulateFlags& flags, cli::Console& console) {
  if (!flags.seed && flags.seeds.empty())
    return cli::complain(console, "--seed or --seeds is required: which world shall it be?"), cli::kUsage;
  if (flags.seed && !flags.time_limit.empty())
    return cli::complain(console, "--for is about --seeds; one seed ends by itself"), cli::kUsage;
  const sim::WorkloadKind& workload = *sim::find_workload(flags.workload);
  const std::size_t steps = flags.steps > 0 ? flags.steps : workload.steps;
  return flags.seed ? simulate_one(workload, flags, steps, console) : simulate_many(workload, flags, steps, console);
}

}  // namespace

void add_simulate_command(cli::CommandLine& line) {
  auto flags = std::make_shared<SimulateFlags>();
  CLI::App* command =
      line.add(nullptr, "simulate",
               "Runs Reclaim's own code in a world of a seed, in memory, with faults that the seed draws, tells what "
               "happened, and which invariant did not hold. Ends with 1 when one did not.",
               "reclaim simulate --workload fleet --seed 7\n  reclaim simulate --workload archive --seeds 1..1000 --for 10m",
               [flags, &line] { return simulate(*flags, line.console()); });
  std::vector<std::string> names;
  for (const sim::WorkloadKind& workload : sim::workloads()) names.emplace_back(workload.name);
  command->add_option("--workload", flags->workload, "What is simulated")->required()->check(CLI::IsMember(names));
  CLI::Option* seed = command->add_option("--seed", flags->seed, "One world, told in words; the same seed, the same world");
  command->add_option("--seeds", flags->seeds, "Many, of which only those that fail are told")
      ->type_name("FIRST..LAST")
      ->check(seeds_check())
      ->excludes(seed);
  command->add_option("--steps", flags->steps, "How long a world lives with faults [the workload's own]")
      ->check(CLI::Range(std::size_t{1}, sim::kStepsMax));
  command->add_option("--for", flags->time_limit, "No world is begun after so long")->type_name("DURATION")->check(cli::duration_check());
  command->add_option("--output", flags->output, "How to answer [table]")->check(CLI::IsMember({"table", "json"}));
}

}  // namespace reclaim::apps
