// A drive that is stopped at every call to the store, the database and its disk buffer, or hears no answer. Its agent is collected, another
// drive goes on: every request that can be served is delivered, whole and once, every other one has failed, each is in one place (A1, A2),
// and nothing is left over: no mount, no file on its way.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "archive/mounts.hpp"
#include "sim/crash.hpp"
#include "sim/faulty_store.hpp"
#include "support/reading.hpp"

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

  stored::Request file(std::uint32_t ordinal, std::initializer_list<const char*> vids) { return request_of_file(library, ordinal, vids); }
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

bool crash_at(int at, sim::Outcome outcome, const std::string& where) {
  Reading world;
  for (const char* name : {"D1", "D2"}) sim::must(register_drive(world.context(), DriveName(name)));
  sim::Fault fault{at, outcome};
  sim::FaultyStore store(world.store, fault, static_cast<std::uint64_t>(at));
  sim::FaultyDatabase database(*world.database, fault);
  FaultyBuffer buffer(world.buffer, fault);
  try {
    serve("D1", {database, store, world.library, buffer}, kMountsMax);
  } catch (const sim::Crash&) {
  }
  Process collector(*world.database, world.store, "collector");
  (void)collector.run_all();
  serve("D2", {*world.database, world.store, world.library, world.buffer}, kMountsMax);
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
