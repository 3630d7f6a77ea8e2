// Stored objects by the hundred, drawn from seeds that a failure names.
#include <google/protobuf/empty.pb.h>
#include <gtest/gtest.h>

#include <random>

#include "archive/objects.hpp"
#include "stored/envelope.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::archive {
namespace {

using google::protobuf::FieldDescriptor;
using stored::Request;
using stored::Segment;

const SegmentId kId{.epoch = 17, .number = 42};

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  std::uint64_t up_to(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random_); }
  std::uint64_t any() { return random_() >> up_to(63); }

  std::string line(std::size_t most) {
    static const char* const kPieces[] = {"a", "B", "7", " ", "-", "\u00e4", "\u20ac", "\U0001f600"};
    std::string text;
    while (text.size() + 4 <= most && up_to(most) > 3) text += kPieces[up_to(7)];
    return text;
  }

  std::string name(std::size_t most) {
    std::string text = "x";
    while (text.size() < most && up_to(9) > 0) text += "abcXYZ019._-"[up_to(11)];
    return text;
  }

  std::string bytes(std::size_t most) {
    std::string text(up_to(most), '\0');
    for (char& c : text) c = static_cast<char>(up_to(255));
    return text;
  }

 private:
  std::mt19937_64 random_;
};

Request any_request(Draw& draw, std::uint32_t ordinal) {
  Request request;
  request.set_ordinal(ordinal);
  request.set_file(draw.name(128));
  request.set_size(draw.any());
  request.set_checksum("adler32:00c0ffee");
  for (std::uint64_t i = draw.up_to(15) + 1; i > 0; --i) {
    Request::Copy& copy = *request.add_copies();
    copy.set_vid(draw.name(32));
    copy.set_fseq((draw.any() >> 1U) | 1U);
    copy.set_failed(draw.up_to(3) == 0);
  }
  request.set_active_copy(static_cast<std::uint32_t>(draw.up_to(static_cast<std::uint64_t>(request.copies_size()) - 1)));
  request.set_requester(draw.line(256));
  request.set_destination(draw.name(200) + "/" + draw.name(200));
  request.set_report_to("http://requester.example:8080/" + draw.name(300));
  if (draw.up_to(1) == 0) request.set_policy(draw.name(40));
  request.set_priority(static_cast<std::int64_t>(draw.any()));
  request.set_created_ms(static_cast<std::int64_t>(draw.up_to(2'000'000'000'000)));
  request.set_failed_ms(static_cast<std::int64_t>(draw.up_to(2'000'000'000'000)));
  request.set_kind(static_cast<Request::Kind>(draw.up_to(1)));
  request.set_state(static_cast<Request::State>(draw.up_to(2)));
  request.mutable_attempts()->set_total(static_cast<std::uint32_t>(draw.up_to(9)));
  for (std::uint64_t i = draw.up_to(12); i > 0; --i) add_error(request, draw.bytes(600));
  request.set_round(static_cast<std::uint32_t>(draw.up_to(3)));
  request.set_cancel_asked(draw.up_to(1) == 0);
  return request;
}

Segment any_segment(Draw& draw) {
  Segment segment;
  segment.set_owner(draw.up_to(1) == 0 ? "agent/drive-1@17" : "queue/" + draw.name(32) + ".t");
  segment.set_origin("segment/9-1");
  std::uint32_t ordinal = 0;
  const auto next = [&] { return ordinal += 1 + static_cast<std::uint32_t>(draw.up_to(9)); };
  for (std::uint64_t i = draw.up_to(5) + 1; i > 0; --i) *segment.add_requests() = any_request(draw, next());
  for (std::uint64_t i = draw.up_to(5); i > 0; --i) samples::forward(segment, {.epoch = 18, .number = i}, "queue/V1.r", {next(), next()});
  return segment;
}

std::vector<google::protobuf::Message*> messages_in(google::protobuf::Message& message) {
  std::vector<google::protobuf::Message*> all = {&message};
  std::vector<const FieldDescriptor*> fields;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  const auto add = [&](google::protobuf::Message& inner) {
    for (google::protobuf::Message* each : messages_in(inner)) all.push_back(each);
  };
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) add(*reflection.MutableMessage(&message, field));
    for (int i = 0; field->is_repeated() && i < reflection.FieldSize(message, field); ++i) {
      add(*reflection.MutableRepeatedMessage(&message, field, i));
    }
  }
  return all;
}

// One field of one message in the tree becomes anything that its type can hold.
void harm(Draw& draw, google::protobuf::Message& root) {
  const auto all = messages_in(root);
  google::protobuf::Message& message = *all[draw.up_to(all.size() - 1)];
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const FieldDescriptor* field = type.field(static_cast<int>(draw.up_to(static_cast<std::uint64_t>(type.field_count()) - 1)));
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field->is_repeated()) return reflection.ClearField(&message, field);
  switch (field->type()) {
    case FieldDescriptor::TYPE_BYTES: return reflection.SetString(&message, field, draw.up_to(1) == 0 ? draw.bytes(5000) : draw.line(60));
    case FieldDescriptor::TYPE_ENUM: return reflection.SetEnumValue(&message, field, static_cast<int>(draw.any()));
    case FieldDescriptor::TYPE_UINT32: return reflection.SetUInt32(&message, field, static_cast<std::uint32_t>(draw.any()));
    case FieldDescriptor::TYPE_UINT64: return reflection.SetUInt64(&message, field, draw.any());
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SINT64: return reflection.SetInt64(&message, field, static_cast<std::int64_t>(draw.any()));
    case FieldDescriptor::TYPE_BOOL: return reflection.SetBool(&message, field, draw.up_to(1) == 0);
    case FieldDescriptor::TYPE_MESSAGE: return reflection.ClearField(&message, field);
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_GROUP:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_SFIXED64:
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_SINT32: FAIL() << field->full_name() << " has a type that this test does not draw";
  }
}

// What every reader relies on, whatever was stored.
void expect_sound(const Result<DecodedSegment>& decoded) {
  if (!decoded.ok()) {
    EXPECT_EQ(decoded.error().kind, Error::Kind::kCorrupt);
    return;
  }
  for (const Request& request : decoded.value().segment.requests()) {
    EXPECT_TRUE(check_request(request).ok()) << check_request(request).error().field << check_request(request).error().message;
  }
  const Result<DecodedSegment> again = decode_segment(kId, encode(kId, decoded.value().segment));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again.value().set_aside.empty());
}

TEST(ArchiveObjectsBySeed, ComeBackAsTheyWere) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Draw draw(seed);
    const Segment segment = any_segment(draw);
    const Result<DecodedSegment> decoded = decode_segment(kId, encode(kId, segment));
    ASSERT_TRUE(decoded.ok()) << "seed " << seed << ": " << decoded.error().message;
    EXPECT_TRUE(decoded.value().set_aside.empty()) << "seed " << seed << ": " << decoded.value().set_aside[0].reason;
    EXPECT_EQ(decoded.value().segment.SerializeAsString(), segment.SerializeAsString()) << "seed " << seed;
  }
}

TEST(ArchiveObjectsBySeed, AnyFieldMayHoldAnything) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    Segment segment = any_segment(draw);
    for (std::uint64_t i = draw.up_to(4); i > 0; --i) harm(draw, segment);
    expect_sound(decode_segment(kId, encode(kId, segment)));
  }
}

// Bytes are changed under a checksum that fits, so that they come as far as the message.
TEST(ArchiveObjectsBySeed, AnyBytesAreReadOrRefused) {
  int read = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    std::string body = any_segment(draw).SerializeAsString();
    for (std::uint64_t i = draw.up_to(3) + 1; i > 0; --i) body[draw.up_to(body.size() - 1)] = static_cast<char>(draw.up_to(255));
    google::protobuf::Empty message;
    if (!message.ParseFromString(body)) continue;
    const Result<DecodedSegment> decoded = decode_segment(kId, reclaim::stored::seal(object_name(kId).str(), kObjectsFormat, message));
    expect_sound(decoded);
    if (decoded.ok()) ++read;
  }
  EXPECT_GT(read, 50);
}

TEST(ArchiveObjectsBySeed, AFullSegmentIsWellUnderItsLimit) {
  Segment segment = samples::segment("queue/V1.t", kId, {});
  for (std::uint32_t ordinal = 1; ordinal <= kRequestsPerSegmentMax; ++ordinal) *segment.add_requests() = samples::request(ordinal);
  const std::string bytes = encode(kId, segment);
  EXPECT_LT(bytes.size(), kSegmentBytesMax / 4);
  EXPECT_EQ(encode(kId, decode_segment(kId, bytes).value().segment), bytes);
}

}  // namespace
}  // namespace reclaim::archive
