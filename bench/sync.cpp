// What one sync costs: the first full inventory of a worker whose containers are all known, the same again in a new session, a delta of
// 100 changes, and nothing new, as a delta and as a `same` frame.
#include "fleet/sync.hpp"

#include "measure.hpp"
#include "sim/counting_database.hpp"
#include "sim/fleet_world.hpp"
#include "support/reporter.hpp"

namespace reclaim::bench {
namespace {

using test::Reporter;

constexpr std::int64_t kChanges = 100;
constexpr int kQuietTimes = 200;  // a quiet sync is shorter than the clock's step

struct Sample {
  std::string name;
  sim::Cost cost;
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;
  std::vector<double> wall;
  std::vector<double> cpu;
};

class SyncBench {
 public:
  explicit SyncBench(test::FleetEngine engine) : engine_(engine), store_(engine) { world_.own("build"); }

  // One worker's life, added to the samples.
  void run(std::int64_t size, std::vector<Sample>& samples) {
    const std::string worker = "w" + std::to_string(++workers_);
    world_.enroll(worker);
    store_.fill({.count = size, .worker = worker, .owner = "build"});
    Reporter first(world_, worker, 1);
    measure(samples.at(0), first, 1, [&] { return first.full(Reporter::handles(size)); });
    Reporter reporter(world_, worker, 2);
    measure(samples.at(1), reporter, 1, [&] { return reporter.full(Reporter::handles(size)); });
    reporter.tell(reporter.delta());
    const std::vector<std::string> vanishing = Reporter::handles(kChanges / 2);
    measure(samples.at(2), reporter, 1, [&] { return reporter.delta(Reporter::handles(kChanges / 2, "new-"), vanishing); });
    reporter.tell(reporter.delta());
    measure(samples.at(3), reporter, kQuietTimes, [&] { return reporter.delta(); });
    measure(samples.at(4), reporter, kQuietTimes, [&] { return reporter.same(); });
  }

  std::string durability() const { return bench::durability(engine_, store_); }

 private:
  template <class Frame>
  void measure(Sample& sample, Reporter& reporter, int times, const Frame& frame) {
    std::vector<wire::SyncRequest> requests;
    requests.reserve(static_cast<std::size_t>(times));
    for (int i = 0; i < times; ++i) requests.push_back(frame());
    counting_.take();
    wire::SyncAnswer answer;
    std::size_t next = 0;
    const Took took = bench::took(clock_, times, [&] {
      wire::SyncRequest& request = requests[next++];
      request.as_of = reporter.high_water();
      answer = reporter.tell(request);
    });
    sample.cost = counting_.take();
    sample.cost.statements /= times;
    sample.cost.begins /= times;
    sample.cost.commits /= times;
    sample.bytes_in = to_json(requests.back()).size();
    sample.bytes_out = to_json(answer).size();
    sample.wall.push_back(took.wall_ms);
    sample.cpu.push_back(took.cpu_ms);
  }

  test::FleetEngine engine_;
  test::FleetStore store_;
  std::unique_ptr<ports::Database> database_ = sim::must(store_.open());
  sim::CountingDatabase counting_{*database_};
  sim::FleetWorld world_{counting_};
  system::SystemClock clock_;
  int workers_ = 0;
};

wire::Json row_of(test::FleetEngine engine, const std::string& durability, std::int64_t size, const Sample& sample) {
  const Spread wall = spread_of(sample.wall);
  return {{"engine", name_of(engine)},
          {"durability", durability},
          {"handles", size},
          {"sync", sample.name},
          {"statements", sample.cost.statements},
          {"begins", sample.cost.begins},
          {"commits", sample.cost.commits},
          {"bytes_in", sample.bytes_in},
          {"bytes_out", sample.bytes_out},
          {"median_ms", wall.median},
          {"min_ms", wall.least},
          {"max_ms", wall.most},
          {"client_cpu_ms", spread_of(sample.cpu).median}};
}

}  // namespace

void bench_sync(const Options& options) {
  std::vector<wire::Json> rows;
  for (const test::FleetEngine engine : engines(options)) {
    SyncBench bench(engine);
    for (const std::int64_t size : options.handles) {
      std::vector<Sample> samples{
          {.name = "full, first"}, {.name = "full, again"}, {.name = "delta of 100"}, {.name = "nothing new"}, {.name = "same"}};
      for (int i = 0; i < options.runs; ++i) bench.run(size, samples);
      for (const Sample& sample : samples) rows.push_back(row_of(engine, bench.durability(), size, sample));
    }
  }
  print(options, "sync", rows,
        {"engine", "durability", "handles", "sync", "statements", "begins", "commits", "bytes_in", "bytes_out", "median_ms", "min_ms",
         "max_ms", "client_cpu_ms"});
}

}  // namespace reclaim::bench
