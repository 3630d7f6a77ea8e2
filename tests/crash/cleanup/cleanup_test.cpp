#include "archive/cleanup.hpp"

#include <gtest/gtest.h>

#include "archive/mounts.hpp"
#include "crash/cleanup/newer.hpp"
#include "sim/counting_store.hpp"
#include "support/archive_world.hpp"
#include "support/blind_store.hpp"

namespace reclaim::archive {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the world of this test

void damage(ArchiveWorld& world, const QueueId& queue) {
  const ports::Object object = world.store.read(object_name(queue)).value();
  std::string bytes = object.bytes;
  bytes.back() ^= 1;
  world.store.replace(object_name(queue), object.version, bytes).value();
}

// As a person does who has looked at it. How many there were.
std::size_t remove_what_was_set_aside(ArchiveWorld& world) {
  const std::vector<std::string> keys = world.store.list_all("damaged").value();
  for (const std::string& key : keys) {
    const ports::ObjectName name{"damaged", key};
    world.store.remove(name, world.store.read(name).value().version).value();
  }
  return keys.size();
}

TEST(Cleanup, SendsEveryRequestToItsBestTapeOrBackAndTheTapeIsFinal) {
  Broken broken;
  Process process(*broken.database, broken.store, "cleaner");
  const CleanupReport report = process.clean().value();
  EXPECT_EQ(report.problems, std::vector<std::string>());
  EXPECT_EQ(report.requeued, 4u);
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(report.ended, 1u);
  EXPECT_EQ(report.finished, 1u);
  broken.expect_final("undisturbed");
  EXPECT_EQ(broken.contents()[to_transfer("V2")], (Ids{{kWhole, 1}, {kWhole, 2}, {kApart, 1}}));
  EXPECT_EQ(broken.contents()[to_transfer("V3")], (Ids{{kApart, 2}}));
  EXPECT_EQ(broken.contents()[to_report("V1")], (Ids{{kApart, 3}, {kAlone, 1}}));
  EXPECT_EQ(process.agent->owned(), std::set<ports::ObjectName>());
}

TEST(Cleanup, BeyondItsBudgetKeepsTheQueueReservedAndGoesOn) {
  ArchiveWorld world;
  for (std::uint64_t number = 1; number <= 40; ++number) world.put({90, number}, to_transfer("V1"), {request(1, {"V1", "V2"})});
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_TRUE(clean_up(process.context(), process.hand, process.estate, 1).value().more);
  const stored::Queue queue = read_queue(world.store, to_transfer("V1")).value().value();
  EXPECT_EQ(queue.reservation().agent(), process.hand.id().str());
  EXPECT_EQ(queue.reservation().done() + queue.reservation().left(), 40u);
  EXPECT_GT(queue.reservation().done(), 0u);
  Process other(*world.database, world.store, "other");
  EXPECT_EQ(other.clean().value().waiting, 1u) << "one cleaner at a time";
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 40u);
  expect_clean(world, "after two passes");
}

TEST(Cleanup, OfALongQueueLeavesTheOthersTheirShare) {
  ArchiveWorld world;
  for (const char* vid : {"V1", "V3"}) {
    for (std::uint64_t number = 1; number <= 40; ++number) {
      world.put({*(vid + 1) == '1' ? 90U : 91U, number}, to_transfer(vid), {request(1, {vid, "V2"})});
    }
    world.ask(vid, TapeState::kBroken);
  }
  Process process(*world.database, world.store, "cleaner");
  EXPECT_TRUE(clean_up(process.context(), process.hand, process.estate, 20).value().more);
  for (const char* vid : {"V1", "V3"}) {
    EXPECT_GT(read_queue(world.store, to_transfer(vid)).value()->reservation().done(), 0u) << vid;
  }
  EXPECT_EQ(process.clean().value().finished, 2u);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 80u);
}

// A reporter that was paused with a receipt in its hands puts the round on record that is over.
TEST(Cleanup, LeavesOutWhatEndedInThisRoundAndNotInAFormerOne) {
  ArchiveWorld world;
  const stored::Request before = request(1, {"V1", "V2"});
  stored::Request anew = before;
  anew.set_round(before.round() + 1);
  world.put(kWhole, to_transfer("V1"), {anew, request(2, {"V1", "V2"})});
  std::vector<Ended> ended;
  for (const std::uint32_t ordinal : {1U, 2U}) {
    ended.push_back({.id = {kWhole, ordinal}, .how = Ending::kDone, .reported = true, .request = before});
  }
  record_ended(world.context(), ended).value();
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_EQ(process.clean().value().ended, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")], (Ids{{kWhole, 1}}));
}

// Requests of users on a tape that takes only those of a repack: nobody raised a flag (A5).
TEST(Cleanup, IsDueWhereATapeDoesNotAcceptWhatWaitsThere) {
  ArchiveWorld world;
  world.ask("V1", TapeState::kRepacking);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_EQ(process.clean().value().finished, 1u);
  stored::Request repack = request(2, {"V1"});
  repack.set_kind(stored::Request::REPACK);
  world.put(kWhole, to_transfer("V1"), {request(1, {"V1", "V2"}), repack});
  world.put(kApart, to_transfer("V1"), {request(1, {"V1", "V2"})});
  EXPECT_EQ(process.clean().value().requeued, 2u);
  EXPECT_EQ(world.contents()[to_transfer("V1")], (Ids{{kWhole, 2}})) << "what the repack asked for stays";
  EXPECT_EQ(world.contents()[to_transfer("V2")], (Ids{{kWhole, 1}, {kApart, 1}}));
  EXPECT_FALSE(read_queue(world.store, to_transfer("V1")).value()->has_reservation());
  expect_clean(world, "repacking");
}

TEST(Cleanup, SetsAsideWhatCannotBeReadAndGoesOn) {
  Broken broken;
  const ports::Version version = broken.store.read(object_name(kWhole)).value().version;
  broken.store.replace(object_name(kWhole), version, "rubbish").value();
  Process process(*broken.database, broken.store, "cleaner");
  EXPECT_EQ(process.clean().value().problems.size(), 1u);
  EXPECT_EQ(broken.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(broken.store.list_all("damaged").value().size(), 1u);
}

// One of three that travel together: its neighbours go on, and it comes back with what is wrong with it.
TEST(Cleanup, SendsBackARequestThatCannotBeTakenAndItsNeighboursGoOn) {
  ArchiveWorld world;
  stored::Request wrong = request(2, {"V1", "V2"});
  wrong.mutable_copies(1)->set_vid("../V2");
  world.put(kWhole, to_transfer("V1"), {request(1, {"V1", "V2"}), wrong, request(3, {"V1", "V2"})});
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")], (Ids{{kWhole, 1}, {kWhole, 3}}));
  EXPECT_EQ(world.contents()[to_report("V1")], (Ids{{kWhole, 2}}));
  const auto entry = read_queue(world.store, to_report("V1")).value()->pointers(0);
  const auto failed = read_segment(world.store, parse_segment_name(entry.segment()).value()).value();
  ASSERT_EQ(failed->segment.requests_size(), 1);
  EXPECT_NE(failed->segment.requests(0).errors(0).find("copies[1].vid"), std::string::npos) << failed->segment.requests(0).errors(0);
  expect_clean(world, "one of three");
}

// Somebody removed its object while requests were its own.
TEST(Cleanup, OfATapeWhoseQueueVanishedEndsAndItsRequestsAreFound) {
  Broken broken;
  const ports::ObjectName name = object_name(to_transfer("V1"));
  broken.store.remove(name, broken.store.read(name).value().version).value();
  Process process(*broken.database, broken.store, "process");
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(process.run_all(), std::vector<std::string>());
  broken.expect_final("vanished");
}

TEST(Cleanup, EndsTheStayOfATapeWithoutRequests) {
  ArchiveWorld world;
  world.ask("V1", TapeState::kBroken);
  world.ask("V2", TapeState::kExported);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_EQ(process.clean().value().finished, 2u);
  EXPECT_EQ(world.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(process.clean().value().finished, 0u);
  expect_clean(world, "without requests");
}

TEST(Cleanup, OfATapeWhoseQueueCannotBeReadIsAProblemAndNobodyElses) {
  ArchiveWorld world;
  world.ask("V1", TapeState::kBroken);
  world.ask("V2", TapeState::kBroken);
  world.store.create(object_name(to_transfer("V1")), "rubbish").value();
  Process process(*world.database, world.store, "cleaner");
  const CleanupReport report = process.clean().value();
  EXPECT_EQ(report.finished, 1u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("tape V1: object queue/V1.t"), std::string::npos) << report.problems[0];
  EXPECT_EQ(world.state_of("V1"), TapeState::kBrokenPending);
}

TEST(Cleanup, OfATapeWhoseQueueCannotBeReadEndsWithoutHelpOnceTheSweepCameBy) {
  Broken broken;
  damage(broken, to_transfer("V1"));
  Process process(*broken.database, broken.store, "process");
  EXPECT_EQ(process.clean().value().finished, 0u) << "what may hold requests is not final";
  EXPECT_EQ(process.sweep.run(100).value().settled, 1u);
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(remove_what_was_set_aside(broken), 1u);
  broken.expect_final("mended");
}

// Its tape was pending, and nothing else of it moved either.
TEST(Cleanup, OfASegmentThatTheStoreCannotReadKeepsTheTapeAndNoOtherRequest) {
  ArchiveWorld world;
  for (std::uint64_t number = 1; number <= 3; ++number) world.put({90, number}, to_transfer("V1"), {request(1, {"V1", "V2"})});
  world.ask("V1", TapeState::kBroken);
  BlindStore store(world.store, {object_name(SegmentId{90, 2})}, Error::Kind::kCorrupt);
  Process process(*world.database, store, "cleaner");
  EXPECT_EQ(process.clean().value().problems, (std::vector<std::string>{"segment/90-2 stays: segment/90-2 cannot be read"}));
  EXPECT_EQ(world.state_of("V1"), TapeState::kBrokenPending);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 2u);
  store.sees = true;
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 3u);
  expect_clean(world, "read in the end");
}

// An older Reclaim took it for damaged and set it aside, where no newer one looks.
TEST(Cleanup, LeavesASegmentToTheNewerReclaimThatWroteItAndMovesTheOthers) {
  ArchiveWorld world;
  for (std::uint64_t number = 1; number <= 3; ++number) world.put({90, number}, to_transfer("V1"), {request(1, {"V1", "V2"})});
  world.ask("V1", TapeState::kBroken);
  const ports::ObjectName name = object_name(SegmentId{90, 2});
  const ports::Object object = world.store.read(name).value();
  const std::string newer = in_newer_format(name, object.bytes);
  world.store.replace(name, object.version, newer).value();
  Process process(*world.database, world.store, "process");
  const std::vector<std::string> problems = process.clean().value().problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("segment/90-2 stays: left to a newer Reclaim"), std::string::npos) << problems[0];
  EXPECT_EQ(process.sweep.run(100).value().problems.size(), 1u);
  EXPECT_EQ(world.state_of("V1"), TapeState::kBrokenPending);
  EXPECT_EQ(read_queue(world.store, to_transfer("V2")).value()->pointers_size(), 2);
  EXPECT_EQ(world.store.read(name).value().bytes, newer);
  EXPECT_EQ(world.store.list_all("damaged").value(), std::vector<std::string>());
  // The newer one.
  world.store.replace(name, world.store.read(name).value().version, object.bytes).value();
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 3u);
}

TEST(Cleanup, LeavesAQueueToTheNewerReclaimThatWroteIt) {
  Broken broken;
  const ports::ObjectName name = object_name(to_transfer("V1"));
  const ports::Object object = broken.store.read(name).value();
  broken.store.replace(name, object.version, in_newer_format(name, object.bytes)).value();
  Process process(*broken.database, broken.store, "process");
  EXPECT_EQ(process.clean().value().finished, 0u);
  const SweepReport report = process.sweep.run(100).value();
  EXPECT_EQ(report.settled, 0u);
  EXPECT_NE(report.problems.at(1).find("queue/V1.t is not mended: left to a newer Reclaim"), std::string::npos) << report.problems.at(1);
  broken.store.replace(name, broken.store.read(name).value().version, object.bytes).value();
  EXPECT_EQ(process.clean().value().finished, 1u);
  broken.expect_final("left alone");
}

// Its cleaner had it reserved and half done.
TEST(Cleanup, GoesOnWithAQueueThatWasDamagedUnderIt) {
  ArchiveWorld world;
  for (std::uint64_t number = 1; number <= 40; ++number) world.put({90, number}, to_transfer("V1"), {request(1, {"V1", "V2"})});
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "process");
  EXPECT_TRUE(clean_up(process.context(), process.hand, process.estate, 1).value().more);
  for (const QueueId& queue : {to_transfer("V1"), to_report("V1"), to_transfer("V2")}) damage(world, queue);
  process.run_all();
  EXPECT_EQ(world.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(world.contents()[to_transfer("V2")].size(), 40u);
  EXPECT_EQ(remove_what_was_set_aside(world), 3u);
  expect_clean(world, "damaged under its cleaner");
}

TEST(Cleanup, WaitsForALivingDriveAndNotForADeadOne) {
  ArchiveWorld world;
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "cleaner");
  {
    Process drive(*world.database, world.store, "drive");
    mount(drive.hand, Vid("V1"), "D1", 1).value();
    EXPECT_EQ(process.clean().value().waiting, 1u);
    EXPECT_EQ(world.state_of("V1"), TapeState::kBrokenPending);
  }
  process.run_all();
  EXPECT_EQ(world.state_of("V1"), TapeState::kBroken);
  EXPECT_EQ(find_mount(world.store, Vid("V1")).value().has_value(), false);
  expect_clean(world, "after a drive has died");
}

using Copies = std::vector<std::vector<const char*>>;

// Of whole segments, each request with the next of the lists of copies.
double calls_per_request(int segments, const Copies& copies) {
  ArchiveWorld world;
  for (int number = 1; number <= segments; ++number) {
    std::vector<stored::Request> requests;
    for (std::uint32_t ordinal = 1; ordinal <= kRequestsPerSegmentMax; ++ordinal) {
      requests.push_back(request(ordinal, copies[ordinal % copies.size()]));
    }
    world.put({90, static_cast<std::uint64_t>(number)}, to_transfer("V1"), requests);
  }
  world.ask("V1", TapeState::kBroken);
  sim::CountingStore store(world.store);
  Process process(*world.database, store, "cleaner");
  store.take();
  const CleanupReport report = clean_up(process.context(), process.hand, process.estate, 1'000'000).value();
  EXPECT_EQ(report.finished, 1u);
  const double requests = static_cast<double>(segments) * kRequestsPerSegmentMax;
  EXPECT_EQ(static_cast<double>(report.requeued + report.failed), requests);
  const double calls = static_cast<double>(store.take().count());
  std::printf("cleanup of %.0f requests, %zu ways: %.5f store calls per request\n", requests, copies.size(), calls / requests);
  return calls / requests;
}

TEST(Cleanup, CostsFewCallsToTheStoreHoweverManyRequestsThereAre) {
  for (const auto& copies : {Copies{{"V1"}}, Copies{{"V1", "V2"}}, Copies{{"V1", "V2"}, {"V1", "V3"}, {"V1", "V4"}, {"V1"}}}) {
    (void)calls_per_request(1, copies);
    EXPECT_LE(calls_per_request(50, copies), 0.02);
  }
}

}  // namespace
}  // namespace reclaim::archive
