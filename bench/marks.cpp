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

// Owners that all ended just now, and what they had, spread over the workers: in two statements, as registering takes its time.
void fill(const test::FleetStore& store, sim::FleetWorld& world, const Options& options, std::int64_t workers) {
  for (std::int64_t w = 0; w < workers; ++w) world.enroll("w" + std::to_string(w));
  const std::string now = std::to_string(world.context().moment.now.ms);
  const std::int64_t owners = options.rows / options.rows_of_owner;
  const auto series = [](std::int64_t count) {
    return "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < " + std::to_string(count - 1) + ") ";
  };
  const std::string owner = "n / " + std::to_string(options.rows_of_owner);
  const std::string worker = "(" + owner + ") % " + std::to_string(workers);
  store.execute(series(owners) +
                "INSERT INTO owners (name, kind, renewed, interruptible, labels, created_wall, released, released_wall, release_reason) "
                "SELECT 'build-' || n, 'build', " +
                now + ", 1, '{}', 0, " + now + ", 0, 'released' FROM s");
  store.execute(series(owners * options.rows_of_owner) +
                "INSERT INTO resources (worker_id, kind, handle, owner_id, state, since_wall, entered, change, present) "
                "SELECT (SELECT w.id FROM workers w WHERE w.name = 'w' || (" +
                worker + ")), 0, 'c' || n, (SELECT o.id FROM owners o WHERE o.name = 'build-' || (" + owner +
                ")), 'created', 0, 0, 1, 0 FROM s");
  store.execute("UPDATE workers SET change = 1, registered = (SELECT COUNT(*) FROM resources r WHERE r.worker_id = workers.id)");
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
