#include "archive/store_text.hpp"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "agents/records.hpp"
#include "unit/archive/samples.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using wire::Json;

const SegmentId kId{.epoch = 17, .number = 42};
const QueueId kQueue{.vid = Vid("V1"), .type = QueueType::kToTransfer};

Json shown(const ports::ObjectName& name, const std::string& bytes) {
  return wire::parse_json(json_of(name, ports::Object{bytes, {12}})).value();
}

stored::Segment sample() {
  stored::Segment segment = samples::segment("queue/V1.t", kId, {1, 2});
  samples::forward(segment, {.epoch = 17, .number = 43}, "queue/V2.t", {3, 4});
  return segment;
}

TEST(StoreText, ASegmentAsJson) {
  const Json json = shown(object_name(kId), encode(kId, sample()));
  EXPECT_EQ(json.at("name"), "segment/17-42");
  EXPECT_EQ(json.at("version"), 12);
  EXPECT_FALSE(json.contains("damaged"));
  const Json& request = json.at("message").at("requests").at(1);
  EXPECT_EQ(request.at("file"), "f2");
  EXPECT_EQ(request.at("state"), "QUEUED");
  EXPECT_EQ(request.at("priority"), -3);
  EXPECT_EQ(request.at("created"), "2025-11-24T16:00:00.002Z");
  EXPECT_EQ(request.at("copies").at(0), (Json{{"vid", "V1"}, {"fseq", 12}, {"failed", false}}));
  EXPECT_EQ(json.at("message").at("forwarded").at(0).at("ordinals"), Json({3, 4}));
}

TEST(StoreText, ASegmentForPeople) {
  const std::string text = text_of(object_name(kId), ports::Object{encode(kId, sample()), {12}});
  EXPECT_EQ(text.find("name: segment/17-42\nversion: 12\nsize: "), 0U) << text;
  EXPECT_NE(text.find("\nmessage:\n  owner: queue/V1.t\n  origin: segment/17-42\n  requests:\n    - ordinal: 1\n      file: f1\n"
                      "      size: 1001\n      checksum: adler32:0123abcd\n      copies:\n        - vid: V1\n          fseq: 11\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("    - child: segment/17-43\n      queue: queue/V2.t\n      ordinals: 3 4\n"), std::string::npos) << text;
}

TEST(StoreText, QueuesIndexesAndWhatAgentsKeep) {
  stored::Queue queue = empty_queue(kQueue);
  *queue.add_pointers() = summarize(kId, {7}, sample());
  Json json = shown(object_name(kQueue), encode(kQueue, queue)).at("message");
  EXPECT_EQ(json.at("type"), "TO_TRANSFER");
  EXPECT_EQ(json.at("pointers").at(0).at("expects"), 7);
  EXPECT_TRUE(json.at("reservation").is_null());

  stored::Index index;
  samples::place(index, kId, {1, 2});
  EXPECT_EQ(shown(index_name(kId), encode(kId, index)).at("message").at("places").at(0).at("segment"), "segment/17-42");

  const agents::AgentId agent{.name = "drive-1", .epoch = 17};
  agents::stored::Agent record;
  record.set_kind("drive");
  record.add_owned("segment/17-42");
  json = shown(agent.object(), agents::encode(agent, record));
  EXPECT_EQ(json.at("message").at("owned"), Json({"segment/17-42"})) << json;
  agents::stored::Beat beat;
  beat.set_alive(3);
  EXPECT_EQ(shown(agent.beat(), agents::encode(agent, beat)).at("message").at("alive"), 3);
  agents::stored::Root root;
  root.set_store_format(1);
  root.set_next_epoch(18);
  EXPECT_EQ(shown(agents::root_name(), agents::encode(root)).at("message").at("next_epoch"), 18);
}

TEST(StoreText, WhatIsDamagedSaysWhyAndShowsItsFirstBytes) {
  std::string bytes = encode(kId, sample());
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  const Json json = shown(object_name(kId), bytes);
  EXPECT_NE(json.at("damaged").get<std::string>().find("checksum"), std::string::npos);
  EXPECT_EQ(json.at("begins").get<std::string>().find("52 43 4c 4d 01 00 01 00"), 0U);
  EXPECT_EQ(json.at("begins").get<std::string>().size(), 64U * 3 - 1);
  EXPECT_FALSE(json.contains("message"));
}

TEST(StoreText, WhatBreaksARuleIsShownAllTheSame) {
  stored::Segment segment = sample();
  segment.mutable_requests(1)->set_ordinal(1);
  const Json json = shown(object_name(kId), encode(kId, segment));
  EXPECT_EQ(json.at("damaged"), "object segment/17-42: requests[1].ordinal: 1 is there twice");
  EXPECT_EQ(json.at("message").at("requests").at(1).at("file"), "f2");
}

TEST(StoreText, RequestsThatAreSetAsideAreListed) {
  stored::Segment segment = sample();
  segment.mutable_requests(1)->set_file("no\xff name");
  const Json json = shown(object_name(kId), encode(kId, segment));
  EXPECT_EQ(json.at("set_aside").at(0).at("ordinal"), 2);
  EXPECT_EQ(json.at("message").at("requests").at(1).at("state"), "FAILED");
  EXPECT_EQ(json.at("message").at("requests").at(1).at("set_aside").get<std::string>().find("bytes 08 02 "), 0U);
}

TEST(StoreText, AnythingIsShown) {
  EXPECT_NE(shown({"segment", "x"}, "").at("damaged").get<std::string>().find("not the name of a segment"), std::string::npos);
  EXPECT_EQ(shown({"strange", "x"}, "\xff").at("damaged"), "this Reclaim knows no such object");
  EXPECT_EQ(shown({"strange", "x"}, "\xff").at("begins"), "ff");
}

TEST(StoreText, NothingSteersATerminal) {
  stored::Segment segment = sample();
  segment.mutable_requests(0)->set_set_aside("\x1b[2J");
  segment.mutable_requests(0)->set_state(stored::Request::FAILED);
  const ports::Object object{encode(kId, segment), {1}};
  EXPECT_EQ(text_of(object_name(kId), object).find('\x1b'), std::string::npos);
  EXPECT_EQ(json_of(object_name(kId), object).find('\x1b'), std::string::npos);
}

TEST(StoreText, FieldsOfANewerReclaimAreListedByNumber) {
  stored::Segment segment = sample();
  stored::Segment::GetReflection()->MutableUnknownFields(&segment)->AddVarint(1000, 1);
  EXPECT_EQ(shown(object_name(kId), encode(kId, segment)).at("message").at("unknown_fields"), Json({1000}));
}

}  // namespace
}  // namespace reclaim::archive
