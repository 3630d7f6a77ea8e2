#include "wire/sync.hpp"

#include <gtest/gtest.h>

#include "wire/json.hpp"

namespace reclaim::wire {
namespace {

// A request in the wire's own order, with one of everything.
constexpr std::string_view kEverything =
    R"({"session":"s-1","incarnation":"i-1","started":3,"sequence":7,"as_of":123450,)"
    R"("boot":"b-1","new_incarnation":"accept",)"
    R"("answered":{"lineage":"l-1","session":"s-1","sequence":6},)"
    R"("containers":{"full":["h1","h2"]},)"
    R"("volumes":{"base":6,"added":["v9"],"removed":["v3"],"count":812,"digest":"0123456789abcdef0123456789abcdef"},)"
    R"("malformed":[{"kind":"volume","name":"a b"}],)"
    R"("unlisted":[{"kind":"container","error":"no root"}],)"
    R"("results":[{"kind":"container","handle":"h0","ok":true},)"
    R"({"kind":"volume","handle":"v4","ok":false,"error":"busy","attempt":2,"took_ms":7,"stuck":true}],)"
    R"("in_hand":{"containers":["h5"],"volumes":["v4"]},"disk":{"total_bytes":2,"used_bytes":1},"wait_ms":60000})";

constexpr std::string_view kRequired = R"("session":"s","incarnation":"i","started":1,"sequence":1,"as_of":0)";

Result<SyncRequest> with(std::string_view more) { return parse_sync_request("{" + std::string(kRequired) + "," + std::string(more) + "}"); }

// What is refused, as "kind field".
std::string refusal(const Result<SyncRequest>& parsed) {
  return parsed.ok() ? "accepted" : std::string(name_of(parsed.error().kind)) + " " + parsed.error().field;
}

TEST(SyncRequest, ReadsEverythingTheContractNames) {
  const SyncRequest request = parse_sync_request(kEverything).value();
  EXPECT_EQ(request.session, "s-1");
  EXPECT_EQ(request.started, 3);
  EXPECT_EQ(request.answered, (Answered{"l-1", "s-1", 6}));
  EXPECT_EQ(request.inventories.containers->base, std::nullopt);
  EXPECT_EQ(request.inventories.containers->added, (std::vector<std::string>{"h1", "h2"}));
  EXPECT_EQ(request.inventories.volumes->base, 6);
  EXPECT_EQ(request.inventories.volumes->removed, std::vector<std::string>{"v3"});
  EXPECT_EQ(request.inventories.volumes->count, 812);
  EXPECT_EQ(request.malformed, (std::vector<Malformed>{{ResourceKind::kVolume, "a b"}}));
  EXPECT_EQ(request.unlisted, (std::vector<Unlisted>{{ResourceKind::kContainer, "no root"}}));
  EXPECT_EQ(request.boot, "b-1");
  EXPECT_TRUE(request.accepts_new_incarnation);
  EXPECT_EQ(request.results.at(1), (DestroyResult{ResourceKind::kVolume, "v4", false, "busy", 2, true, 7}));
  EXPECT_EQ(request.in_hand.containers, std::vector<std::string>{"h5"});
  EXPECT_EQ(request.disk, (Disk{2, 1}));
  EXPECT_EQ(request.wait_ms, 60000);
}

TEST(SyncRequest, IsWrittenAsItIsRead) { EXPECT_EQ(to_json(parse_sync_request(kEverything).value()), kEverything); }

TEST(SyncRequest, LeavesOutWhatIsEmptyButNotAnEmptyFullInventory) {
  const std::string bare = "{" + std::string(kRequired) + "}";
  EXPECT_EQ(to_json(parse_sync_request(bare).value()), bare);
  const std::string empty = "{" + std::string(kRequired) + R"(,"containers":{"full":[]},"volumes":{"base":1,"count":0,"digest":")" +
                            std::string(32, '0') + R"("}})";
  EXPECT_EQ(to_json(parse_sync_request(empty).value()), empty);
}

TEST(SyncRequest, TakesNullForLeftOut) {
  const SyncRequest request = with(R"("answered":null,"containers":null,"results":null,"in_hand":{"volumes":null},"wait_ms":null)").value();
  EXPECT_FALSE(request.answered || request.inventories.containers);
}

TEST(SyncRequest, NamesTheFieldThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("extra":1)", "extra"},
      {R"("containers":[])", "containers"},
      {R"("containers":{})", "containers.base"},
      {R"("containers":{"full":[],"base":1})", "containers.base"},
      {R"("containers":{"full":["a",7]})", "containers.full[1]"},
      {R"("volumes":{"base":"6","count":1,"digest":"0"})", "volumes.base"},
      {R"("volumes":{"base":6,"digest":"0"})", "volumes.count"},
      {R"("volumes":{"base":6,"count":1})", "volumes.digest"},
      {R"("volumes":{"base":6,"count":1,"digest":"0123456789ABCDEF0123456789abcdef"})", "volumes.digest"},
      {R"("results":[{"kind":"container","handle":"a","ok":true},{"kind":"volume","ok":true}])", "results[1].handle"},
      {R"("results":[{"kind":"pod","handle":"a","ok":true}])", "results[0].kind"},
      {R"("results":[{"kind":"volume","handle":"a"}])", "results[0].ok"},
      {R"("results":[{"kind":"volume","handle":"a","ok":true,"why":""}])", "results[0].why"},
      {R"("results":["a"])", "results[0]"},
      {R"("malformed":[{"kind":"volume"}])", "malformed[0].name"},
      {R"("boot":"")", "boot"},
      {R"("new_incarnation":"yes")", "new_incarnation"},
      {R"("unlisted":[{"error":"no root"}])", "unlisted[0].kind"},
      {R"("in_hand":{"containers":"h"})", "in_hand.containers"},
      {R"("in_hand":{"pods":[]})", "in_hand.pods"},
      {R"("answered":{"lineage":"l","session":"s"})", "answered.sequence"},
      {R"("answered":{"lineage":"","session":"s","sequence":1})", "answered.lineage"},
      {R"("disk":{"total_bytes":1})", "disk.used_bytes"},
      {R"("disk":{"total_bytes":9007199254740992,"used_bytes":0})", "disk.total_bytes"},
      {R"("wait_ms":60001)", "wait_ms"},
      {R"("same":1)", "same"},
      {R"("same":true,"volumes":{"full":[]})", "volumes"},
  };
  for (const auto& [more, field] : cases) EXPECT_EQ(refusal(with(more)), std::string("invalid ") + field) << more;
}

TEST(SyncRequest, RequiresItsSessionAndItsNumbers) {
  const Json whole = parse_json("{" + std::string(kRequired) + "}").value();
  for (const auto& member : whole.items()) {
    Json part = whole;
    part.erase(member.key());
    EXPECT_EQ(refusal(parse_sync_request(to_text(part))), "invalid " + member.key());
  }
  for (const auto& [field, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"started", 0}, {"sequence", 0}, {"as_of", -1}, {"session", std::string(129, 'x')}, {"session", ""}, {"incarnation", "a\nb"}}) {
    Json changed = whole;
    changed[field] = value;
    EXPECT_EQ(refusal(parse_sync_request(to_text(changed))), std::string("invalid ") + field) << value;
  }
  EXPECT_EQ(parse_sync_request("nonsense").error().kind, Error::Kind::kUnparsable);
}

TEST(SyncRequest, KeepsHandlesThatAreNoNamesForTheServerToSetAside) {
  EXPECT_EQ(with(R"("volumes":{"full":["../x","a b",""]})").value().inventories.volumes->added,
            (std::vector<std::string>{"../x", "a b", ""}));
  EXPECT_EQ(refusal(with(R"("volumes":{"full":[")" + std::string(4097, 'x') + "\"]}")), "invalid volumes.full[0]");
}

TEST(SyncRequest, RefusesListsBeyondTheirLimit) {
  std::string hands = R"("in_hand":{"volumes":[)";
  for (std::size_t i = 0; i <= kInHandMax; ++i) hands += i == 0 ? "\"v\"" : ",\"v\"";
  EXPECT_EQ(refusal(with(hands + "]}")), "invalid in_hand.volumes");
}

TEST(SyncRequest, TheSameFrameTakesItsSessionFromTheChannel) {
  const Standing standing{"s-1", "i-1", 3};
  const std::string_view frame = R"({"sequence":8,"as_of":123456,"same":true})";
  const SyncRequest request = parse_sync_request(frame, &standing).value();
  EXPECT_EQ(request.session + " " + request.incarnation + " " + std::to_string(request.started), "s-1 i-1 3");
  EXPECT_EQ(refusal(parse_sync_request(frame)), "invalid session");
  EXPECT_EQ(refusal(parse_sync_request(R"({"sequence":8,"as_of":123456})", &standing)), "invalid session");
  EXPECT_EQ(refusal(parse_sync_request(R"({"sequence":8,"same":true})", &standing)), "invalid as_of");
}

TEST(SyncRequest, AFrameWithoutASessionIsWrittenShort) {
  SyncRequest request;
  request.sequence = 8;
  request.as_of = 123456;
  request.same = true;
  EXPECT_EQ(to_json(request), R"({"sequence":8,"as_of":123456,"same":true})");
}

TEST(SyncRequest, WhatARuntimeSaidNeverMakesASyncUnreadable) {
  SyncRequest request = parse_sync_request(kEverything).value();
  request.results.at(1).error = std::string(5000, '\xff') + "\n\"\\";
  request.malformed.at(0).name = std::string("a\0b\xfe", 4);
  request.inventories.containers->added = {"with \"quotes\"", "\xff"};
  const SyncRequest again = parse_sync_request(to_json(request)).value();
  EXPECT_EQ(again.malformed.at(0).name, "a b\xef\xbf\xbd");
  EXPECT_EQ(again.inventories.containers->added, (std::vector<std::string>{"with \"quotes\"", "\xef\xbf\xbd"}));
}

TEST(SyncAnswer, IsWrittenAsItIsReadAndLeavesOutWhatIsEmpty) {
  const std::string_view full = R"({"sequence":7,"lineage":"l","replaces":["k"],"high_water":123456,)"
                                R"("destroy":{"containers":["h1"],"volumes":["v1"]},"resync":["volumes"],"next_sync_ms":30000})";
  EXPECT_EQ(to_json(parse_sync_answer(full).value()), full);
  const std::string_view bare = R"({"sequence":7,"lineage":"l","high_water":0,"next_sync_ms":0})";
  EXPECT_EQ(to_json(parse_sync_answer(bare).value()), bare);
}

TEST(SyncAnswer, MayGrowFieldsThatAnOlderWorkerDoesNotKnow) {
  EXPECT_TRUE(parse_sync_answer(R"({"sequence":7,"lineage":"l","high_water":0,"next_sync_ms":0,"new":1,"destroy":{"pods":["p"]}})").ok());
}

TEST(SyncAnswer, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(parse_sync_answer(R"({"sequence":7,"lineage":"l","next_sync_ms":0})").error().field, "high_water");
  EXPECT_EQ(parse_sync_answer(R"({"sequence":7,"lineage":"l","high_water":0,"next_sync_ms":0,"resync":["volume"]})").error().field,
            "resync[0]");
  EXPECT_EQ(parse_sync_answer(R"({"sequence":7,"lineage":"l","high_water":0,"next_sync_ms":0,"destroy":{"volumes":[1]}})").error().field,
            "destroy.volumes[0]");
}

}  // namespace
}  // namespace reclaim::wire
