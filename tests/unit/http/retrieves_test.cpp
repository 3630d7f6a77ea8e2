// The routes of requests to read files, and of failed ones.
#include "agents/agent.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "unit/http/http_api.hpp"

namespace reclaim::http {
namespace {

const std::string kRetrieves = "/api/v1/retrieves";
const std::string kFailed = "/api/v1/failed";

std::string wanted(const std::string& id, const std::string& more = "") {
  return R"({"file":")" + id + R"(","destination":"run 7/)" + id + "\"" + more + "}";
}

// What a drive and a reporter would make of the requests that wait on V1: they end in its failed queue.
void fail_all(ports::ObjectStore& store) {
  const archive::QueueId from{archive::Vid("V1"), archive::QueueType::kToTransfer};
  const archive::QueueId to{archive::Vid("V1"), archive::QueueType::kFailed};
  const auto queue = archive::read_queue(store, from).value();
  for (const auto& pointer : queue->pointers()) {
    archive::SegmentAt at = archive::read_segment(store, archive::parse_segment_name(pointer.segment()).value()).value().value();
    for (auto& request : *at.segment.mutable_requests()) {
      request.set_state(archive::stored::Request::FAILED);
      archive::add_error(request, "torn");
    }
    const auto entry = archive::summarize(at.id, at.version, at.segment);
    archive::announce(store, to, std::span(&entry, 1)).value();
    const ports::StoreCall write = archive::owner_write(at.id, at.version, at.segment, to);
    ASSERT_TRUE(store.run(std::span(&write, 1)).front().ok());
  }
  archive::tidy_queue(store, from).value();
}

using Strings = std::vector<std::string>;

TEST_F(HttpApi, ARequestIsSubmittedShownListedAndTakenBack) {
  arrange_archive();
  const std::string more = R"(,"requester":"alice","priority":5,"report_to":"http://127.0.0.1:1/done")";
  const std::string id = ask("POST", kRetrieves, wanted("f1", more), "client").body.value("id", "");
  const Json shown = ask("GET", kRetrieves + "/" + id).body;
  EXPECT_EQ(shown.value("state", ""), "queued");
  EXPECT_EQ(shown.value("file", ""), "f1");
  EXPECT_EQ(shown.value("copy", 0), shown.value("vid", "") == "V1" ? 1 : 2);
  EXPECT_EQ(shown.value("requester", ""), "alice");
  EXPECT_EQ(shown.value("priority", 0), 5);
  EXPECT_EQ(shown["reported"], nullptr) << "it is not final";
  EXPECT_EQ(ask("GET", kRetrieves).body["retrieves"][0], shown);
  EXPECT_EQ(ask("GET", "/api/v1/tapes/" + shown.value("vid", "")).body.value("requests", 0), 1);
  EXPECT_EQ(ask("DELETE", kRetrieves + "/" + id, "", "client").body.value("id", ""), id);
  EXPECT_EQ(refused("GET", kRetrieves + "/" + id), "404 not-found");
  EXPECT_EQ(refused("DELETE", kRetrieves + "/" + id), "404 not-found");
}

TEST_F(HttpApi, AListIsFilteredAndGoesOnWhereItEnded) {
  arrange_archive();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("POST", kRetrieves, wanted("f2")).status, 201);
  const auto listed = [&](const std::string& query) {
    const Said said = ask("GET", kRetrieves + query);
    Strings found;
    for (const Json& item : said.body["retrieves"]) found.push_back(item.value("file", ""));
    return found;
  };
  EXPECT_EQ(listed("?file=f2&state=queued&vid=V1"), (Strings{"f2", "f2"}));
  EXPECT_EQ(listed("?file=f1"), Strings());
  EXPECT_EQ(listed("?state=done"), Strings());
  const Json first = ask("GET", kRetrieves + "?limit=1").body;
  EXPECT_EQ(first["retrieves"].size(), 1U);
  EXPECT_EQ(listed("?after=" + first.value("next", "")), (Strings{"f2"}));
  EXPECT_EQ(refused("GET", kRetrieves + "?state=lost"), "422 invalid state");
  EXPECT_EQ(refused("GET", kRetrieves + "?vid=a%2fb"), "422 invalid vid");
  EXPECT_EQ(refused("GET", kRetrieves + "?after=.."), "422 invalid after");
}

TEST_F(HttpApi, OfAnArrayEachIsAnsweredByItself) {
  arrange_archive();
  const Said said = ask("POST", kRetrieves, "[" + wanted("f1") + "," + wanted("f9") + R"(,{"file":"f1"},)" + wanted("f2") + "]");
  EXPECT_EQ(said.status, 201);
  ASSERT_EQ(said.body.size(), 4U);
  EXPECT_TRUE(said.body[0].contains("id"));
  EXPECT_EQ(said.body[1]["error"].value("field", ""), "[1].file");
  EXPECT_EQ(said.body[2]["error"].value("field", ""), "[2].destination");
  EXPECT_EQ(said.body[3].value("vid", ""), "V1");
  EXPECT_EQ(ask("POST", kRetrieves, "[" + wanted("f9") + "]").status, 422);
  EXPECT_EQ(ask("POST", kRetrieves, "[]").status, 201);
}

TEST_F(HttpApi, WhatIsWrongIsRefusedByNameAndAFileThatNoTapeCanServeIsAConflict) {
  arrange_archive();
  for (const auto& [body, problem] :
       std::vector<std::pair<std::string, std::string>>{{"7", "422 invalid body"},
                                                        {"{}", "422 invalid file"},
                                                        {R"({"file":"f1"})", "422 invalid destination"},
                                                        {R"({"file":"f1","destination":"../x"})", "422 invalid destination"},
                                                        {R"({"file":"f1","destination":"/x"})", "422 invalid destination"},
                                                        {wanted("f9"), "422 invalid file"},
                                                        {wanted("f1", R"(,"policy":"none")"), "422 invalid policy"},
                                                        {wanted("f1", R"(,"policy":"a/b")"), "422 invalid policy"},
                                                        {wanted("f1", R"(,"priority":1e30)"), "422 invalid priority"},
                                                        {wanted("f1", R"(,"report_to":"ftp://x")"), "422 invalid report_to"},
                                                        {wanted("f1", R"(,"force":true)"), "422 invalid force"},
                                                        {"{", "400 invalid"}}) {
    EXPECT_EQ(refused("POST", kRetrieves, body), problem) << body;
  }
  EXPECT_EQ(refused("POST", kRetrieves, wanted("f1"), "viewer"), "403 forbidden");
  ASSERT_EQ(ask("PUT", "/api/v1/tapes/V1/state", R"({"state":"BROKEN","reason":"torn"})").status, 202);
  EXPECT_EQ(refused("POST", kRetrieves, wanted("f2")), "409 conflict");
  EXPECT_EQ(ask("POST", kRetrieves, wanted("f1")).body.value("vid", ""), "V2");
  for (const char* id : {"x", "1-2", "9-9-9", "0-1-1"}) EXPECT_EQ(refused("GET", kRetrieves + "/" + id), "404 not-found") << id;
}

TEST_F(HttpApi, AFailedOneIsListedRetriedAndRemoved) {
  arrange_archive();
  const std::string first = ask("POST", kRetrieves, wanted("f2")).body.value("id", "");
  const std::string second = ask("POST", kRetrieves, wanted("f2")).body.value("id", "");
  EXPECT_EQ(refused("POST", kFailed + "/" + first + "/retry"), "409 conflict") << "it has not failed";
  EXPECT_EQ(refused("GET", kFailed + "/" + first), "404 not-found");
  fail_all(store);
  const Json failed = ask("GET", kFailed).body["failed"];
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0]["errors"], Json::parse(R"(["torn"])"));
  EXPECT_EQ(ask("GET", kFailed + "/" + first).body, failed[0]);
  EXPECT_EQ(ask("GET", kFailed + "?vid=V2").body["failed"].size(), 0U);
  EXPECT_EQ(refused("DELETE", kRetrieves + "/" + first), "409 conflict") << "too late";
  EXPECT_EQ(refused("POST", kFailed + "/" + first + "/retry", "", "client"), "403 forbidden");
  const Json again = ask("POST", kFailed + "/" + first + "/retry").body;
  EXPECT_EQ(again.value("id", ""), first);
  EXPECT_EQ(again.value("state", ""), "queued");
  EXPECT_EQ(again.value("attempts", 9), 0);
  EXPECT_EQ(ask("DELETE", kFailed + "/" + second).body.value("id", ""), second);
  EXPECT_EQ(refused("DELETE", kFailed + "/" + second), "404 not-found");
  EXPECT_EQ(ask("GET", kFailed).body["failed"].size(), 0U);
  EXPECT_EQ(refused("POST", kFailed + "/x/retry"), "404 not-found");
}

}  // namespace
}  // namespace reclaim::http
