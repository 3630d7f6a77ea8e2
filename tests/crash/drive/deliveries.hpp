// Files to be read for requests, and a disk buffer that fails: what crash points of drives arrange and ask.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "archive/mounts.hpp"
#include "sim/crash.hpp"
#include "support/reading.hpp"

namespace reclaim::test {

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

struct Deliveries : ArchiveWorld {
  Deliveries() {
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

}  // namespace reclaim::test
