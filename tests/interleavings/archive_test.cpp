// Three of the archive's roles, handing over at each call to the store and before each transaction, in every schedule of two preemptions;
// and all roles at once, by seeds, of whom some die and some are paused. A pause of one role while a collector is at work is longer than
// its timeout: what it writes afterwards comes too late. Whatever they did, those who come after them bring it to rest: each request that
// was accepted is in one place (A1) or has ended on record (A2), the tape has left service with an empty queue (A4, A5), and the store is
// clean.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "archive/cancel.hpp"
#include "archive/enqueue.hpp"
#include "archive/files.hpp"
#include "archive/mounts.hpp"
#include "sim/crash.hpp"
#include "sim/reduced_schedules.hpp"
#include "sim/schedules.hpp"
#include "sim/staged_database.hpp"
#include "sim/staged_store.hpp"
#include "support/reading.hpp"
#include "support/reporting.hpp"

namespace reclaim::test {
namespace {

constexpr int kMounts = 2;
constexpr SegmentId kTogether{90, 1};  // requests 1, which has another copy, and 2, which has none
constexpr SegmentId kOther{91, 1};     // request 3, which waits for the tape that stays

// Two queues, three requests. What each role sees of it is staged.
struct Scene : Reporting {
  Scene() : staged_store(store, stage), staged_database(*database, stage) {
    for (const char* vid : {"V1", "V2"}) library.bring(vid);
    put(kTogether, to_transfer("V1"), {file(1, {"V1", "V2"}), file(2, {"V1"})});
    put(kOther, to_transfer("V2"), {file(3, {"V2"})});
    const stored::Request fourth = file(4, {"V1", "V2"});
    const std::vector<FileSpec> files = {
        {FileId("f4"), static_cast<std::int64_t>(fourth.size()), fourth.checksum(), {{Vid("V1"), 4}, {Vid("V2"), 4}}}};
    for (const auto& added : sim::must(add_files(context(), files))) (void)sim::must(added);
    sim::must(register_drive(context(), DriveName("D1")));
    sim::must(register_drive(context(), DriveName("D2")));
  }

  stored::Request file(std::uint32_t ordinal, std::initializer_list<const char*> vids) { return request_of_file(library, ordinal, vids); }
  Context staged() { return {staged_database, {1'764'000'000'000}, "scene"}; }

  sim::Stage stage;
  sim::StagedStore staged_store;
  sim::StagedDatabase staged_database;
  library_memory::MemoryLibrary library;
  buffer_memory::MemoryBuffer buffer;
  std::vector<RequestId> accepted = {{kTogether, 1}, {kTogether, 2}, {kOther, 3}};
  std::uint64_t late = 0;  // writes that were refused because their agent had been collected meanwhile
};

void count_late(Scene& scene, const agents::LateWrites& late) {
  for (const auto& [what, times] : late) scene.late += times;
}

// A part with an agent and a hand of its own.
template <class Work>
void with_hand(Scene& scene, const char* name, Work&& work) {
  const auto agent = agents::Agent::register_as(scene.staged_store, name, "maintenance");
  if (!agent.ok()) return;
  Hand hand(scene.staged_store, *agent.value());
  ArchiveEstate estate(hand, [&scene] { return scene.staged(); });
  work(hand, estate);
  count_late(scene, agent.value()->heart().late());
}

void clean(Scene& scene, const char* name) {
  with_hand(scene, name, [&](Hand& hand, ArchiveEstate& estate) { (void)clean_up(scene.staged(), hand, estate, Process::kBudget); });
}

void tell(Scene& scene) {
  with_hand(scene, "reporter", [&](Hand& hand, ArchiveEstate& estate) {
    (void)scene.report_through(scene.staged_database, hand, estate, scene.sink, Process::kBudget);
  });
}

// It takes everybody for dead who does nothing while it looks three times.
void collect(Scene& scene) {
  Process process(scene.staged_database, scene.staged_store, "collector");
  for (int look = 0; look < 4; ++look) (void)process.collect();
}

void submit(Scene& scene) {
  with_hand(scene, "desk", [&](Hand& hand, ArchiveEstate&) {
    Enqueuer enqueuer(hand);
    const Submission asked{.file = FileId("f4"), .destination = "out/4"};
    for (const auto& answer : enqueuer.enqueue(scene.staged(), std::span(&asked, 1), 1'764'000'000'000)) {
      if (answer.ok()) scene.accepted.push_back(answer.value().id);
    }
  });
}

void cancel(Scene& scene) {
  with_hand(scene, "canceller", [&](Hand& hand, ArchiveEstate&) {
    (void)cancel_request(hand, scene.staged(), {kTogether, 1}, [](const SegmentId&) {});
  });
}

void take_out(Scene& scene) { (void)ask_tape_state(scene.staged(), Vid("V1"), TapeState::kBroken, "torn"); }

// No role: what this house is built to keep from happening. It writes back what it has read a while ago, whatever is there by now.
void write_carelessly(Scene& scene) {
  const Result<ports::Object> seen = scene.staged_store.read(object_name(kTogether));
  const Result<ports::Object> now = scene.staged_store.read(object_name(kTogether));
  if (seen.ok() && now.ok()) (void)scene.staged_store.replace(object_name(kTogether), now.value().version, seen.value().bytes);
}

constexpr std::size_t kOperator = 7;
constexpr std::size_t kCareless = 8;
constexpr std::size_t kRoleCount = 8;

struct Role {
  const char* name;
  std::function<void(Scene&)> part;
};

const std::array<Role, kRoleCount + 1> kRoles = {{
    {"cleaner", [](Scene& scene) { clean(scene, "cleaner"); }},
    {"second cleaner", [](Scene& scene) { clean(scene, "second"); }},
    {"drive",
     [](Scene& scene) {
       count_late(scene, serve("D1", {scene.staged_database, scene.staged_store, scene.library, scene.buffer}, kMounts));
     }},
    {"reporter", tell},
    {"collector", collect},
    {"submitter", submit},
    {"canceller", cancel},
    {"operator", take_out},
    {"careless", write_carelessly},
}};

void look_after(Process& process, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    (void)process.collect();
    (void)process.sweep.run(Process::kBudget);
    (void)process.clean();
  }
}

// Everybody who comes later, unhindered: until nothing is left to be done. Whoever died is collected in the first rounds.
void come_to_rest(Scene& scene) {
  Process process(*scene.database, scene.store, "later");
  look_after(process, 6);
  serve("D2", {*scene.database, scene.store, scene.library, scene.buffer}, kMounts);
  for (int round = 0; round < 2; ++round) {
    (void)scene.report_once(process);
    look_after(process, 2);
  }
}

// A submitter that dies before it is answered may leave a request that nobody was promised.
std::vector<std::string> what_is_wrong(Scene& scene, bool may_be_more) {
  std::vector<std::string> wrong;
  const auto expect = [&](bool holds, const std::string& what) {
    if (!holds) wrong.push_back(what);
  };
  expect(scene.state_of("V1") == TapeState::kBroken, "the tape has not left service (A4)");
  expect(scene.contents().count(to_transfer("V1")) == 0, "requests wait for a tape that has left service (A5)");
  std::multiset<RequestId> found = scene.all_requests();
  for (const auto& one : sim::must(list_ended(scene.context(), "", 100))) found.insert(one.ended.id);
  for (const RequestId& id : scene.accepted) {
    expect(found.count(id) == 1, text_of(id) + " is in " + std::to_string(found.count(id)) + " places (A1, A2)");
  }
  expect(found.size() <= scene.accepted.size() + (may_be_more ? 1 : 0), "requests that nobody has submitted");
  expect(sim::must(list_mounts(scene.store)).empty(), "a tape is mounted still");
  for (const Finding& finding : sim::must(check_store(scene.store)).findings) wrong.push_back(finding.sentence);
  return wrong;
}

struct Played {
  std::string told;
  std::vector<std::string> wrong;
  std::uint64_t late = 0;
};

using Roles = std::vector<std::size_t>;

// `is_of_interest` says after the play whether its end is to be looked at.
Played play(const Roles& roles, const sim::Director& director, bool may_die, const std::function<bool()>& is_of_interest) {
  Scene scene;
  const bool asks = std::ranges::any_of(roles, [](std::size_t role) { return role == kOperator; });
  if (!asks) scene.ask("V1", TapeState::kBroken);
  for (const std::size_t role : roles) {
    const Role& one = kRoles.at(role);
    scene.stage.add(one.name, [&scene, &one] { one.part(scene); });
  }
  const bool has_ended = scene.stage.play(director);
  Played played{.late = scene.late};
  if (!is_of_interest()) return played;
  if (!has_ended) played.wrong.emplace_back("somebody does not come to an end");
  if (may_die) scene.ask("V1", TapeState::kBroken);
  come_to_rest(scene);
  for (std::string& what : what_is_wrong(scene, may_die)) played.wrong.push_back(std::move(what));
  played.told = scene.stage.told();
  return played;
}

void expect_nothing_wrong(const Played& played) {
  EXPECT_EQ(played.wrong, std::vector<std::string>());
  if (!played.wrong.empty()) std::printf("%s", played.told.c_str());
}

// Until the first schedule of which the end is wrong.
Played play_all(const Roles& roles, sim::ReducedSchedules& schedules) {
  while (schedules.next()) {
    Played played = play(roles, schedules.director(), false, [&] { return schedules.is_another(); });
    if (!played.wrong.empty()) return played;
  }
  return {};
}

std::vector<Roles> all_threes() {
  std::vector<Roles> threes;
  for (std::size_t a = 0; a < kRoleCount; ++a) {
    for (std::size_t b = a + 1; b < kRoleCount; ++b) {
      for (std::size_t c = b + 1; c < kRoleCount; ++c) threes.push_back({a, b, c});
    }
  }
  return threes;
}

// RECLAIM_SCHEDULES: `all`; `K/N`, the part K of N, from 0; nothing: what every test run does.
sim::Part given_part() {
  const char* text = std::getenv("RECLAIM_SCHEDULES");
  if (text == nullptr) return {.number = 0, .of = 100};
  sim::Part part;
  const bool is_all = std::string_view(text) == "all";
  const bool is_part = !is_all && std::sscanf(text, "%zu/%zu", &part.number, &part.of) == 2 && part.number < part.of;
  EXPECT_TRUE(is_all || is_part) << "RECLAIM_SCHEDULES is `all` or K/N";
  return part;
}

TEST(ArchiveInterleavings, OfThreeRolesLoseNothing) {
  const sim::Part part = given_part();
  std::size_t runs = 0;
  std::size_t left_out = 0;
  std::size_t other_parts = 0;
  std::size_t states = 0;
  const std::vector<Roles> threes = all_threes();
  for (const Roles& three : threes) {
    if (HasFailure()) break;
    SCOPED_TRACE(std::string(kRoles.at(three[0]).name) + ", " + kRoles.at(three[1]).name + ", " + kRoles.at(three[2]).name);
    sim::ReducedSchedules schedules(2, part);
    expect_nothing_wrong(play_all(three, schedules));
    runs += schedules.runs();
    left_out += schedules.left_out();
    other_parts += schedules.other_parts();
    states += schedules.states();
  }
  std::printf("schedules: %zu times three of %zu roles, up to two preemptions: %zu schedules, %zu states (and %zu that were the same)\n",
              threes.size(), kRoleCount, runs, states, left_out);
  if (part.of > 1) {
    std::printf("schedules: that is part %zu of %zu of those with two; at least %zu left out: RECLAIM_SCHEDULES=all\n", part.number,
                part.of, other_parts);
  }
}

TEST(ArchiveInterleavings, AWriteWithoutAGuardIsFoundByAllSchedulesAndByThoseThatDiffer) {
  const Roles roles = {0, kCareless};
  sim::ReducedSchedules reduced(2);
  EXPECT_NE(play_all(roles, reduced).wrong, std::vector<std::string>());
  sim::BoundedSchedules all(2);
  bool is_found = false;
  do is_found = !play(roles, all.director(), false, [] { return true; }).wrong.empty();
  while (!is_found && all.next());
  EXPECT_TRUE(is_found);
}

TEST(ArchiveInterleavings, OfAllRolesBySeedLoseNothingAndAreTheSameAgain) {
  constexpr std::uint64_t kSeeds = 200;
  const Roles all = {0, 1, 2, 3, 4, 5, 6, 7};
  std::uint64_t late = 0;
  const auto once = [&](std::uint64_t seed) {
    sim::SeededSchedule schedule(seed,
                                 {.switch_percent = 20, .deaths_max = 2, .death_permille = 10, .pauses_max = 2, .pause_permille = 10});
    const Played played = play(all, schedule.director(), true, [] { return true; });
    expect_nothing_wrong(played);
    late += played.late;
    return played.told;
  };
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_EQ(once(seed), once(seed));
  }
  std::printf("schedules: all roles, by seeds, each twice: %d; %llu late writes refused\n", static_cast<int>(kSeeds),
              static_cast<unsigned long long>(late));
}

}  // namespace
}  // namespace reclaim::test
