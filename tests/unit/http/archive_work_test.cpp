// The routes that show what waits in the archive's store and who works on it.
#include "agents/agent.hpp"
#include "archive/drives.hpp"
#include "archive/hand.hpp"
#include "archive/mounts.hpp"
#include "archive/queues.hpp"
#include "unit/archive/samples.hpp"
#include "unit/http/http_api.hpp"

namespace reclaim::http {
namespace {

const std::string kQueues = "/api/v1/queues";
const std::string kDrives = "/api/v1/drives";
const std::string kAgents = "/api/v1/agents";

void put_queue(ports::ObjectStore& store, WallTime now, const char* vid, archive::QueueType type, std::uint32_t requests,
               const char* cleaner = nullptr) {
  archive::edit_queue(store, {archive::Vid(vid), type}, [&](archive::stored::Queue& queue) -> Result<archive::Edited> {
    auto& entry = *queue.add_pointers();
    entry.set_segment("segment/3-1");
    entry.set_expects(1);
    entry.set_requests(requests);
    entry.set_bytes(10);
    entry.set_oldest_ms(now.ms - 61'500);
    if (cleaner != nullptr) queue.mutable_reservation()->set_agent(cleaner);
    return archive::Edited::kWrite;
  }).value();
}

using Strings = std::vector<std::string>;

TEST_F(HttpApi, QueuesAreListedWithTheirFiguresAndFiltered) {
  ASSERT_EQ(ask("POST", "/api/v1/tapes", R"({"vid":"V1","pool":"p","library":"l"})").status, 201);
  put_queue(store, clock.wall(), "V1", archive::QueueType::kToTransfer, 3);
  put_queue(store, clock.wall(), "V1", archive::QueueType::kToReport, 4);
  put_queue(store, clock.wall(), "V2", archive::QueueType::kToTransfer, 5, "agent/m@17");
  EXPECT_EQ(ask("GET", kQueues + "?type=to_transfer&vid=V1").body["queues"][0],
            Json::parse(R"({"vid":"V1","type":"to_transfer","requests":3,"bytes":10,"oldest_s":61,"cleanup":null,"problem":null})"));
  const auto listed = [&](const std::string& query) {
    const Said said = ask("GET", kQueues + query);
    Strings found;
    for (const Json& item : said.body["queues"]) found.push_back(item.value("vid", "") + " " + item.value("type", ""));
    return found;
  };
  EXPECT_EQ(listed(""), (Strings{"V1 to_report", "V1 to_transfer", "V2 to_transfer"}));
  EXPECT_EQ(listed("?cleanup=true"), (Strings{"V2 to_transfer"}));
  const Json first = ask("GET", kQueues + "?limit=1").body;
  EXPECT_EQ(listed("?after=" + first.value("next", "")), (Strings{"V1 to_transfer", "V2 to_transfer"}));
  const Json cleanup = ask("GET", kQueues + "?vid=V2").body["queues"][0]["cleanup"];
  EXPECT_EQ(cleanup.value("agent", ""), "m");
  EXPECT_EQ(cleanup.value("epoch", 0), 17);
  EXPECT_EQ(cleanup.value("requested", false), true) << "no such tape takes anything";
  EXPECT_EQ(ask("GET", "/api/v1/tapes/V1").body.value("requests", 0), 7);
  EXPECT_EQ(ask("GET", "/api/v1/tapes").body["tapes"][0].value("requests", 0), 7);
}

TEST_F(HttpApi, WrongQueriesOfQueuesAreRefusedByName) {
  for (const auto& [query, problem] : std::vector<std::pair<std::string, std::string>>{{"?type=lost", "422 invalid type"},
                                                                                       {"?vid=a%2fb", "422 invalid vid"},
                                                                                       {"?cleanup=1", "422 invalid cleanup"},
                                                                                       {"?after=..", "422 invalid after"},
                                                                                       {"?limit=0", "422 invalid limit"},
                                                                                       {"?tape=V1", "422 invalid tape"}}) {
    EXPECT_EQ(refused("GET", kQueues + query), problem) << query;
  }
  EXPECT_EQ(refused("GET", kQueues, "", "gateway"), "403 forbidden");
}

TEST_F(HttpApi, ADriveIsTakenDownAndUpWithErrorsInTheOrderOfTheContract) {
  archive::register_drive(archive.context("test"), archive::DriveName("D1")).value();
  const std::string one = kDrives + "/D1";
  EXPECT_EQ(ask("GET", kDrives).body["drives"][0], ask("GET", one).body);
  EXPECT_EQ(refused("PUT", kDrives + "/D9", "{"), "400 invalid");
  EXPECT_EQ(refused("PUT", kDrives + "/D9", "{}", "client"), "403 forbidden");
  EXPECT_EQ(refused("PUT", kDrives + "/D9", R"({"desired":"sideways"})"), "404 not-found");
  EXPECT_EQ(refused("PUT", kDrives + "/D9", R"({"desired":"down"})"), "404 not-found");
  EXPECT_EQ(refused("PUT", one, "{}"), "422 invalid desired");
  EXPECT_EQ(refused("PUT", one, R"({"desired":"sideways"})"), "422 invalid desired");
  EXPECT_EQ(refused("PUT", one, R"({"desired":"down"})"), "422 invalid reason");
  EXPECT_EQ(refused("PUT", one, R"({"desired":"up","force":true})"), "422 invalid force");
  const Said down = ask("PUT", one, R"({"desired":"down","reason":"head cleaning"})");
  EXPECT_EQ(down.status, 200);
  EXPECT_EQ(down.body.value("desired", ""), "down");
  EXPECT_EQ(ask("GET", one).body, down.body);
  EXPECT_EQ(ask("PUT", one, R"({"desired":"up"})").body.value("reason", "x"), "");
  EXPECT_EQ(refused("GET", kDrives + "/D9"), "404 not-found");
}

TEST_F(HttpApi, AMountIsShownOfItsTapeAndOfItsDrive) {
  ASSERT_EQ(ask("POST", "/api/v1/tapes", R"({"vid":"V1","pool":"p","library":"l"})").status, 201);
  archive::register_drive(archive.context("test"), archive::DriveName("D1")).value();
  EXPECT_EQ(ask("GET", "/api/v1/tapes/V1").body["mounted_by"], nullptr);
  EXPECT_EQ(ask("GET", kDrives + "/D1").body["mounted"], nullptr);
  const auto agent = agents::Agent::register_as(store, "D1", "drive").value();
  archive::Hand hand(store, *agent);
  archive::mount(hand, archive::Vid("V1"), "D1", clock.wall().ms).value();
  EXPECT_EQ(ask("GET", "/api/v1/tapes/V1").body["mounted_by"], "D1");
  EXPECT_EQ(ask("GET", "/api/v1/tapes").body["tapes"][0]["mounted_by"], "D1");
  EXPECT_EQ(ask("GET", kDrives + "/D1").body["mounted"], "V1");
}

TEST_F(HttpApi, AgentsAreListedWithWhatTheyOwn) {
  const auto drive = agents::Agent::register_as(store, "D1", "drive").value();
  const ports::ObjectName segment{"segment", "1-1"};
  drive->own(std::span(&segment, 1)).value();
  const auto again = agents::Agent::register_as(store, "D1", "drive").value();
  again->heart().end();
  const Json all = ask("GET", kAgents).body["agents"];
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].value("state", ""), "unwatched");
  EXPECT_EQ(all[1].value("state", ""), "silent") << "it has no beat";
  EXPECT_EQ(all[0].value("owned", 0), 1);
  EXPECT_EQ(ask("GET", kAgents + "/D1@1").body["objects"], Json::parse(R"(["segment/1-1"])"));
  EXPECT_EQ(ask("GET", kAgents + "/D1").body.value("epoch", 0), 2) << "the youngest of that name";
  EXPECT_EQ(refused("GET", kAgents + "/D2"), "404 not-found");
  const Json first = ask("GET", kAgents + "?limit=1").body;
  EXPECT_EQ(ask("GET", kAgents + "?after=" + first.value("next", "")).body["agents"][0], all[1]);
  EXPECT_EQ(refused("GET", kAgents + "?after=x"), "422 invalid after");
}

TEST_F(HttpApi, WhatThisProcessWatchesIsShown) {
  const auto drive = agents::Agent::register_as(store, "D1", "drive").value();
  drive->heart().progress(Millis(60'000));
  drive->heart().beat().value();
  archive.maintenance().run(server::kAgents, "test").value();
  EXPECT_EQ(ask("GET", kAgents + "/server-agents").body.value("state", ""), "alive");
  const Json seen = ask("GET", kAgents + "/D1").body;
  EXPECT_EQ(seen.value("state", ""), "alive");
  EXPECT_EQ(seen.value("progress_age_s", 9), 0);
}

TEST_F(HttpApi, APlanOfAStateSaysWhereTheRequestsWouldGoAndChangesNothing) {
  for (const char* vid : {"V1", "V2"}) {
    ASSERT_EQ(ask("POST", "/api/v1/tapes", R"({"vid":")" + std::string(vid) + R"(","pool":"p","library":"l"})").status, 201);
  }
  const archive::SegmentId id{.epoch = 3, .number = 1};
  const archive::QueueId v1{archive::Vid("V1"), archive::QueueType::kToTransfer};
  archive::stored::Segment segment = archive::samples::segment(object_name(v1).str(), id, {1, 2, 3, 4, 5});
  for (const int only_on_v1 : {3, 4}) segment.mutable_requests(only_on_v1)->mutable_copies()->RemoveLast();
  const ports::Version version = store.create(object_name(id), encode(id, segment)).value();
  const auto entry = archive::summarize(id, version, segment);
  archive::announce(store, v1, std::span(&entry, 1)).value();
  const std::string plan = "/api/v1/tapes/V1/state/plan";
  EXPECT_EQ(ask("GET", plan + "?state=BROKEN").body,
            Json::parse(R"({"becomes":"BROKEN_PENDING","requeued":{"V2":3},"failed":2,"staying":0,"more":false})"));
  EXPECT_EQ(ask("GET", plan + "?state=DISABLED").body,
            Json::parse(R"({"becomes":"DISABLED","requeued":{},"failed":0,"staying":5,"more":false})"));
  EXPECT_EQ(ask("GET", "/api/v1/tapes/V1").body.value("state", ""), "ACTIVE");
  EXPECT_EQ(refused("GET", "/api/v1/tapes/V9/state/plan?state=GONE"), "404 not-found");
  EXPECT_EQ(refused("GET", plan), "422 invalid state");
  EXPECT_EQ(refused("GET", plan + "?state=BROKEN_PENDING"), "422 invalid state");
  EXPECT_EQ(refused("GET", plan + "?state=BROKEN&force=true"), "422 invalid force");
  EXPECT_EQ(refused("GET", plan + "?state=REPACKING_DISABLED"), "409 conflict");
}

}  // namespace
}  // namespace reclaim::http
