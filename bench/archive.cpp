// What requests cost on their way: enqueued, taken by a drive, cleaned up when their tape leaves service, and given back when the agent
// that has them dies. On LMDB with fsync or on a Ceph of its own, and a catalogue in SQLite, by the code that a server runs. Rates, and
// calls to the store for each request: what grows with nothing stays flat as the queue grows.
#include <fmt/format.h>

#include <memory>

#include "agents/takeover.hpp"
#include "archive/cleanup.hpp"
#include "archive/enqueue.hpp"
#include "archive/estate.hpp"
#include "archive/files.hpp"
#include "archive/take.hpp"
#include "archive/tapes.hpp"
#include "measure.hpp"
#include "sim/counting_store.hpp"
#include "stores.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::bench {
namespace {

constexpr std::int64_t kFiles = 10'000;
constexpr int kOthers = 4;  // tapes with the second copies
constexpr std::size_t kNoLimit = 100'000'000;

// A process of the archive: an agent and its hand.
struct Worker {
  explicit Worker(ports::ObjectStore& store, const std::string& name)
      : agent(agents::Agent::register_as(store, name, "bench").value()), hand(store, *agent) {}

  std::unique_ptr<agents::Agent> agent;
  archive::Hand hand;
};

class Archive {
 public:
  // Files whose first copy is on V0, and, where there are two, whose second is on one of V1 to V4.
  Archive(Stores& stores, bool has_two_copies)
      : database_(databases_.open().value()), opened_(stores.open(directory_ / "store")), store(*opened_) {
    for (int i = 0; i <= kOthers; ++i) {
      (void)archive::add_tape(context(), {.vid = tape(i), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")}).value();
    }
    std::vector<archive::FileSpec> files;
    for (std::int64_t i = 1; i <= kFiles; ++i) {
      archive::FileSpec file{archive::FileId("f" + std::to_string(i)), 1'000'000'000, "adler32:1e0b0402", {{tape(0), i}}};
      if (has_two_copies) file.copies.push_back({tape(static_cast<int>(1 + i % kOthers)), i});
      files.push_back(std::move(file));
    }
    for (const auto& added : archive::add_files(context(), files).value()) (void)added.value();
  }

  static archive::Vid tape(int number) { return archive::Vid("V" + std::to_string(number)); }
  archive::QueueId leaving() const { return {tape(0), archive::QueueType::kToTransfer}; }
  archive::Context context() const { return {*database_, {.ms = 1'800'000'000'000}, "bench"}; }

  // All of them wait for V0: the others are out of service meanwhile.
  void enqueue(std::int64_t requests, std::int64_t at_once) {
    ask_others(archive::TapeState::kBroken, "not yet");
    finish_others();
    Worker desk(store, "desk");
    archive::Enqueuer enqueuer(desk.hand);
    for (std::int64_t from = 0; from < requests; from += at_once) {
      std::vector<archive::Submission> batch;
      for (std::int64_t i = from; i < std::min(from + at_once, requests); ++i) {
        batch.push_back({.file = archive::FileId("f" + std::to_string(1 + i % kFiles)), .destination = "out/" + std::to_string(i)});
      }
      for (const auto& answer : enqueuer.enqueue(context(), batch, 1'800'000'000'000)) (void)answer.value();
    }
    enqueuer.rest();
    desk.hand.rest().value();
    ask_others(archive::TapeState::kActive, "");
  }

 private:
  void ask_others(archive::TapeState state, const std::string& reason) const {
    for (int i = 1; i <= kOthers; ++i) (void)archive::ask_tape_state(context(), tape(i), state, reason).value();
  }
  void finish_others() const {
    for (const archive::PendingTape& pending : archive::pending_tapes(context()).value()) {
      (void)archive::finish_pending(context(), pending).value();
    }
  }

  testing_support::TempDirectory directory_;
  test::FleetStore databases_{test::FleetEngine::kSqlite};
  std::unique_ptr<ports::Database> database_;
  std::unique_ptr<ports::ObjectStore> opened_;

 public:
  sim::CountingStore store;
};

struct Sample {
  std::vector<double> rate;
  double calls = 0;  // for each request
  double rounds = 0;
};

void measure(Sample& sample, Archive& archive, std::int64_t requests, const std::function<void()>& work) {
  const system::SystemClock clock;
  (void)archive.store.take();
  const Took took = bench::took(clock, 1, work);
  const sim::StoreCost cost = archive.store.take();
  const auto count = static_cast<double>(requests);
  sample.rate.push_back(count / std::max(took.wall_ms, 1.0) * 1e3);
  sample.calls = static_cast<double>(cost.count()) / count;
  sample.rounds = static_cast<double>(cost.batches) / count;
}

void clean(Archive& archive) {
  (void)archive::ask_tape_state(archive.context(), Archive::tape(0), archive::TapeState::kBroken, "dropped").value();
  Worker cleaner(archive.store, "cleaner");
  archive::ArchiveEstate estate(cleaner.hand, [&archive] { return archive.context(); });
  while (archive::clean_up(archive.context(), cleaner.hand, estate, kNoLimit).value().finished == 0) continue;
}

// Whatever the queue has, a few segments at a time, as a drive does.
void take_all(Archive& archive, Worker& drive) {
  const archive::Choose in_order = [](const archive::stored::Queue& queue) {
    return std::vector<archive::stored::Queue::Pointer>(queue.pointers().begin(), queue.pointers().end());
  };
  while (!archive::take(drive.hand, archive.leaving(), in_order).value().segments.empty()) continue;
}

// From the moment at which the dead one is known to be dead.
void bench_one_takeover(Archive& archive, std::int64_t requests, Sample& sample) {
  Worker dead(archive.store, "drive");
  take_all(archive, dead);
  constexpr Millis kTimeout{1000};
  Worker collector(archive.store, "collector");
  archive::ArchiveEstate estate(collector.hand, [&archive] { return archive.context(); });
  agents::Takeover takeover(archive.store, *collector.agent, estate, kTimeout);
  Instant now;
  for (int look = 0; look < 4; ++look, now = now + kTimeout / 2) {
    collector.agent->heart().beat().value();
    if (look < 3) (void)takeover.run(now, 0).value();
  }
  measure(sample, archive, requests, [&] {
    while (takeover.run(now, kNoLimit).value().collected == 0) continue;
  });
}

void bench_steps(const Options& options, const std::string& title, bool has_two_copies,
                 const std::function<void(Archive&, std::int64_t, Sample&)>& step) {
  std::vector<wire::Json> rows;
  const std::unique_ptr<Stores> stores = stores_named(options.store);
  for (const std::int64_t requests : options.requests) {
    Sample sample;
    for (int run = 0; run < options.runs; ++run) {
      Archive archive(*stores, has_two_copies);
      step(archive, requests, sample);
    }
    const Spread rate = spread_of(sample.rate);
    rows.push_back({{"requests", requests},
                    {"copies", has_two_copies ? 2 : 1},
                    {"per_s", rate.median},
                    {"least", rate.least},
                    {"most", rate.most},
                    {"calls", sample.calls},
                    {"rounds", sample.rounds},
                    {"store", stores->name()}});
  }
  print(options, title, rows, {"requests", "copies", "per_s", "least", "most", "calls", "rounds", "store"});
}

}  // namespace

void bench_enqueue(const Options& options) {
  bench_steps(options, fmt::format("enqueue, {} at once", options.at_once), false,
              [&](Archive& archive, std::int64_t requests, Sample& sample) {
                measure(sample, archive, requests, [&] { archive.enqueue(requests, options.at_once); });
              });
}

void bench_pop(const Options& options) {
  bench_steps(options, "pop", false, [&](Archive& archive, std::int64_t requests, Sample& sample) {
    archive.enqueue(requests, 1000);
    Worker drive(archive.store, "drive");
    measure(sample, archive, requests, [&] { take_all(archive, drive); });
  });
}

void bench_cleanup(const Options& options) {
  for (const bool has_two_copies : {false, true}) {
    bench_steps(options, has_two_copies ? "cleanup, split over tapes" : "cleanup, to be reported", has_two_copies,
                [&](Archive& archive, std::int64_t requests, Sample& sample) {
                  archive.enqueue(requests, 1000);
                  measure(sample, archive, requests, [&] { clean(archive); });
                });
  }
}

void bench_takeover(const Options& options) {
  bench_steps(options, "takeover", true, [&](Archive& archive, std::int64_t requests, Sample& sample) {
    archive.enqueue(requests, 1000);
    bench_one_takeover(archive, requests, sample);
  });
}

}  // namespace reclaim::bench
