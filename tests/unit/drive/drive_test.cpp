#include <gtest/gtest.h>

#include "archive/cancel.hpp"
#include "drive/choice.hpp"
#include "drive/in_hand.hpp"
#include "unit/drive/shop.hpp"

namespace reclaim::drive {
namespace {

using archive::TapeState;
using test::kNow;
using test::Request;
using test::RequestId;
using test::Shop;
using test::Vid;

using Strings = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

constexpr const char* kV1Reports = "queue/V1.r";
constexpr const char* kV1Waits = "queue/V1.t";

Result<std::optional<Vid>> chosen_by(Drive& drive) {
  std::vector<std::string> problems;
  return choose_tape(drive, problems);
}

TEST(Drive, DeliversInTheOrderOfTheTapeAndHandsOverToBeReported) {
  Shop shop({"V1"});
  std::vector<RequestId> ids;
  for (const int fseq : {5, 2, 9, 1}) {
    const std::string file = "f" + std::to_string(fseq);
    shop.add_file(file, {"V1"}, fseq);
    ids.push_back(shop.enqueue(file));
  }
  const MountReport report = shop.serve().value();
  EXPECT_EQ(report.vid, Vid("V1"));
  EXPECT_EQ(report.delivered, 4U);
  EXPECT_EQ(report.why, "");
  EXPECT_EQ(shop.buffer.begun, (Strings{"out/f1", "out/f2", "out/f5", "out/f9"}));
  EXPECT_EQ(shop.delivered(), (Files{{"out/f1", "f1"}, {"out/f2", "f2"}, {"out/f5", "f5"}, {"out/f9", "f9"}}));
  for (const RequestId& id : ids) {
    EXPECT_EQ(shop.owner(id), kV1Reports);
    EXPECT_EQ(shop.request(id).state(), Request::TRANSFERRED);
    EXPECT_EQ(shop.request(id).attempts().total(), 1U);
  }
  EXPECT_EQ(shop.hooks, (Strings{"load V1", "unload V1"}));
  EXPECT_TRUE(shop.hand.held().empty()) << "nothing is left in hand";
  EXPECT_EQ(archive::find_mount(shop.store, Vid("V1")).value(), std::nullopt);
  EXPECT_EQ(shop.findings(), Strings());
  EXPECT_FALSE(shop.serve().value().vid) << "there is nothing more to do";
}

TEST(Drive, TellsOfEveryTryAsSoonAsItIsOver) {
  Shop shop({"V1"});
  shop.add_file("good", {"V1"}, 1);
  shop.add_file("corrupt", {"V1"}, 2);
  shop.enqueue("good");
  shop.enqueue("corrupt");
  shop.library.put("V1", 2, "c0rrupt");
  Strings told;
  Drive drive = shop.drive();
  drive.told = [&](const Try& tried) { told.push_back(std::string(name_of(tried.came)) + ' ' + std::to_string(tried.bytes)); };
  serve_one_mount(drive).value();
  EXPECT_EQ(told, (Strings{"delivered 4", "copy_failed 7", "copy_failed 7", "copy_failed 7"}));
}

TEST(Drive, ReadsACorruptOrMissingCopyThreeTimesThenAnotherOne) {
  Shop shop({"V1", "V2"});
  shop.add_file("corrupt", {"V1", "V2"}, 1);
  shop.add_file("long", {"V1", "V2"}, 2);
  shop.add_file("good", {"V1", "V2"}, 3);
  std::vector<RequestId> ids;
  for (const char* file : {"corrupt", "long", "good"}) ids.push_back(shop.enqueue(file));
  for (const char* vid : {"V1", "V2"}) {
    const bool is_active = shop.request(ids[0]).copies(static_cast<int>(shop.request(ids[0]).active_copy())).vid() == vid;
    if (is_active) shop.library.put(vid, 1, "c0rrupt");
    const bool is_active_of_long = shop.request(ids[1]).copies(static_cast<int>(shop.request(ids[1]).active_copy())).vid() == vid;
    if (is_active_of_long) shop.library.put(vid, 2, "longer than it should be");
  }
  shop.serve_all();
  EXPECT_EQ(shop.delivered(), (Files{{"out/corrupt", "corrupt"}, {"out/long", "long"}, {"out/good", "good"}}));
  EXPECT_EQ(shop.request(ids[0]).attempts().total(), 4U);
  EXPECT_EQ(shop.request(ids[0]).errors_size(), 3);
  EXPECT_NE(shop.request(ids[0]).errors(0).find("checksum"), std::string::npos) << shop.request(ids[0]).errors(0);
  EXPECT_EQ(shop.request(ids[2]).attempts().total(), 1U);
  EXPECT_EQ(shop.findings(), Strings());
}

TEST(Drive, AFileThatIsMissingFailsAfterSixTriesInTwoMounts) {
  Shop shop({"V1"});
  shop.add_file("good", {"V1"}, 1);
  archive::add_files(shop.context(),
                     {{.id = archive::FileId("missing"), .size = 3, .checksum = "adler32:024d0127", .copies = {{Vid("V1"), 7}}}})
      .value()
      .front()
      .value();
  const RequestId good = shop.enqueue("good");
  const RequestId missing = shop.enqueue("missing");
  const MountReport first = shop.serve().value();
  EXPECT_EQ(first.delivered, 1U);
  EXPECT_EQ(first.elsewhere, 1U);
  EXPECT_EQ(shop.owner(missing), kV1Waits) << "no other copy: the same again in another mount";
  EXPECT_EQ(shop.request(missing).attempts().total(), 3U);
  EXPECT_EQ(shop.serve().value().failed, 1U);
  EXPECT_EQ(shop.owner(missing), kV1Reports);
  EXPECT_EQ(shop.request(missing).state(), Request::FAILED);
  EXPECT_EQ(shop.request(missing).attempts().total(), 6U);
  EXPECT_EQ(shop.request(missing).final_attempt(), 6U);
  EXPECT_EQ(shop.request(good).state(), Request::TRANSFERRED);
  EXPECT_FALSE(shop.serve().value().vid);
}

TEST(Drive, ADestinationThatHoldsAnotherFileFailsThatRequestAtOnce) {
  Shop shop({"V1", "V2"});
  shop.add_file("f1", {"V1", "V2"}, 1);
  shop.add_file("f2", {"V1", "V2"}, 2);
  const RequestId taken = shop.enqueue("f1");
  shop.enqueue("f2");
  shop.buffer.inner.put("out/f1", "somebody's");
  shop.serve_all();
  EXPECT_EQ(shop.request(taken).state(), Request::FAILED);
  EXPECT_EQ(shop.request(taken).attempts().total(), 1U);
  EXPECT_EQ(shop.delivered(), (Files{{"out/f1", "somebody's"}, {"out/f2", "f2"}}));
}

TEST(Drive, AFullBufferFailsNoRequestAndPutsTheDriveDown) {
  Shop shop({"V1"});
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V1"}, 2);
  const RequestId first = shop.enqueue("f1");
  const RequestId second = shop.enqueue("f2");
  shop.buffer.inner.set_room(3);
  const MountReport report = shop.serve().value();
  EXPECT_EQ(report.delivered, 1U);
  EXPECT_NE(report.why.find("buffer memory: "), std::string::npos) << report.why;
  EXPECT_EQ(shop.owner(first), kV1Reports);
  EXPECT_EQ(shop.owner(second), kV1Waits);
  EXPECT_EQ(shop.request(second).attempts().total(), 0U);
  const archive::Drive drive = archive::find_drive(shop.context(), shop.drive_name).value();
  EXPECT_EQ(drive.desired, archive::Desired::kDown);
  EXPECT_EQ(drive.reason, report.why);
  EXPECT_FALSE(shop.serve().value().vid) << "it waits for its operator";
  shop.buffer.inner.set_room(100);
  archive::set_drive(shop.context(), shop.drive_name, archive::Desired::kUp, "").value();
  EXPECT_EQ(shop.serve().value().delivered, 1U);
  EXPECT_EQ(shop.findings(), Strings());
}

TEST(Drive, ATapeThatGoesAwayFailsNoRequest) {
  Shop shop({"V1"});
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V1"}, 2);
  shop.enqueue("f1");
  const RequestId second = shop.enqueue("f2");
  shop.buffer.before = [&](const std::string& destination) {
    if (destination == "out/f2") shop.library.take_away("V1");
  };
  const MountReport report = shop.serve().value();
  EXPECT_EQ(report.delivered, 1U);
  EXPECT_NE(report.why.find("tape V1 is away"), std::string::npos) << report.why;
  EXPECT_EQ(shop.owner(second), kV1Waits);
  EXPECT_EQ(shop.request(second).errors_size(), 0);
  EXPECT_FALSE(shop.serve().value().vid) << "what is not in the library is not mounted";
  shop.library.bring("V1");
  shop.buffer.before = nullptr;
  EXPECT_EQ(shop.serve().value().delivered, 1U);
}

TEST(Drive, ATapeThatLeavesServiceLosesItsDriveAfterTheFileInHand) {
  Shop shop({"V1", "V2"});
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V1"}, 2);
  const RequestId alone = shop.enqueue("f2");
  const RequestId first = shop.enqueue("f1");
  shop.buffer.before = [&](const std::string&) {
    archive::ask_tape_state(shop.context(), Vid("V1"), TapeState::kBroken, "torn at 30 m").value();
  };
  const MountReport report = shop.serve().value();
  EXPECT_EQ(report.delivered, 1U);
  EXPECT_EQ(report.why, "tape V1 is BROKEN_PENDING");
  EXPECT_EQ(shop.request(first).state(), Request::TRANSFERRED);
  EXPECT_EQ(shop.request(alone).state(), Request::FAILED);
  EXPECT_NE(shop.request(alone).errors(0).find("torn at 30 m"), std::string::npos) << shop.request(alone).errors(0);
  EXPECT_EQ(archive::find_mount(shop.store, Vid("V1")).value(), std::nullopt);
  EXPECT_FALSE(archive::read_queue(shop.store, {Vid("V1"), archive::QueueType::kToTransfer}).value());
  EXPECT_EQ(shop.findings(), Strings());
}

TEST(Drive, WantedDownOrStoppingItHandsTheRestBack) {
  for (const bool is_stop : {false, true}) {
    Shop shop({"V1"});
    shop.add_file("f1", {"V1"}, 1);
    shop.add_file("f2", {"V1"}, 2);
    shop.enqueue("f1");
    const RequestId second = shop.enqueue("f2");
    shop.buffer.before = [&](const std::string& destination) {
      if (!is_stop && destination == "out/f1")
        archive::set_drive(shop.context(), shop.drive_name, archive::Desired::kDown, "cleaning").value();
      if (destination == "out/f2") shop.is_stopping = true;
    };
    const MountReport report = shop.serve().value();
    EXPECT_EQ(report.delivered, 1U);
    EXPECT_EQ(report.why, is_stop ? "the drive is stopping" : "the drive is wanted down: cleaning");
    EXPECT_EQ(shop.owner(second), kV1Waits);
    EXPECT_EQ(shop.buffer.inner.unfinished(), 0U) << "the file in hand leaves nothing";
    EXPECT_TRUE(shop.hand.held().empty());
    EXPECT_EQ(shop.hooks, (Strings{"load V1", "unload V1"}));
    EXPECT_EQ(shop.findings(), Strings());
  }
}

TEST(Drive, WhatIsCancelledInItsHandsIsLeftOutUnlessItWasCopiedByThen) {
  Shop shop({"V1"});
  std::vector<RequestId> ids;
  for (int fseq = 1; fseq <= 3; ++fseq) {
    shop.add_file("f" + std::to_string(fseq), {"V1"}, fseq);
    ids.push_back(shop.enqueue("f" + std::to_string(fseq)));
  }
  shop.buffer.before = [&](const std::string& destination) {
    if (destination != "out/f2") return;
    for (const RequestId& id : {ids[0], ids[2]}) {
      const auto cancelled = archive::cancel_request(shop.desk_hand, shop.context(), id, [](const archive::SegmentId&) {}).value();
      EXPECT_EQ(cancelled.how, archive::Cancelled::kFlagged);
    }
    shop.now_ms += kLookMs;
  };
  const MountReport report = shop.serve().value();
  EXPECT_EQ(report.delivered, 2U);
  EXPECT_EQ(report.cancelled, 1U);
  EXPECT_EQ(shop.delivered(), (Files{{"out/f1", "f1"}, {"out/f2", "f2"}}));
  EXPECT_EQ(shop.request(ids[0]).state(), Request::TRANSFERRED);
  EXPECT_FALSE(shop.is_there(ids[2]));
  const auto ended = archive::find_ended(shop.context(), std::vector{ids[2]}).value();
  ASSERT_TRUE(ended.front());
  EXPECT_EQ(ended.front()->ended.how, archive::Ending::kCancelled);
  EXPECT_EQ(shop.findings(), Strings());
}

TEST(Drive, ThatIsCollectedStopsAndWritesNothingMore) {
  Shop shop({"V1"});
  shop.add_file("f1", {"V1"}, 1);
  const RequestId id = shop.enqueue("f1");
  shop.buffer.before = [&](const std::string&) { shop.agent->heart().fence(); };
  const auto served = shop.serve();
  ASSERT_FALSE(served.ok());
  EXPECT_EQ(served.error().kind, Error::Kind::kFenced);
  EXPECT_EQ(shop.owner(id), shop.agent->id().str()) << "its collector returns it";
  EXPECT_TRUE(archive::find_mount(shop.store, Vid("V1")).value());
  EXPECT_EQ(shop.hooks, (Strings{"load V1", "unload V1"}));
  EXPECT_EQ(shop.delivered(), Files());
}

TEST(Drive, ATapeThatCannotBeLoadedIsDisabledAndTheDriveDown) {
  Shop shop({"V1"});
  shop.add_file("f1", {"V1"}, 1);
  const RequestId id = shop.enqueue("f1");
  shop.load_answer = unavailable("the robot is stuck");
  const MountReport report = shop.serve().value();
  EXPECT_NE(report.why.find("the robot is stuck"), std::string::npos) << report.why;
  EXPECT_EQ(archive::find_tape(shop.context(), Vid("V1")).value().spec.state, TapeState::kDisabled);
  EXPECT_EQ(archive::find_drive(shop.context(), shop.drive_name).value().desired, archive::Desired::kDown);
  EXPECT_EQ(shop.owner(id), kV1Waits);
  EXPECT_EQ(archive::find_mount(shop.store, Vid("V1")).value(), std::nullopt);
}

TEST(Verdict, ARequestOfARepackIsTriedOnce) {
  Request request;
  auto& copy = *request.add_copies();
  copy.set_vid("V1");
  copy.set_fseq(7);
  const Try failed{Came::kCopyFailed, "torn"};
  Request of_user = request;
  EXPECT_EQ(judge(of_user, failed), Next::kAgain);
  request.set_kind(Request::REPACK);
  EXPECT_EQ(judge(request, failed), Next::kReport);
  EXPECT_EQ(request.state(), Request::FAILED);
  EXPECT_EQ(request.errors(0), "V1:7: torn");
  EXPECT_EQ(request.final_attempt(), 1U);
}

TEST(Choice, IsTheHighestPriorityThenTheOldest) {
  Shop shop({"V1", "V2", "V3", "V4"});
  shop.add_file("old", {"V1"}, 1);
  shop.add_file("young", {"V2"}, 1);
  shop.add_file("urgent", {"V3"}, 1);
  shop.add_file("away", {"V4"}, 1);
  shop.enqueue("old");
  shop.now_ms += 1000;
  shop.enqueue("young");
  shop.enqueue("urgent", 5);
  shop.enqueue("away", 9);
  shop.library.take_away("V4");
  Drive drive = shop.drive();
  EXPECT_EQ(chosen_by(drive).value(), Vid("V3"));
  archive::mount(shop.desk_hand, Vid("V3"), "D2", kNow).value();
  EXPECT_EQ(chosen_by(drive).value(), Vid("V1")) << "another drive has V3";
  archive::ask_tape_state(shop.context(), Vid("V1"), TapeState::kDisabled, "rest").value();
  EXPECT_EQ(chosen_by(drive).value(), Vid("V2"));
  const auto reserve = [](archive::stored::Queue& queue) -> Result<archive::Edited> {
    queue.mutable_reservation()->set_agent("agent/m@1");
    return archive::Edited::kWrite;
  };
  archive::edit_queue(shop.store, {Vid("V2"), archive::QueueType::kToTransfer}, reserve).value();
  EXPECT_EQ(chosen_by(drive).value(), std::nullopt) << "under cleanup";
}

TEST(Choice, WaitsUntilAMountPays) {
  Shop shop({"V1"});
  archive::put_policy(shop.context(), {.name = archive::PolicyName("slow"), .min_age_s = 3600, .min_files = 3}).value();
  for (int fseq = 1; fseq <= 4; ++fseq) shop.add_file("f" + std::to_string(fseq), {"V1"}, fseq);
  Drive drive = shop.drive();
  shop.enqueue("f1", 0, "slow");
  shop.enqueue("f2", 0, "slow");
  EXPECT_EQ(chosen_by(drive).value(), std::nullopt);
  shop.now_ms += 3'600'000;
  EXPECT_EQ(chosen_by(drive).value(), Vid("V1")) << "one is old enough";
  shop.now_ms -= 3'600'000;
  EXPECT_EQ(chosen_by(drive).value(), std::nullopt);
  shop.enqueue("f3", 0, "slow");
  EXPECT_EQ(chosen_by(drive).value(), Vid("V1")) << "they are enough";
}

TEST(Choice, ARequestWithoutAPolicyIsEnough) {
  Shop shop({"V1"});
  archive::put_policy(shop.context(), {.name = archive::PolicyName("slow"), .min_files = 3}).value();
  shop.add_file("f1", {"V1"}, 1);
  shop.add_file("f2", {"V1"}, 2);
  Drive drive = shop.drive();
  shop.enqueue("f1", 0, "slow");
  EXPECT_EQ(chosen_by(drive).value(), std::nullopt);
  shop.enqueue("f2");
  EXPECT_EQ(chosen_by(drive).value(), Vid("V1"));
}

}  // namespace
}  // namespace reclaim::drive
