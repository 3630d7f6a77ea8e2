#include "sim/archive_world.hpp"

#include <span>
#include <utility>

#include "sim/fleet_world.hpp"
#include "sim/memory_database.hpp"

namespace reclaim::sim {

using archive::LibraryName;
using archive::PoolName;
using archive::QueueId;
using archive::RequestId;
using archive::SegmentId;
using archive::TapeState;
using archive::Vid;

archive::stored::Request request(std::uint32_t ordinal, const std::vector<const char*>& vids) {
  archive::stored::Request made;
  made.set_ordinal(ordinal);
  made.set_file("f" + std::to_string(ordinal));
  made.set_size(1000);
  made.set_checksum("adler32:0123abcd");
  made.set_destination("out/" + std::to_string(ordinal));
  made.set_round(1);
  for (const char* vid : vids) {
    auto& copy = *made.add_copies();
    copy.set_vid(vid);
    copy.set_fseq(ordinal);
  }
  return made;
}

ArchiveWorld::ArchiveWorld() : database(memory_database()) {
  for (const char* vid : {"V1", "V2", "V3", "V4"}) {
    must(add_tape(context(), {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l")}));
  }
}

void ArchiveWorld::put(const SegmentId& id, const QueueId& queue, const std::vector<archive::stored::Request>& requests) {
  archive::stored::Segment segment;
  segment.set_owner(object_name(queue).str());
  segment.set_origin(object_name(id).str());
  for (const archive::stored::Request& each : requests) *segment.add_requests() = each;
  const ports::Version version = must(store.create(object_name(id), encode(id, segment)));
  const auto entry = summarize(id, version, segment);
  must(announce(store, queue, std::span(&entry, 1)));
}

void ArchiveWorld::ask(const char* vid, TapeState state, const std::string& reason) {
  must(ask_tape_state(context(), Vid(vid), state, reason));
}

TapeState ArchiveWorld::state_of(const char* vid) { return must(find_tape(context(), Vid(vid))).spec.state; }

std::map<QueueId, std::multiset<RequestId>> ArchiveWorld::contents() {
  std::map<QueueId, std::multiset<RequestId>> found;
  for (const std::string& key : must(store.list_all("queue"))) {
    const QueueId id = must(archive::parse_queue_name("queue/" + key));
    const auto queue = must(read_queue(store, id));
    std::set<std::string> seen;
    for (const auto& entry : queue->pointers()) {
      const auto segment = must(read_segment(store, must(archive::parse_segment_name(entry.segment()))));
      if (!segment || !segment->is_owned_by(id) || !seen.insert(entry.segment()).second) continue;
      const SegmentId origin = must(archive::parse_segment_name(segment->segment.origin()));
      for (const auto& one : segment->segment.requests()) found[id].insert({origin, one.ordinal()});
    }
  }
  return found;
}

std::multiset<RequestId> ArchiveWorld::all_requests() {
  std::multiset<RequestId> all;
  for (const auto& [queue, ids] : contents()) all.insert(ids.begin(), ids.end());
  return all;
}

Process::Process(ports::Database& the_database, ports::ObjectStore& the_store, const std::string& name)
    : database(the_database),
      agent(must(agents::Agent::register_as(the_store, name, "maintenance"))),
      hand(the_store, *agent),
      estate(hand, [this] { return context(); }),
      takeover(the_store, *agent, estate, kTimeout),
      sweep(hand, estate) {}

Result<agents::TakeoverReport> Process::collect() {
  now = now + kTimeout / 3;
  TRY(agent->heart().beat());
  return takeover.run(now, kBudget);
}

std::vector<std::string> Process::run_all() {
  std::vector<std::string> problems;
  for (int round = 0; round < 12; ++round) {
    const auto add = [&](const auto& report) {
      if (!report.ok()) problems.push_back(report.error().message);
      if (report.ok()) problems.insert(problems.end(), report.value().problems.begin(), report.value().problems.end());
    };
    add(collect());
    add(sweep.run(kBudget));
    add(clean());
  }
  return problems;
}

}  // namespace reclaim::sim
