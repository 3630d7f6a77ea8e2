// A catalogue, a store, a library and a disk buffer in memory; somebody who enqueues, and a drive.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/library_memory/memory_library.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "agents/agent.hpp"
#include "archive/ended.hpp"
#include "archive/enqueue.hpp"
#include "archive/estate.hpp"
#include "archive/files.hpp"
#include "archive/locate.hpp"
#include "archive/mounts.hpp"
#include "archive/policies.hpp"
#include "archive/queues.hpp"
#include "archive/store_check.hpp"
#include "archive/tapes.hpp"
#include "base/adler32.hpp"
#include "drive/session.hpp"

namespace reclaim::drive::test {

using archive::QueueType;
using archive::RequestId;
using archive::Vid;
using archive::stored::Request;

inline constexpr std::int64_t kNow = 1'800'000'000'000;

// Says what is begun, and does something before that.
class WatchedBuffer : public ports::DiskBuffer {
 public:
  std::string name() const override { return inner.name(); }
  Result<std::unique_ptr<ports::DeliveryFile>> begin(const ports::Delivery& delivery, const ports::Tick& tick) override {
    begun.push_back(delivery.destination);
    if (before) before(delivery.destination);
    return inner.begin(delivery, tick);
  }
  Status sweep(const std::string& writer, std::uint64_t epoch) override { return inner.sweep(writer, epoch); }

  buffer_memory::MemoryBuffer inner;
  std::vector<std::string> begun;
  std::function<void(const std::string& destination)> before;
};

struct Shop {
  explicit Shop(std::initializer_list<const char*> tapes) {
    for (const char* vid : tapes) {
      archive::add_tape(context(), {.vid = Vid(vid), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")}).value();
      library.bring(vid);
    }
    archive::register_drive(context(), drive_name).value();
  }

  archive::Context context() { return {*database, {now_ms}, "test"}; }

  // Its copies lie on these tapes, each at the same place, with the id as content.
  void add_file(const std::string& id, std::initializer_list<const char*> vids, std::int64_t fseq) {
    Adler32 sum;
    sum.add(id);
    archive::FileSpec spec{.id = archive::FileId(id), .size = static_cast<std::int64_t>(id.size()), .checksum = sum.text()};
    for (const char* vid : vids) {
      spec.copies.push_back({Vid(vid), fseq});
      library.put(vid, static_cast<std::uint64_t>(fseq), id);
    }
    archive::add_files(context(), {spec}).value().front().value();
  }
  RequestId enqueue(const std::string& file, std::int64_t priority = 0, const std::string& policy = "") {
    archive::Submission wanted{.file = archive::FileId(file), .destination = "out/" + file, .priority = priority};
    if (!policy.empty()) wanted.policy = archive::PolicyName(policy);
    const RequestId id = enqueuer.enqueue(context(), std::span(&wanted, 1), now_ms).front().value().id;
    enqueuer.rest();  // so that the next one may have another segment
    return id;
  }

  Drive drive() {
    return {.name = drive_name,
            .hand = hand,
            .estate = estate,
            .context = [this] { return context(); },
            .library = library,
            .buffer = buffer,
            .load = [this](const Vid& vid) { return hooks.push_back("load " + vid.str()), load_answer; },
            .unload = [this](const Vid& vid) { return hooks.push_back("unload " + vid.str()), done(); },
            .is_stopping = [this] { return is_stopping; }};
  }
  Result<MountReport> serve() {
    Drive one = drive();
    return serve_one_mount(one);
  }
  // Mount after mount, until none is worth it.
  void serve_all() {
    for (int mounts = 0; mounts < 20; ++mounts) {
      if (!serve().value().vid) return;
    }
  }

  std::map<std::string, std::string> delivered() { return buffer.inner.files(); }
  // Of one that is in the store.
  Request request(const RequestId& id) { return archive::locate(store, id).value().value().request(); }
  std::string owner(const RequestId& id) { return archive::locate(store, id).value().value().segment->segment.owner(); }
  bool is_there(const RequestId& id) { return archive::locate(store, id).value().has_value(); }
  std::vector<std::string> findings() {
    std::vector<std::string> sentences;
    for (const archive::Finding& finding : archive::check_store(store).value().findings) sentences.push_back(finding.sentence);
    return sentences;
  }

  std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({}).value();
  std::int64_t now_ms = kNow;
  objects_memory::MemoryStore store;
  library_memory::MemoryLibrary library;
  WatchedBuffer buffer;
  archive::DriveName drive_name{"D1"};
  std::unique_ptr<agents::Agent> desk = agents::Agent::register_as(store, "desk", "desk").value();
  archive::Hand desk_hand{store, *desk};
  archive::Enqueuer enqueuer{desk_hand};
  std::unique_ptr<agents::Agent> agent = agents::Agent::register_as(store, "D1", "drive").value();
  archive::Hand hand{store, *agent};
  archive::ArchiveEstate estate{hand, [this] { return context(); }};
  std::vector<std::string> hooks;
  Status load_answer;
  bool is_stopping = false;
};

}  // namespace reclaim::drive::test
