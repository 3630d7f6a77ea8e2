// Many servers at once on one PostgreSQL: every use case and every pass, in any order, from eight threads. Nothing deadlocks, the ledger
// balances, and what nobody needs is gone in the end.
#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "contract/fleet/engines.hpp"

namespace reclaim::test {
namespace {

using namespace std::chrono_literals;
using sim::FleetWorld;

constexpr int kThreads = 8;
constexpr int kWorkers = 4;
constexpr int kOwners = 12;
constexpr int kSteps = 150;  // of each thread

// What is on one worker's machine, and the words of its worker process.
struct Machine {
  std::mutex mutex;
  wire::PerKind<std::set<std::string>> things;
  std::vector<wire::DestroyResult> results;  // the worker's own thread
};

class Crowd : public testing::TestWithParam<unsigned> {
 protected:
  fleet::Context context() {
    fleet::Context context = world.context();
    context.moment.now = context.moment.now + Millis(elapsed_ms += 3);
    return {*database_, context.policy, context.moment, "crowd"};
  }

  // What may be refused: to a crowd that acts on what it does not know.
  template <class T>
  bool done(const Result<T>& result, const char* what) {
    if (result.ok()) return true;
    using Kind = Error::Kind;
    const Kind kind = result.error().kind;
    const bool expected = kind == Kind::kNotFound || kind == Kind::kConflict || kind == Kind::kInvalid;
    EXPECT_TRUE(expected) << what << ": " << result.error().message;
    return false;
  }

  void sync(int worker, sim::Teller& teller) {
    Machine& machine = machines_[worker];
    wire::SyncRequest request = teller.frame("");
    {
      const std::lock_guard lock(machine.mutex);
      for (const ResourceKind kind : kResourceKinds) {
        request.inventories[kind]->added = {machine.things[kind].begin(), machine.things[kind].end()};
      }
    }
    request.results = std::exchange(machine.results, {});
    const Result<fleet::SyncOutcome> outcome = fleet::sync(context(), {.key = "", .worker = "w" + std::to_string(worker)}, request);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    teller.high_water = outcome.value().answer.high_water;
    const std::lock_guard lock(machine.mutex);
    for (const ResourceKind kind : kResourceKinds) {
      for (const std::string& handle : outcome.value().answer.destroy[kind]) {
        machine.things[kind].erase(handle);
        machine.results.push_back(sim::destroyed(kind, handle));
      }
    }
  }

  void create(std::mt19937& random, const fleet::ResourceName& name, int worker) {
    fleet::ResourceSpec spec{.name = name};
    if (random() % 4 != 0) spec.owner = OwnerId("o" + std::to_string(random() % kOwners));
    if (name.kind == ResourceKind::kVolume && random() % 2 == 0) spec.container = Handle("h" + std::to_string(random() % 20));
    if (name.kind == ResourceKind::kVolume && random() % 2 == 0) spec.parent = Handle("h" + std::to_string(random() % 20));
    const auto registered = fleet::register_resource(context(), spec);
    if (!done(registered, "register") || !registered.value().created) return;
    {
      const std::lock_guard lock(machines_[worker].mutex);
      machines_[worker].things[name.kind].insert(name.handle.str());
    }
    done(fleet::resource_created(context(), name), "created");
  }

  void collect(std::mt19937& random) {
    const fleet::Collector& collector = fleet::collectors()[random() % fleet::collectors().size()];
    const Result<fleet::PassReport> report = collector.run(context(), world.claim());
    ASSERT_TRUE(report.ok()) << collector.name << ": " << report.error().message;
    for (const std::string& failure : report.value().failures) ADD_FAILURE() << collector.name << ": " << failure;
  }

  void act(std::mt19937& random) {
    const int worker = static_cast<int>(random() % kWorkers);
    const std::string handle = "h" + std::to_string(random() % 20);
    const std::string worker_name = "w" + std::to_string(worker);
    const auto name = random() % 2 == 0 ? FleetWorld::container(handle, worker_name) : FleetWorld::volume(handle, worker_name);
    const OwnerId owner("o" + std::to_string(random() % kOwners));
    switch (random() % 12) {
      case 0: done(fleet::put_owner(context(), {.id = owner, .kind = "build", .ttl = Millis(200 + random() % 2000)}), "renew"); break;
      case 1: done(fleet::release_owner(context(), owner, Millis(random() % 2 * 100)), "release"); break;
      case 2: done(fleet::touch_resource(context(), name), "touch"); break;
      case 3: done(fleet::pin_resource(context(), name, "because", Millis(100)), "pin"); break;
      case 4: done(fleet::unpin_resource(context(), name), "unpin"); break;
      case 5: done(fleet::own_resource(context(), name, owner), "own"); break;
      case 6: done(fleet::destroy_resource(context(), name), "destroy"); break;
      case 7: done(fleet::delete_owner(context(), owner), "delete owner"); break;
      case 8:
      case 9: collect(random); break;
      default: create(random, name, worker); break;
    }
  }

  void live(int thread) {
    std::mt19937 random(1000 * GetParam() + static_cast<unsigned>(thread));
    for (int i = 0; i < kSteps && !HasFatalFailure(); ++i) {
      act(random);
      if (thread < kWorkers) sync(thread, *tellers_[static_cast<std::size_t>(thread)]);
    }
  }

  FleetStore store_{FleetEngine::kPostgres};
  std::unique_ptr<ports::Database> database_ = sim::must(store_.open());
  FleetWorld world{*database_};
  std::atomic<std::int64_t> elapsed_ms = 0;
  Machine machines_[kWorkers];
  std::vector<std::unique_ptr<sim::Teller>> tellers_;
};

TEST_P(Crowd, DoesEverythingAtOnceAndEndsInTheWantedState) {
  world.policy().touch_grace = 100ms;
  world.policy().unknown_grace = 100ms;
  world.policy().missing_grace = 500ms;
  world.policy().creating_timeout = 10s;
  for (int i = 0; i < kWorkers; ++i) {
    world.enroll("w" + std::to_string(i));
    tellers_.push_back(std::make_unique<sim::Teller>(world, "w" + std::to_string(i)));
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { live(i); });
  }
  EXPECT_EQ(world.unaccounted(), 0);

  for (int i = 0; i < kOwners; ++i) done(fleet::release_owner(context(), OwnerId("o" + std::to_string(i)), 0ms), "release");
  for (int turn = 0; turn < 30 && store_.execute("SELECT COUNT(*) FROM resources") != "0"; ++turn) {
    elapsed_ms += 2000;
    for (int i = 0; i < kWorkers; ++i) sync(i, *tellers_[static_cast<std::size_t>(i)]);
    for (const fleet::Collector& collector : fleet::collectors()) sim::must(collector.run(context(), world.claim()));
  }
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM resources"), "0");
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM unknowns"), "0");
  for (const Machine& machine : machines_) {
    for (const ResourceKind kind : kResourceKinds) EXPECT_TRUE(machine.things[kind].empty());
  }
  EXPECT_EQ(world.unaccounted(), 0);
  EXPECT_EQ(store_.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), "0");
}

INSTANTIATE_TEST_SUITE_P(Seeds, Crowd, testing::Values(1U, 2U, 3U));

}  // namespace
}  // namespace reclaim::test
