// How fast the orphans of released owners are marked, how long its slowest statement takes, and what a worker that syncs meanwhile
// feels of it.
#include <atomic>
#include <thread>

#include "measure.hpp"
#include "sim/counting_database.hpp"
#include "sim/fleet_world.hpp"
#include "support/reporter.hpp"

namespace reclaim::bench {
namespace {

using test::Reporter;

struct Marks {
  std::int64_t marked = 0;
  double seconds = 0;
  sim::Cost cost;
  std::vector<double> syncs_ms;
};

// Syncs of a bystander, one after the other, every second one with a change, until told to stop.
std::vector<double> sync_until(const std::atomic<bool>& stop, sim::FleetWorld& world, const Clock& clock) {
  std::vector<double> times;
  Reporter reporter(world, "bystander");
  reporter.tell(reporter.full({}));
  for (int i = 0; !stop; ++i) {
    const wire::SyncRequest request = i % 2 == 0 ? reporter.delta() : reporter.delta({"x" + std::to_string(i)});
    const Instant before = clock.now();
    reporter.tell(request);
    times.push_back(static_cast<double>((clock.now() - before).count()));
  }
  return times;
}

void fill(const test::FleetStore& store, sim::FleetWorld& world, const Options& options, std::int64_t workers) {
  for (std::int64_t w = 1; w <= workers; ++w) world.enroll("w" + std::to_string(w));
  for (std::int64_t i = 0; i < options.rows / options.rows_of_owner; ++i) {
    const std::string owner = "build-" + std::to_string(i);
    world.own(owner);
    store.fill({.count = options.rows_of_owner, .prefix = owner + "-", .worker = "w" + std::to_string(i % workers + 1), .owner = owner});
    world.release(owner);
  }
}

Marks mark(const test::FleetStore& store, const Options& options, std::int64_t workers) {
  const system::SystemClock clock;
  const std::unique_ptr<ports::Database> database = sim::must(store.open());
  sim::FleetWorld beside(*database);
  sim::CountingDatabase counting(*database, &clock);
  sim::FleetWorld world(counting);
  world.enroll("bystander", fleet::Existing::kHold);
  fill(store, world, options, workers);
  Marks marks;
  counting.take();
  std::atomic<bool> stop = false;
  std::jthread bystander([&] { marks.syncs_ms = sync_until(stop, beside, clock); });
  const Took took = bench::took(clock, 1, [&] {
    for (bool more = true; more;) {
      const fleet::PassReport report = world.run("mark-orphans");
      marks.marked += report.changed;
      more = report.more;
    }
  });
  stop = true;
  bystander.join();
  marks.seconds = took.wall_ms / 1000;
  marks.cost = counting.take();
  return marks;
}

}  // namespace

void bench_marks(const Options& options) {
  std::vector<wire::Json> rows;
  for (const test::FleetEngine engine : engines(options)) {
    for (const std::int64_t workers : {1, 100}) {
      const test::FleetStore store(engine);
      const Marks marks = mark(store, options, workers);
      rows.push_back({{"engine", name_of(engine)},
                      {"durability", durability(engine, store)},
                      {"workers", workers},
                      {"marked", marks.marked},
                      {"seconds", marks.seconds},
                      {"rows_per_s", static_cast<std::int64_t>(static_cast<double>(marks.marked) / marks.seconds)},
                      {"statements", marks.cost.statements},
                      {"slowest_ms", marks.cost.slowest.count()},
                      {"slowest", marks.cost.slowest_name},
                      {"syncs_beside", marks.syncs_ms.size()},
                      {"sync_p50_ms", percentile(marks.syncs_ms, 0.5)},
                      {"sync_p99_ms", percentile(marks.syncs_ms, 0.99)}});
    }
  }
  print(options, "marks", rows,
        {"engine", "durability", "workers", "marked", "seconds", "rows_per_s", "statements", "slowest_ms", "slowest", "syncs_beside",
         "sync_p50_ms", "sync_p99_ms"});
}

}  // namespace reclaim::bench
