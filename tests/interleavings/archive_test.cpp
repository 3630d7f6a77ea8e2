// Three of the archive's roles, handing over at each call to the store and the database, in every schedule of one preemption; and all
// roles at once, by seeds, of whom some die. A pause of one role while a collector is at work is longer than its timeout: what it writes
// afterwards comes too late. Whatever they did, those who come after them bring it to rest: each request that was accepted is in one place
// (A1) or has ended on record (A2), the tape has left service with an empty queue (A4, A5), and the store is clean.
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
};

// A part with an agent and a hand of its own.
template <class Work>
void with_hand(Scene& scene, const char* name, Work&& work) {
  const auto agent = agents::Agent::register_as(scene.staged_store, name, "maintenance");
  if (!agent.ok()) return;
  Hand hand(scene.staged_store, *agent.value());
  ArchiveEstate estate(hand, [&scene] { return scene.staged(); });
  work(hand, estate);
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

constexpr std::size_t kSecondCleaner = 1;
constexpr std::size_t kCollector = 4;
constexpr std::size_t kOperator = 7;

struct Role {
  const char* name;
  std::function<void(Scene&)> part;
};

const std::array<Role, 8> kRoles = {{
    {"cleaner", [](Scene& scene) { clean(scene, "cleaner"); }},
    {"second cleaner", [](Scene& scene) { clean(scene, "second"); }},
    {"drive",
     [](Scene& scene) {
       serve("D1", {scene.staged_database, scene.staged_store, scene.library, scene.buffer}, kMounts);
     }},
    {"reporter", tell},
    {"collector", collect},
    {"submitter", submit},
    {"canceller", cancel},
    {"operator", take_out},
}};

// Everybody who comes later, unhindered: until nothing is left to be done.
void come_to_rest(Scene& scene) {
  Process process(*scene.database, scene.store, "later");
  process.run_all();
  serve("D2", {*scene.database, scene.store, scene.library, scene.buffer}, kMounts);
  for (int round = 0; round < 2; ++round) {
    (void)scene.report_once(process);
    process.run_all();
  }
}

// A submitter that dies before it is answered may leave a request that nobody was promised.
void expect_all_there(Scene& scene, bool may_be_more) {
  EXPECT_EQ(scene.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(scene.contents().count(to_transfer("V1")), 0u);
  std::multiset<RequestId> found = scene.all_requests();
  for (const auto& one : sim::must(list_ended(scene.context(), "", 100))) found.insert(one.ended.id);
  for (const RequestId& id : scene.accepted) EXPECT_EQ(found.count(id), 1u) << text_of(id);
  EXPECT_LE(found.size(), scene.accepted.size() + (may_be_more ? 1 : 0));
  EXPECT_TRUE(sim::must(list_mounts(scene.store)).empty());
  expect_clean(scene, "at the end");
}

// What happened, told.
template <class Roles>
std::string play(const Roles& roles, const sim::Director& director, bool may_die) {
  Scene scene;
  const bool asks = std::ranges::any_of(roles, [](std::size_t role) { return role == kOperator; });
  if (!asks) scene.ask("V1", TapeState::kBroken);
  for (const std::size_t role : roles) {
    const Role& one = kRoles.at(role);
    scene.stage.add(one.name, [&scene, &one] { one.part(scene); });
  }
  const bool has_ended = scene.stage.play(director);
  EXPECT_TRUE(has_ended);
  if (may_die) scene.ask("V1", TapeState::kBroken);
  come_to_rest(scene);
  expect_all_there(scene, may_die);
  std::string told = scene.stage.told();
  if (testing::Test::HasFailure()) std::printf("%s", told.c_str());
  return told;
}

using Three = std::array<std::size_t, 3>;

std::size_t play_all(const Three& roles, std::size_t preemptions) {
  sim::BoundedSchedules schedules(preemptions);
  do (void)play(roles, schedules.director(), false);
  while (!testing::Test::HasFailure() && schedules.next());
  return schedules.runs();
}

// Every two beside a collector, before whom each of them may come too late; with RECLAIM_SCHEDULES=all every three. A second cleaner
// without the first is the first.
std::vector<Three> all_threes() {
  const char* which = std::getenv("RECLAIM_SCHEDULES");
  const bool all = which != nullptr && std::string_view(which) == "all";
  std::vector<Three> threes;
  for (std::size_t a = 0; a < kRoles.size(); ++a) {
    for (std::size_t b = a + 1; b < kRoles.size() && a != kSecondCleaner; ++b) {
      for (std::size_t c = b + 1; c < kRoles.size(); ++c) {
        const bool has_collector = a == kCollector || b == kCollector || c == kCollector;
        if (all || has_collector) threes.push_back({a, b, c});
      }
    }
  }
  return threes;
}

TEST(ArchiveInterleavings, OfThreeRolesLoseNothing) {
  std::size_t runs = 0;
  const std::vector<Three> threes = all_threes();
  for (const Three& three : threes) {
    if (HasFailure()) break;
    SCOPED_TRACE(std::string(kRoles.at(three[0]).name) + ", " + kRoles.at(three[1]).name + ", " + kRoles.at(three[2]).name);
    runs += play_all(three, 1);
  }
  std::printf("schedules: %zu times three of %zu roles, one preemption: %zu\n", threes.size(), kRoles.size(), runs);
}

TEST(ArchiveInterleavings, OfAllRolesBySeedLoseNothingAndAreTheSameAgain) {
  constexpr std::uint64_t kSeeds = 200;
  constexpr std::array<std::size_t, 8> kAll = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto once = [&](std::uint64_t seed) {
    sim::SeededSchedule schedule(seed, {.switch_percent = 20, .deaths_max = 2, .death_permille = 10});
    return play(kAll, schedule.director(), true);
  };
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_EQ(once(seed), once(seed));
  }
  std::printf("schedules: all roles, by seeds, each twice: %d\n", static_cast<int>(kSeeds));
}

}  // namespace
}  // namespace reclaim::test
