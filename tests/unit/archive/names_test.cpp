#include "archive/names.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace reclaim::archive {
namespace {

template <class T>
std::string why_not(const Result<T>& parsed) {
  if (parsed.ok()) return "parsed";
  EXPECT_EQ(parsed.error().kind, Error::Kind::kInvalid);
  return parsed.error().message;
}

bool says(const std::string& message, std::string_view part) { return message.find(part) != std::string::npos; }

TEST(ArchiveNames, EachHasOneTextThatReadsBack) {
  const QueueId queue{.vid = Vid("V1"), .type = QueueType::kToReport};
  EXPECT_EQ(object_name(queue).str(), "queue/V1.r");
  EXPECT_EQ(parse_queue_name("queue/V1.r").value(), queue);
  const SegmentId segment{.epoch = 17, .number = 42};
  EXPECT_EQ(object_name(segment).str(), "segment/17-42");
  EXPECT_EQ(parse_segment_name("segment/17-42").value(), segment);
  EXPECT_EQ(index_name(segment).str(), "index/17-42");
  EXPECT_EQ(parse_index_name("index/17-42").value(), segment);
  EXPECT_EQ(damaged_name(segment).str(), "damaged/17-42");
  EXPECT_EQ(parse_damaged_name("damaged/17-42").value(), segment);
  EXPECT_EQ(mount_name(Vid("V.1")).str(), "mount/V.1");
  EXPECT_EQ(parse_mount_name("mount/V.1").value(), Vid("V.1"));
  const RequestId request{.origin = segment, .ordinal = 2000};
  EXPECT_EQ(text_of(request), "17-42-2000");
  EXPECT_EQ(parse_request_id("17-42-2000").value(), request);
}

TEST(ArchiveNames, TheLongestAreNamesOfObjects) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  EXPECT_TRUE(ports::is_well_formed(object_name(Owner(agents::AgentId{.name = std::string(128, 'a'), .epoch = kMost}))));
  EXPECT_TRUE(ports::is_well_formed(object_name(SegmentId{.epoch = kMost, .number = kMost})));
  EXPECT_TRUE(ports::is_well_formed(object_name(QueueId{.vid = Vid(std::string(kVidMax, 'V'))})));
  EXPECT_EQ(parse_segment_name("segment/18446744073709551615-1").value().epoch, kMost);
}

TEST(ArchiveNames, AVidMayHoldDotsAndLookLikeAQueue) {
  const QueueId queue{.vid = Vid("V.1.t"), .type = QueueType::kFailed};
  EXPECT_EQ(object_name(queue).str(), "queue/V.1.t.f");
  EXPECT_EQ(parse_queue_name("queue/V.1.t.f").value(), queue);
}

TEST(ArchiveNames, AnOwnerIsAQueueAnAgentOrASegment) {
  for (const char* text : {"queue/V1.t", "agent/drive-1@17", "segment/17-42"}) {
    EXPECT_EQ(object_name(parse_owner(text).value()).str(), text);
  }
  EXPECT_TRUE(std::holds_alternative<agents::AgentId>(parse_owner("agent/a@1").value()));
  EXPECT_TRUE(says(why_not(parse_owner("index/17-42")), "neither a queue nor an agent nor a segment"));
  EXPECT_TRUE(says(why_not(parse_owner("")), "neither a queue nor an agent nor a segment"));
}

TEST(ArchiveNames, NumbersAreStrict) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"segment/017-42", "epoch has a leading zero"},
      {"segment/17-042", "number has a leading zero"},
      {"segment/0-42", "epoch is 0"},
      {"segment/17-0", "number is 0"},
      {"segment/+17-42", "epoch is not a decimal number"},
      {"segment/-17-42", "epoch is empty"},
      {"segment/17--42", "number is not a decimal number"},
      {"segment/17-42 ", "number is not a decimal number"},
      {"segment/17-", "number is empty"},
      {"segment/-42", "epoch is empty"},
      {"segment/17", "it has no -"},
      {"segment/", "it has no -"},
      {"segment/18446744073709551616-1", "epoch is over 18446744073709551615"},
      {"segment/1-99999999999999999999999", "number is over 18446744073709551615"},
      {"segment/17-42-1", "number is not a decimal number"},
      {"segment/0x11-1", "epoch is not a decimal number"},
      {"segments/17-42", "does not begin with segment/"},
      {"segment17-42", "does not begin with segment/"},
      {"", "does not begin with segment/"},
  };
  for (const auto& [text, reason] : wrong)
    EXPECT_TRUE(says(why_not(parse_segment_name(text)), reason)) << why_not(parse_segment_name(text));
}

TEST(ArchiveNames, RequestIdsAreStrict) {
  for (const char* text : {"", "17", "17-42", "17-42-", "17-42-0", "17-42-01", "17-42-2001", "17-42-4294967297", "17-42-1-1",
                           "segment/17-42-1", "17-42- 1", "-42-1"}) {
    EXPECT_NE(why_not(parse_request_id(text)), "parsed") << text;
  }
  EXPECT_TRUE(says(why_not(parse_request_id("17-42-2001")), "ordinal is over 2000"));
}

TEST(ArchiveNames, QueueAndAgentNamesAreStrict) {
  for (const char* text : {"queue/V1", "queue/V1.", "queue/V1.x", "queue/V1.tt", "queue/.t", "queue/V 1.t", "queue/-V1.t", "agent/V1.t"}) {
    EXPECT_NE(why_not(parse_queue_name(text)), "parsed") << text;
  }
  EXPECT_TRUE(says(why_not(parse_queue_name("queue/" + std::string(33, 'V') + ".t")), "{0,31}"));
  for (const char* text : {"agent/a", "agent/a@", "agent/@1", "agent/a@01", "agent/a@b@1", "agent/a b@1"}) {
    EXPECT_NE(why_not(parse_owner(text)), "parsed") << text;
  }
}

TEST(ArchiveNames, ErrorsNameTheField) { EXPECT_EQ(parse_name<Vid>("", "copies[2].vid").error().field, "copies[2].vid"); }

}  // namespace
}  // namespace reclaim::archive
