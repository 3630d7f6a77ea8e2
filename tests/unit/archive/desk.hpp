// A catalogue, a store whose calls are counted, and an agent that enqueues.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/agent.hpp"
#include "archive/disperse.hpp"
#include "archive/enqueue.hpp"
#include "archive/files.hpp"
#include "archive/locate.hpp"
#include "archive/queue_list.hpp"
#include "archive/queues.hpp"
#include "archive/store_check.hpp"
#include "archive/tapes.hpp"
#include "sim/counting_store.hpp"
#include "sim/memory_database.hpp"

namespace reclaim::archive::samples {

inline constexpr std::int64_t kNow = 1'800'000'000'000;

inline QueueId to_transfer(const std::string& vid) { return {Vid(vid), QueueType::kToTransfer}; }

inline const QueueId kReports{Vid("V1"), QueueType::kToReport};
inline const QueueId kFailedQueue{Vid("V1"), QueueType::kFailed};

inline Submission submission(const std::string& file) { return {.file = FileId(file), .destination = "out/" + file}; }

struct Archive {
  explicit Archive(std::initializer_list<const char*> tapes) {
    for (const char* vid : tapes) add_tape(vid);
  }

  void add_tape(const std::string& vid) {
    archive::add_tape(context, {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l")}).value();
  }
  void add_file(const std::string& id, std::initializer_list<const char*> vids, std::int64_t size = 100) {
    FileSpec spec{.id = FileId(id), .size = size, .checksum = "adler32:1e0b0402"};
    for (const char* vid : vids) spec.copies.push_back({Vid(vid), ++fseq});
    add_files(context, {spec}).value().front().value();
  }

  std::unique_ptr<ports::Database> database = sim::memory_database();
  Context context{*database, {kNow}, "test"};
  objects_memory::MemoryStore memory;
  std::int64_t fseq = 0;
};

struct Desk : Archive {
  explicit Desk(std::initializer_list<const char*> tapes) : Archive(tapes) {}

  std::vector<Result<Enqueued>> enqueue(const std::vector<Submission>& submissions) {
    return enqueuer.enqueue(context, submissions, kNow + ++calls);
  }
  Result<Enqueued> enqueue(const std::string& file) { return enqueue(std::vector{submission(file)}).front(); }

  stored::Queue queue(const std::string& vid) { return read_queue(memory, to_transfer(vid)).value().value(); }
  std::size_t segments() { return memory.list_all("segment").value().size(); }
  // Of the to-transfer queue, as lists show it.
  std::uint64_t shown(const std::string& vid) { return figures_of(queue(vid)).requests; }
  std::vector<std::string> findings() {
    std::vector<std::string> sentences;
    for (const Finding& finding : check_store(memory).value().findings) sentences.push_back(finding.sentence);
    return sentences;
  }
  StoreSummary summary() { return check_store(memory).value().summary; }

  // Moves a request on, alone, as drives and reporters do.
  void send(const RequestId& id, const QueueId& to, const std::function<void(stored::Request&)>& change) {
    const Located located = locate(memory, id).value().value();
    enqueuer.close(located.segment->id);
    Dispersal dispersal{.from = *located.segment};
    change(*dispersal.from.segment.mutable_requests(located.place));
    dispersal.ways.assign(static_cast<std::size_t>(dispersal.from.segment.requests_size()), Stay{});
    dispersal.ways.at(static_cast<std::size_t>(located.place)) = Go{to};
    check(disperse(hand, std::span(&dispersal, 1)).value().front().moved == Moved::kDone, "nobody else moves it");
    const Owner owner = parse_owner(located.segment->segment.owner()).value();
    if (const auto* from = std::get_if<QueueId>(&owner)) tidy_queue(memory, *from).value();
  }
  // Everything that a queue holds, into the hands of a drive.
  void take_all(const std::string& vid) {
    const stored::Queue taken = queue(vid);
    for (const stored::Queue::Pointer& entry : taken.pointers()) {
      const SegmentAt at = read_segment(memory, parse_segment_name(entry.segment()).value()).value().value();
      const std::vector<ports::ObjectName> names{object_name(at.id)};
      drive->own(names).value();
      const std::vector<ports::StoreCall> taking{owner_write(at.id, at.version, at.segment, drive->id())};
      check(memory.run(taking).front().ok(), "nobody else takes it");
    }
    tidy_queue(memory, to_transfer(vid)).value();
  }

  sim::CountingStore store{memory};
  std::unique_ptr<agents::Agent> drive = agents::Agent::register_as(memory, "drive", "drive").value();
  std::unique_ptr<agents::Agent> agent = agents::Agent::register_as(store, "desk", "desk").value();
  Hand hand{store, *agent};
  Enqueuer enqueuer{hand};
  std::int64_t calls = 0;
};

}  // namespace reclaim::archive::samples
