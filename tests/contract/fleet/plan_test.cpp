// Plans: what the passes would do, and doing exactly that, or refusing what has changed.
#include "fleet/plan.hpp"

#include <algorithm>
#include <future>

#include "contract/fleet/engines.hpp"
#include "ports/statements.hpp"
#include "sim/teller.hpp"
#include "support/manual_clock.hpp"
#include "support/pausing_database.hpp"

namespace reclaim::test {
namespace {

using fleet::AppliedItem;
using fleet::PlanItem;
using sim::FleetWorld;
using sim::must;
using namespace std::chrono_literals;

std::string line_of(const PlanItem& item) {
  return item.pass + " " + (item.worker.empty() ? "-" : item.worker) + " " + std::string(kind_of(item)) + " " + item.candidate.handle;
}

std::vector<std::string> lines_of(const fleet::Plan& plan) {
  std::vector<std::string> lines;
  for (const PlanItem& item : plan.items) lines.push_back(line_of(item));
  return lines;
}

// `c:done root:it is pinned`
std::string outcomes_of(const std::vector<AppliedItem>& applied) {
  std::string text;
  for (const AppliedItem& each : applied) {
    text += (text.empty() ? "" : ", ") + each.item.candidate.handle + ": " + (each.refused.empty() ? "done" : each.refused);
  }
  return text;
}

class Plans : public testing::TestWithParam<FleetEngine> {
 protected:
  void SetUp() override {
    world.enroll("w1");
    world.own("build");
  }

  fleet::Plan plan(std::vector<std::string> passes = {}, std::optional<std::string> worker = {}) {
    fleet::PlanScope scope{.passes = std::move(passes), .worker = {}};
    if (worker) scope.worker = WorkerName(*worker);
    return must(fleet::make_plan(world.context(), random_, scope));
  }
  std::string apply(const fleet::Plan& plan) { return outcomes_of(must(fleet::apply_plan(world.context("token:op"), plan.id))); }
  std::string events(const std::string& action) { return store_.execute("SELECT COUNT(*) FROM events WHERE action = '" + action + "'"); }

  FleetStore store_{GetParam()};
  std::unique_ptr<ports::Database> database_ = must(store_.open());
  CountingRandom random_;
  FleetWorld world{*database_};
};

TEST_P(Plans, ShowsAWholeTreeInTheOrderInWhichItGoesAndChangesNothing) {
  world.add_container("c", "build");
  world.add_volume("scratch", {.container = "c"});
  world.add_volume("root", {.owner = "build"});
  world.add_volume("leaf", {.owner = "build", .parent = "root"});
  EXPECT_EQ(plan().items.size(), 0U);
  world.release("build");
  const std::string before = world.containers() + " " + world.volumes();
  const fleet::Plan planned = plan();
  std::vector<std::string> lines = lines_of(planned);
  EXPECT_LT(std::ranges::find(lines, "mark-orphans w1 volume leaf"), std::ranges::find(lines, "mark-orphans w1 volume root"));
  EXPECT_LT(std::ranges::find(lines, "mark-orphans w1 container c"), std::ranges::find(lines, "mark-orphans w1 volume scratch"));
  EXPECT_EQ(lines.size(), 4U);
  EXPECT_EQ(planned.items[0].candidate.reason, "orphan: its owner is released or expired");
  EXPECT_EQ(world.containers() + " " + world.volumes(), before);
  EXPECT_EQ(events("marked"), "0");

  must(fleet::apply_plan(world.context("token:op"), planned.id));
  EXPECT_EQ(world.containers(), "c:destroying");
  EXPECT_EQ(world.volumes(), "leaf:destroying root:destroying scratch:destroying");
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM events WHERE action = 'marked' AND actor = 'token:op'"), "4");
  EXPECT_EQ(world.unaccounted(), 0);
}

TEST_P(Plans, ShowsWhatEveryPassWouldDo) {
  world.policy().creating_timeout = 1min;
  world.policy().worker_expiry = 24h;
  sim::Teller teller(world);
  world.own("session", 30s);
  world.add_container("orphan", "");
  for (const char* handle : {"slow", "broken"}) {
    must(fleet::register_resource(world.context(), {.name = FleetWorld::container(handle), .owner = OwnerId("build")}));
  }
  must(fleet::resource_failed(world.context(), FleetWorld::container("broken")));
  world.add_container("vanished", "build");
  teller.tell("orphan stranger");
  teller.tell("orphan stranger");
  world.advance(10min);
  world.enroll("w2");
  must(fleet::retire_worker(world.context(), WorkerName("w2")));
  const fleet::Plan planned = plan();
  const std::vector<std::string> expected{"release-expired-owners - owner session", "creating-deadline w1 container slow",
                                          "mark-failed w1 container broken",        "mark-orphans w1 container orphan",
                                          "missing w1 container vanished",          "unknown w1 container stranger",
                                          "worker-lifecycle w2 worker w2"};
  EXPECT_EQ(lines_of(planned), expected);
  EXPECT_EQ(apply(planned), "session: done, slow: done, broken: done, orphan: done, vanished: done, stranger: done, w2: done");
  EXPECT_EQ(world.containers(), "broken:destroying orphan:destroying slow:failed stranger:destroying");
  EXPECT_FALSE(fleet::find_worker(world.context(), WorkerName("w2")).ok());
  EXPECT_FALSE(must(fleet::find_owner(world.context(), OwnerId("session"))).live);
  EXPECT_EQ(world.unaccounted(), 0);
  EXPECT_EQ(apply(planned),
            "session: it was renewed, released or deleted, slow: it is failed, broken: it is destroying, orphan: it is "
            "destroying, vanished: it is gone, stranger: it is known now, or gone, w2: its worker is gone");
}

TEST_P(Plans, OfSomePassesOrOneWorkerHoldNothingElse) {
  world.enroll("w2");
  world.add_container("a", "");
  world.add_container("b", "", "w2");
  must(fleet::register_resource(world.context(), {.name = FleetWorld::container("broken")}));
  must(fleet::resource_failed(world.context(), FleetWorld::container("broken")));
  EXPECT_EQ(lines_of(plan({}, "w2")), std::vector<std::string>{"mark-orphans w2 container b"});
  EXPECT_EQ(lines_of(plan({"mark-failed"})), std::vector<std::string>{"mark-failed w1 container broken"});
  EXPECT_EQ(plan({"missing"}).items.size(), 0U);
  EXPECT_EQ(fleet::make_plan(world.context(), random_, {.passes = {"mark-everything"}, .worker = {}}).error().field, "passes");
  EXPECT_EQ(fleet::make_plan(world.context(), random_, {.passes = {}, .worker = WorkerName("w9")}).error().field, "worker");
}

TEST_P(Plans, RefuseWhatWasRescuedAndDoTheRest) {
  world.own("heir");
  for (const char* handle : {"touched", "pinned", "owned", "parent", "left"}) world.add_volume(handle, {.owner = "build"});
  world.release("build");
  const fleet::Plan planned = plan();
  ASSERT_EQ(planned.items.size(), 5U);
  must(fleet::touch_resource(world.context(), FleetWorld::volume("touched")));
  must(fleet::pin_resource(world.context(), FleetWorld::volume("pinned"), "debugging", {}));
  must(fleet::own_resource(world.context(), FleetWorld::volume("owned"), OwnerId("heir")));
  world.add_volume("child", {.owner = "heir", .parent = "parent"});
  const std::string outcomes = apply(planned);
  for (const char* outcome :
       {"touched: it was touched", "pinned: it is pinned", "owned: its owner is live", "parent: volume child hangs on it", "left: done"}) {
    EXPECT_NE(outcomes.find(outcome), std::string::npos) << outcomes;
  }
  EXPECT_EQ(world.volumes(), "child:created left:destroying owned:created parent:created pinned:created touched:created");
}

// Pinned and unpinned again: it is an orphan as before, but not the row that the plan saw.
TEST_P(Plans, RefuseARowThatHasChangedAndChangedBack) {
  world.add_container("c", "");
  const fleet::Plan planned = plan();
  must(fleet::pin_resource(world.context(), FleetWorld::container("c"), "a look", {}));
  must(fleet::unpin_resource(world.context(), FleetWorld::container("c")));
  EXPECT_EQ(apply(planned), "c: it or its owner has changed");
  EXPECT_EQ(world.containers(), "c:created");
}

TEST_P(Plans, RefuseTheNextBearerOfAHandle) {
  sim::Teller teller(world);
  world.add_container("c", "");
  const fleet::Plan planned = plan();
  world.collect();
  teller.tell("");
  teller.tell("");
  ASSERT_EQ(world.containers(), "");
  world.add_container("c", "");
  EXPECT_EQ(apply(planned), "c: it is gone");
  EXPECT_EQ(world.containers(), "c:created");
}

TEST_P(Plans, LeaveAStalledWorkerAlone) {
  sim::Teller teller(world);
  teller.tell("");
  world.add_container("c", "");
  const fleet::Plan planned = plan({"mark-orphans"});
  world.advance(1h - 1ms);
  EXPECT_EQ(plan({"mark-orphans"}).items.size(), 0U);
  EXPECT_EQ(apply(planned), "c: its worker is stalled: its rows are frozen");
}

TEST_P(Plans, RefuseToStallAWorkerThatHasSyncedSince) {
  sim::Teller teller(world);
  teller.tell("");
  world.advance(5min);
  const fleet::Plan planned = plan();
  EXPECT_EQ(lines_of(planned), std::vector<std::string>{"worker-lifecycle w1 worker w1"});
  EXPECT_EQ(planned.items[0].candidate.reason, "stalled: no sync until its expiry");
  teller.tell("");
  EXPECT_EQ(apply(planned), "w1: it has synced, or its life has moved on");
}

TEST_P(Plans, AreAppliedByAnyServer) {
  world.add_container("c", "");
  const fleet::Plan planned = plan();
  const std::unique_ptr<ports::Database> other = must(store_.open());
  const fleet::Context here = world.context();
  const fleet::Context there{*other, here.policy, here.moment, here.actor};
  EXPECT_EQ(outcomes_of(must(fleet::apply_plan(there, planned.id))), "c: done");
}

TEST_P(Plans, AreBoundedAndSayWhenThereIsMore) {
  store_.fill({.count = 10'050, .owner = "build"});
  world.release("build");
  const fleet::Plan planned = plan();
  EXPECT_EQ(planned.items.size(), fleet::kPlanItemsMax);
  EXPECT_TRUE(planned.truncated);
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM resources WHERE state = 'destroying'"), "0");
  const std::vector<AppliedItem> applied = must(fleet::apply_plan(world.context(), planned.id));
  EXPECT_TRUE(std::ranges::all_of(applied, [](const AppliedItem& each) { return each.refused.empty(); }));
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM resources WHERE state = 'destroying'"), "10000");
  const fleet::Plan rest = plan();
  EXPECT_EQ(rest.items.size(), 50U);
  EXPECT_FALSE(rest.truncated);
}

TEST_P(Plans, AreKeptForAnHourAndTheLatestSixteen) {
  const fleet::Plan first = plan();
  world.advance(1h);
  EXPECT_EQ(apply(first), "");
  world.advance(1ms);
  EXPECT_EQ(fleet::apply_plan(world.context(), first.id).error().kind, Error::Kind::kNotFound);
  std::vector<fleet::Plan> plans;
  for (int i = 0; i < 17; ++i) {
    world.advance(1ms);
    plans.push_back(plan());
  }
  EXPECT_EQ(fleet::apply_plan(world.context(), plans[0].id).error().kind, Error::Kind::kNotFound);
  EXPECT_EQ(apply(plans[1]), "");
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM plans"), "16");
}

ON_BOTH_ENGINES(Plans);

// Two servers over one PostgreSQL: one applies and stops just before a statement, the other rescues.
class ApplyRace : public testing::Test {
 protected:
  void SetUp() override {
    world.enroll("w1");
    world.own("build");
    world.own("heir");
    world.add_volume("v", {.owner = "build"});
  }

  fleet::Context at(ports::Database& database, Millis later = 0ms) {
    fleet::Context context = world.context();
    context.moment.now = context.moment.now + later;
    return {database, context.policy, context.moment, context.actor};
  }
  auto start_applying(PausingDatabase& pausing, Millis later = 0ms) {
    const fleet::Plan plan = must(fleet::make_plan(at(*first_, later), random_, {.passes = {"mark-orphans"}, .worker = {}}));
    check(plan.items.size() == 1, "the volume is an orphan");
    auto applying = std::async(
        std::launch::async, [this, &pausing, later, id = plan.id] { return outcomes_of(must(fleet::apply_plan(at(pausing, later), id))); });
    pausing.wait_until_reached();
    return applying;
  }
  std::string state() { return world.volumes().substr(0, world.volumes().find(' ')); }

  FleetStore store_{FleetEngine::kPostgres};
  std::unique_ptr<ports::Database> first_ = must(store_.open());
  std::unique_ptr<ports::Database> second_ = must(store_.open());
  CountingRandom random_;
  FleetWorld world{*first_};
};

struct Rescue {
  const char* name;
  void (*run)(const fleet::Context& context);
  const char* refusal;
};

const Rescue kRescues[] = {
    {"Touched", [](const fleet::Context& context) { must(fleet::touch_resource(context, FleetWorld::volume("v"))); }, "v: it was touched"},
    {"Pinned", [](const fleet::Context& context) { must(fleet::pin_resource(context, FleetWorld::volume("v"), "debugging", {})); },
     "v: it is pinned"},
    {"Reowned", [](const fleet::Context& context) { must(fleet::own_resource(context, FleetWorld::volume("v"), OwnerId("heir"))); },
     "v: its owner is live"},
    {"GivenAChild",
     [](const fleet::Context& context) {
       must(fleet::register_resource(context, {.name = FleetWorld::volume("w"), .owner = OwnerId("heir"), .parent = Handle("v")}));
     },
     "v: volume w hangs on it"},
};

class RescuedFromPlan : public ApplyRace, public testing::WithParamInterface<Rescue> {};

TEST_P(RescuedFromPlan, BeforeApplyingHasTheLockIsRefused) {
  world.release("build");
  PausingDatabase pausing(*second_, sql::worker_lock_by_id);
  auto applying = start_applying(pausing);
  GetParam().run(world.context());
  pausing.go_on();
  EXPECT_EQ(applying.get(), GetParam().refusal);
  EXPECT_EQ(state(), "v:created");
}

INSTANTIATE_TEST_SUITE_P(Race, RescuedFromPlan, testing::ValuesIn(kRescues), [](const auto& each) { return each.param.name; });

TEST_F(ApplyRace, ARescueThatComesAfterTheLockIsToldThatItIsTooLate) {
  world.release("build");
  PausingDatabase pausing(*second_, sql::orphan_mark);
  auto applying = start_applying(pausing);
  auto rescuing = std::async(std::launch::async, [this] {
    const auto touched = fleet::touch_resource(at(*first_), FleetWorld::volume("v"));
    return touched.ok() ? Error::Kind::kNotFound : touched.error().kind;
  });
  pausing.go_on();
  EXPECT_EQ(applying.get(), "v: done");
  EXPECT_EQ(rescuing.get(), Error::Kind::kConflict);
}

// The applying server's clock is ahead by a second: for it the lease has run out, for the renewing one it has not.
TEST_F(ApplyRace, AnOwnerRenewedBeforeItIsHeldKeepsItsResources) {
  world.own("lease", 60s);
  must(fleet::own_resource(world.context(), FleetWorld::volume("v"), OwnerId("lease")));
  PausingDatabase pausing(*second_, sql::orphan_hold_owners);
  auto applying = start_applying(pausing, 60s);
  must(fleet::put_owner(at(*first_, 59s), {.id = OwnerId("lease"), .kind = "build", .ttl = 60s}));
  pausing.go_on();
  EXPECT_EQ(applying.get(), "v: its owner is live");
  EXPECT_EQ(state(), "v:created");
}

TEST_F(ApplyRace, TwoServersApplyEachItemOnce) {
  store_.fill({.count = 3500, .owner = "build"});
  world.release("build");
  const fleet::Plan plan = must(fleet::make_plan(world.context(), random_, {}));
  ASSERT_EQ(plan.items.size(), 3501U);
  const auto count_done = [](const std::vector<AppliedItem>& applied) {
    return std::ranges::count_if(applied, [](const AppliedItem& each) { return each.refused.empty(); });
  };
  auto other = std::async(std::launch::async, [&] { return count_done(must(fleet::apply_plan(at(*second_), plan.id))); });
  const auto mine = count_done(must(fleet::apply_plan(at(*first_), plan.id)));
  EXPECT_EQ(mine + other.get(), 3501);
  EXPECT_EQ(store_.execute("SELECT COUNT(*) FROM events WHERE action = 'marked'"), "3501");
}

}  // namespace
}  // namespace reclaim::test
