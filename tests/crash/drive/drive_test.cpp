// A drive that is stopped at every call to the store, the database and its disk buffer, or hears no answer. Its agent is collected, another
// drive goes on: every request that can be served is delivered, whole and once, every other one has failed, each is in one place (A1, A2),
// and nothing is left over: no mount, no file on its way.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "adapters/library_memory/memory_library.hpp"
#include "archive/mounts.hpp"
#include "base/adler32.hpp"
#include "drive/session.hpp"
#include "sim/crash.hpp"
#include "sim/faulty_store.hpp"
#include "support/archive_world.hpp"

namespace reclaim::test {
namespace {

constexpr int kMountsMax = 8;

class FaultyDelivery : public ports::DeliveryFile {
 public:
  FaultyDelivery(std::unique_ptr<ports::DeliveryFile> inner, sim::Fault& fault) : inner_(std::move(inner)), fault_(fault) {}

  Status append(std::string_view bytes) override { return inner_->append(bytes); }
  Status finish(const ports::Tick& tick) override {
    const bool is_now = fault_.calls++ == fault_.at;
    fault_.happened = fault_.happened || is_now;
    if (is_now && fault_.outcome == sim::Outcome::kStopBefore) throw sim::Crash();
    Status finished = inner_->finish(tick);
    if (is_now && fault_.outcome == sim::Outcome::kStopAfter) throw sim::Crash();
    return is_now ? Status(unavailable("the answer is lost")) : finished;
  }

 private:
  std::unique_ptr<ports::DeliveryFile> inner_;
  sim::Fault& fault_;
};

class FaultyBuffer : public ports::DiskBuffer {
 public:
  FaultyBuffer(ports::DiskBuffer& inner, sim::Fault& fault) : inner_(inner), fault_(fault) {}

  std::string name() const override { return inner_.name(); }
  Result<std::unique_ptr<ports::DeliveryFile>> begin(const ports::Delivery& delivery, const ports::Tick& tick) override {
    std::unique_ptr<ports::DeliveryFile> file = TRY(inner_.begin(delivery, tick));
    if (file == nullptr) return file;
    return std::unique_ptr<ports::DeliveryFile>(new FaultyDelivery(std::move(file), fault_));
  }
  Status sweep(const std::string& writer, std::uint64_t epoch) override { return inner_.sweep(writer, epoch); }

 private:
  ports::DiskBuffer& inner_;
  sim::Fault& fault_;
};

struct Reading : ArchiveWorld {
  Reading() {
    for (const char* vid : {"V1", "V2"}) library.bring(vid);
    put(kWhole, to_transfer("V1"), {file(1, {"V1"}), file(2, {"V1", "V2"})});
    put(kApart, to_transfer("V1"), {file(11, {"V1", "V2"}), cancelled_as(12), file(13, {"V1"})});
    library.put("V1", 11, "damaged");
    library.put("V1", 13, "damaged");
  }

  // Its place on each tape is its ordinal.
  stored::Request file(std::uint32_t ordinal, std::initializer_list<const char*> vids) {
    stored::Request made = request(ordinal, vids);
    const std::string content = "content of " + std::to_string(ordinal);
    Adler32 sum;
    sum.add(content);
    made.set_size(content.size());
    made.set_checksum(sum.text());
    for (const char* vid : vids) library.put(vid, ordinal, content);
    return made;
  }
  stored::Request cancelled_as(std::uint32_t ordinal) {
    stored::Request made = file(ordinal, {"V1"});
    made.set_cancel_asked(true);
    return made;
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(buffer.files(),
              (std::map<std::string, std::string>{{"out/1", "content of 1"}, {"out/2", "content of 2"}, {"out/11", "content of 11"}}))
        << where;
    EXPECT_EQ(buffer.unfinished(), 0U) << where;
    EXPECT_EQ(all_requests(), (Ids{{kWhole, 1}, {kWhole, 2}, {kApart, 11}, {kApart, 13}})) << where;
    for (const auto& [queue, ids] : contents()) EXPECT_EQ(queue.type, QueueType::kToReport) << where;
    EXPECT_TRUE(find_ended(context(), std::vector{RequestId{kApart, 12}}).value().front().has_value()) << where;
    EXPECT_TRUE(list_mounts(store).value().empty()) << where;
    expect_clean(*this, where);
  }

  library_memory::MemoryLibrary library;
  buffer_memory::MemoryBuffer buffer;
};

// Mount after mount, through whatever goes wrong.
void serve(Reading& world, const std::string& name, ports::Database& database, ports::ObjectStore& store, ports::DiskBuffer& buffer) {
  const auto agent = agents::Agent::register_as(store, name, "drive");
  if (!agent.ok()) return;
  Hand hand(store, *agent.value());
  std::int64_t now_ms = 1'764'000'000'000;
  const auto context = [&]() -> Context { return {database, {now_ms}, "drive:" + name}; };
  ArchiveEstate estate(hand, context);
  drive::Drive one{.name = DriveName(name),
                   .hand = hand,
                   .estate = estate,
                   .context = context,
                   .library = world.library,
                   .buffer = buffer,
                   .load = [](const Vid&) { return done(); },
                   .unload = [](const Vid&) { return done(); },
                   .is_stopping = [] { return false; }};
  for (int mounts = 0; mounts < kMountsMax && hand.check().ok(); ++mounts) {
    (void)drive::serve_one_mount(one);
    now_ms += 60'000;  // no tape rests any more
  }
  if (drive::give_everything_back(one).ok()) (void)agent.value()->leave();
}

bool crash_at(int at, sim::Outcome outcome, const std::string& where) {
  Reading world;
  for (const char* name : {"D1", "D2"}) sim::must(register_drive(world.context(), DriveName(name)));
  sim::Fault fault{at, outcome};
  sim::FaultyStore store(world.store, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.database, fault);
  FaultyBuffer buffer(world.buffer, fault);
  try {
    serve(world, "D1", database, store, buffer);
  } catch (const sim::Crash&) {
  }
  Process collector(*world.database, world.store, "collector");
  (void)collector.run_all();
  serve(world, "D2", *world.database, world.store, world.buffer);
  (void)collector.run_all();
  world.expect_final(where);
  return fault.happened;
}

TEST(DriveUnderCrashes, DeliversEverythingOnceAndLosesNothing) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !HasFailure(); ++at, ++runs) {
      is_reached = crash_at(at, outcome, "call " + std::to_string(at) + ", outcome " + std::to_string(static_cast<int>(outcome)));
    }
  }
  std::printf("crash points: drive: %d\n", runs);
  EXPECT_GT(runs, 100);
}

}  // namespace
}  // namespace reclaim::test
