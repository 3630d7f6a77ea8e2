// Record before you create: after every call to the store of a cleanup, whatever names an agent, and every part of a split that its source
// does not name yet, is on an agent's list. So whoever collects the agent finds it, whatever call was its last (A2, A3).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "agents/census.hpp"
#include "archive/mounts.hpp"
#include "support/archive_world.hpp"

namespace reclaim::archive {
namespace {

using test::Broken;
using test::Process;

// Looks at everything after each write.
class WatchedStore : public ports::ObjectStore {
 public:
  explicit WatchedStore(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);
    const bool writes = std::ranges::any_of(calls, [](const ports::StoreCall& call) { return call.op != ports::StoreCall::Op::kRead; });
    if (writes) look_around();
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }
  int looks() const { return looks_; }

 private:
  using Lists = std::map<std::string, std::set<ports::ObjectName>>;

  void look_around() {
    ++looks_;
    Lists lists;
    for (const agents::Listed& agent : inner_agents()) lists[agent.id.str()].insert(agent.owned.begin(), agent.owned.end());
    for (const std::string& key : inner_.list_all("queue").value()) look_at_queue(parse_queue_name("queue/" + key).value(), lists);
    for (const std::string& key : inner_.list_all("segment").value()) look_at_segment(parse_segment_name("segment/" + key).value(), lists);
  }

  std::vector<agents::Listed> inner_agents() { return agents::list_agents(inner_).value(); }

  void look_at_queue(const QueueId& id, const Lists& lists) {
    const stored::Queue queue = read_queue(inner_, id).value().value();
    if (queue.has_reservation()) expect_on_list_of(queue.reservation().agent(), object_name(id), lists);
  }

  void look_at_segment(const SegmentId& id, const Lists& lists) {
    const SegmentAt found = read_segment(inner_, id).value().value();
    if (found.segment.owner().empty()) return;
    const Owner owner = parse_owner(found.segment.owner()).value();
    if (std::holds_alternative<agents::AgentId>(owner)) expect_on_list_of(found.segment.owner(), object_name(id), lists);
    const auto* source = std::get_if<SegmentId>(&owner);
    if (source == nullptr || is_named_by(*source, object_name(id).str())) return;
    EXPECT_TRUE(std::ranges::any_of(lists, [&](const auto& list) { return list.second.contains(object_name(id)); }))
        << object_name(id).str() << ", a part that its source does not name yet, is on nobody's list after write " << looks_;
  }

  bool is_named_by(const SegmentId& source, const std::string& child) {
    const auto parent = read_segment(inner_, source).value();
    return parent && std::ranges::any_of(parent->segment.forwarded(), [&](const auto& entry) { return entry.child() == child; });
  }

  void expect_on_list_of(const std::string& agent, const ports::ObjectName& name, const Lists& lists) {
    const auto list = lists.find(agents::parse_agent(agent).value().str());
    EXPECT_TRUE(list != lists.end() && list->second.contains(name))
        << name.str() << " names " << agent << " after write " << looks_ << ", and is not on its list";
  }

  ports::ObjectStore& inner_;
  int looks_ = 0;
};

TEST(RecordBeforeYouCreate, HoldsAfterEveryWriteOfACleanup) {
  Broken broken;
  WatchedStore store(broken.store);
  Process cleaner(*broken.database, store, "cleaner");
  EXPECT_EQ(cleaner.clean().value().problems, std::vector<std::string>());
  broken.expect_final("cleaned up");
  std::printf("crash points: records of a cleaner: %d\n", store.looks());
}

// With a drive that died in the midst of things.
TEST(RecordBeforeYouCreate, HoldsAfterEveryWriteOfACollector) {
  Broken broken;
  WatchedStore store(broken.store);
  {
    Process drive(*broken.database, broken.store, "drive");
    drive.hand.hold({object_name(test::kApart), mount_name(Vid("V1"))}).value();
    const SegmentAt taken = read_segment(broken.store, test::kApart).value().value();
    const auto write = owner_write(taken.id, taken.version, taken.segment, drive.hand.owner());
    broken.store.run(std::span(&write, 1)).front().value();
  }
  Process collector(*broken.database, store, "collector");
  EXPECT_EQ(collector.run_all(), std::vector<std::string>());
  broken.expect_final("collected");
  std::printf("crash points: records of a collector: %d\n", store.looks());
}

}  // namespace
}  // namespace reclaim::archive
