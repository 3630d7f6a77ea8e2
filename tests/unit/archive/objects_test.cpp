#include "archive/objects.hpp"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/utf8.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::archive {
namespace {

using stored::Index;
using stored::Queue;
using stored::Request;
using stored::Segment;

const SegmentId kId{.epoch = 17, .number = 42};
const SegmentId kOrigin{.epoch = 9, .number = 1};
const SegmentId kChild{.epoch = 17, .number = 43};
const QueueId kQueue{.vid = Vid("V1"), .type = QueueType::kToTransfer};

Segment sample_segment() {
  Segment segment = samples::segment("queue/V1.t", kOrigin, {1, 2, 2000});
  samples::forward(segment, kChild, "queue/V2.t", {3, 4});
  samples::forward(segment, {.epoch = 17, .number = 44}, "queue/V1.r", {5});
  return segment;
}

Queue sample_queue() {
  Queue queue = empty_queue(kQueue);
  *queue.add_pointers() = summarize(kId, {7}, sample_segment());
  *queue.add_pointers() = summarize(kId, {8}, sample_segment());
  *queue.add_pointers() = summarize(kChild, {7}, sample_segment());
  queue.mutable_reservation()->set_agent("agent/cleaner@3");
  queue.mutable_reservation()->set_since_ms(1'764'000'000'000);
  return queue;
}

Index sample_index() {
  Index index;
  samples::place(index, kId, {1, 2});
  samples::place(index, kChild, {3, 2000});
  return index;
}

Result<Segment> decode_whole(std::string_view bytes) {
  Result<DecodedSegment> decoded = decode_segment(kId, bytes);
  if (!decoded.ok()) return decoded.error();
  EXPECT_TRUE(decoded.value().set_aside.empty());
  return decoded.value().segment;
}

template <class Message>
std::string why_not(const Result<Message>& decoded) {
  if (decoded.ok()) return "decoded";
  EXPECT_EQ(decoded.error().kind, Error::Kind::kCorrupt);
  return decoded.error().message;
}

TEST(ArchiveObjects, ComeBackAsTheyWere) {
  EXPECT_EQ(decode_whole(encode(kId, sample_segment())).value().SerializeAsString(), sample_segment().SerializeAsString());
  EXPECT_EQ(decode_queue(kQueue, encode(kQueue, sample_queue())).value().SerializeAsString(), sample_queue().SerializeAsString());
  EXPECT_EQ(decode_index(kOrigin, encode(kOrigin, sample_index())).value().SerializeAsString(), sample_index().SerializeAsString());
}

TEST(ArchiveObjects, EveryFlippedBitIsRefused) {
  const std::string segment = encode(kId, sample_segment());
  const std::string queue = encode(kQueue, sample_queue());
  const std::string index = encode(kOrigin, sample_index());
  const auto flipped = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < segment.size() * 8; ++bit)
    EXPECT_NE(why_not(decode_segment(kId, flipped(segment, bit))), "decoded") << bit;
  for (std::size_t bit = 0; bit < queue.size() * 8; ++bit) EXPECT_NE(why_not(decode_queue(kQueue, flipped(queue, bit))), "decoded") << bit;
  for (std::size_t bit = 0; bit < index.size() * 8; ++bit) EXPECT_NE(why_not(decode_index(kOrigin, flipped(index, bit))), "decoded") << bit;
}

TEST(ArchiveObjects, EveryCutIsRefused) {
  const std::string segment = encode(kId, sample_segment());
  const std::string queue = encode(kQueue, sample_queue());
  const std::string index = encode(kOrigin, sample_index());
  for (std::size_t size = 0; size < segment.size(); ++size) EXPECT_NE(why_not(decode_segment(kId, segment.substr(0, size))), "decoded");
  for (std::size_t size = 0; size < queue.size(); ++size) EXPECT_NE(why_not(decode_queue(kQueue, queue.substr(0, size))), "decoded");
  for (std::size_t size = 0; size < index.size(); ++size) EXPECT_NE(why_not(decode_index(kOrigin, index.substr(0, size))), "decoded");
}

TEST(ArchiveObjects, OneKindIsNotTakenForAnother) {
  const std::string origin_name = encode(kOrigin, sample_index());
  EXPECT_NE(why_not(decode_segment(kOrigin, origin_name)), "decoded");
  EXPECT_NE(why_not(decode_segment(kChild, encode(kId, sample_segment()))), "decoded");
  EXPECT_NE(why_not(decode_queue({.vid = Vid("V1"), .type = QueueType::kToReport}, encode(kQueue, sample_queue()))), "decoded");
}

TEST(ArchiveObjects, ASegmentThatBreaksARuleIsRefusedByTheNameOfThePart) {
  struct Case {
    std::function<void(Segment&)> harm;
    const char* message;
  };
  const std::vector<Case> cases = {
      {[](Segment& s) { s.set_owner("queue/V1"); }, "owner: \"queue/V1\" is not the name of a queue"},
      {[](Segment& s) { s.clear_owner(); }, "owner: \"\" is not the name of an owner"},
      {[](Segment& s) { s.set_owner("agent/d@01"); }, "owner: an agent is NAME@EPOCH"},
      {[](Segment& s) { s.set_owner("segment/17-42"); }, "owner: is the segment itself"},
      {[](Segment& s) { s.set_owner("segment/17-1"), s.set_origin("segment/17-42"); },
       "origin: is the segment itself, though a split made it"},
      {[](Segment& s) { s.set_origin("17-42"); }, "origin: \"17-42\" is not the name of a segment"},
      {[](Segment& s) { s.mutable_requests(0)->set_ordinal(0); }, "requests[0].ordinal: 0 is not 1 to 2000"},
      {[](Segment& s) { s.mutable_requests(2)->set_ordinal(2001); }, "requests[2].ordinal: 2001 is not 1 to 2000"},
      {[](Segment& s) { s.mutable_requests(1)->set_ordinal(1); }, "requests[1].ordinal: 1 is there twice"},
      {[](Segment& s) { s.mutable_requests(0)->set_ordinal(7); }, "requests[1].ordinal: 2 is not in ascending order"},
      {[](Segment& s) { s.mutable_requests(1)->set_ordinal(5); }, "forwarded[1].ordinals: 5 is there twice"},
      {[](Segment& s) { s.mutable_forwarded(0)->set_ordinals(1, 3); }, "forwarded[0].ordinals: 3 is there twice"},
      {[](Segment& s) { s.mutable_forwarded(0)->set_ordinals(0, 6); }, "forwarded[0].ordinals: 4 is not in ascending order"},
      {[](Segment& s) { s.mutable_forwarded(1)->set_ordinals(0, 4'000'000'000); }, "forwarded[1].ordinals: 4000000000 is not 1 to 2000"},
      {[](Segment& s) { s.mutable_forwarded(1)->clear_ordinals(); }, "forwarded[1].ordinals: is empty"},
      {[](Segment& s) { s.mutable_forwarded(1)->set_child("segment/1"); }, "forwarded[1].child: \"segment/1\" is not the name"},
      {[](Segment& s) { s.mutable_forwarded(1)->set_child("segment/17-42"); }, "forwarded[1].child: is the segment itself"},
      {[](Segment& s) { s.mutable_forwarded(1)->set_child("segment/17-43"); }, "forwarded: segment/17-43 is there twice"},
      {[](Segment& s) { s.mutable_forwarded(1)->set_queue("agent/d@1"); }, "forwarded[1].queue: \"agent/d@1\" is not the name of a queue"},
  };
  for (const Case& each : cases) {
    Segment segment = sample_segment();
    each.harm(segment);
    EXPECT_EQ(why_not(decode_segment(kId, encode(kId, segment))).find("object segment/17-42: " + std::string(each.message)), 0U)
        << each.message << "\n"
        << why_not(decode_segment(kId, encode(kId, segment)));
  }
}

TEST(ArchiveObjects, ASegmentWithoutRequestsBelongsToNobody) {
  Segment segment = sample_segment();
  segment.clear_requests();
  EXPECT_EQ(decode_whole(encode(kId, segment)).value().owner(), "");
  segment.clear_owner();
  EXPECT_EQ(decode_whole(encode(kId, segment)).value().SerializeAsString(), segment.SerializeAsString());
  segment.clear_forwarded();
  EXPECT_TRUE(decode_whole(encode(kId, segment)).ok());
}

TEST(ArchiveObjects, AQueueOrIndexThatBreaksARuleIsRefusedByTheNameOfThePart) {
  const std::vector<std::pair<std::function<void(Queue&)>, const char*>> queues = {
      {[](Queue& q) { q.set_vid("V2"); }, "vid: is not that of the object's name"},
      {[](Queue& q) { q.set_type(Queue::FAILED); }, "type: is not that of the object's name"},
      {[](Queue& q) { q.set_type(static_cast<Queue::Type>(9)); }, "type: is not that of the object's name"},
      {[](Queue& q) { q.mutable_pointers(1)->set_segment(""); }, "pointers[1].segment: \"\" is not the name of a segment"},
      {[](Queue& q) { q.mutable_pointers(1)->set_expects(7); }, "pointers: segment/17-42 at version 7 is there twice"},
      {[](Queue& q) { q.mutable_pointers(1)->set_expects(0); }, "pointers[1].expects: is no version"},
      {[](Queue& q) { q.mutable_pointers(1)->set_requests(2001); }, "pointers[1].requests: is over 2000"},
      {[](Queue& q) { q.mutable_reservation()->set_agent("queue/V1.t"); }, "reservation.agent: the object of an agent is"},
      {[](Queue& q) { q.mutable_reservation()->clear_agent(); }, "reservation.agent: the object of an agent is"},
  };
  for (const auto& [harm, message] : queues) {
    Queue queue = sample_queue();
    harm(queue);
    EXPECT_EQ(why_not(decode_queue(kQueue, encode(kQueue, queue))).find("object queue/V1.t: " + std::string(message)), 0U) << message;
  }
  const std::vector<std::pair<std::function<void(Index&)>, const char*>> indexes = {
      {[](Index& i) { i.mutable_places(0)->set_segment("queue/V1.t"); }, "places[0].segment: \"queue/V1.t\" is not the name of a segment"},
      {[](Index& i) { i.mutable_places(0)->clear_ordinals(); }, "places[0].ordinals: is empty"},
      {[](Index& i) { i.mutable_places(1)->set_ordinals(0, 2); }, "places[1].ordinals: 2 is there twice"},
      {[](Index& i) { i.mutable_places(1)->set_ordinals(1, 2001); }, "places[1].ordinals: 2001 is not 1 to 2000"},
  };
  for (const auto& [harm, message] : indexes) {
    Index index = sample_index();
    harm(index);
    EXPECT_EQ(why_not(decode_index(kOrigin, encode(kOrigin, index))).find("object index/9-1: " + std::string(message)), 0U) << message;
  }
}

TEST(ArchiveObjects, AFailedQueueIsNotReserved) {
  const QueueId failed{.vid = Vid("V1"), .type = QueueType::kFailed};
  Queue queue = empty_queue(failed);
  EXPECT_TRUE(decode_queue(failed, encode(failed, queue)).ok());
  queue.mutable_reservation()->set_agent("agent/cleaner@3");
  EXPECT_NE(why_not(decode_queue(failed, encode(failed, queue))), "decoded");
}

TEST(ArchiveObjects, AQueueHasALimitOfPointers) {
  Queue queue = empty_queue(kQueue);
  for (int i = 0; i <= kPointersMax; ++i) {
    queue.add_pointers()->set_segment("segment/1-" + std::to_string(i + 1));
    queue.mutable_pointers(i)->set_expects(1);
  }
  EXPECT_EQ(why_not(decode_queue(kQueue, encode(kQueue, queue))), "object queue/V1.t: pointers: there are 100001, the most is 100000");
  queue.mutable_pointers()->RemoveLast();
  EXPECT_TRUE(decode_queue(kQueue, encode(kQueue, queue)).ok());
}

struct BadRequest {
  const char* reason;
  std::function<void(Request&)> harm;
};

const std::vector<BadRequest>& bad_requests() {
  static const std::vector<BadRequest> all = {
      {"file: must match", [](Request& r) { r.clear_file(); }},
      {"file: must match", [](Request& r) { r.set_file("\xff\xfe"); }},
      {"file: must match", [](Request& r) { r.set_file(std::string(129, 'f')); }},
      {"checksum: must be ALGORITHM:HEX", [](Request& r) { r.clear_checksum(); }},
      {"checksum: must be ALGORITHM:HEX", [](Request& r) { r.set_checksum("adler32"); }},
      {"checksum: must be ALGORITHM:HEX", [](Request& r) { r.set_checksum("adler32:0123ABCD"); }},
      {"copies: has 0, it must be 1 to 16", [](Request& r) { r.clear_copies(); }},
      {"copies: has 17, it must be 1 to 16",
       [](Request& r) {
         while (r.copies_size() < 17) *r.add_copies() = r.copies(0);
       }},
      {"copies[1].vid: must match", [](Request& r) { r.mutable_copies(1)->set_vid("V 1"); }},
      {"copies[0].vid: must match", [](Request& r) { r.mutable_copies(0)->set_vid(std::string(33, 'V')); }},
      {"copies[1].fseq: must be 1 to", [](Request& r) { r.mutable_copies(1)->clear_fseq(); }},
      {"copies[1].fseq: must be 1 to", [](Request& r) { r.mutable_copies(1)->set_fseq(std::uint64_t{1} << 63U); }},
      {"active_copy: is none of the copies", [](Request& r) { r.set_active_copy(2); }},
      {"requester: has 257 bytes, the most is 256", [](Request& r) { r.set_requester(std::string(257, 'r')); }},
      {"requester: must be one line of UTF-8", [](Request& r) { r.set_requester("two\nlines"); }},
      {"destination: must be a relative path without empty", [](Request& r) { r.clear_destination(); }},
      {"destination: must be a relative path without empty", [](Request& r) { r.set_destination("/etc/passwd"); }},
      {"destination: must be a relative path without empty", [](Request& r) { r.set_destination("a//b"); }},
      {"destination: must be a relative path without empty", [](Request& r) { r.set_destination("a/"); }},
      {"destination: must be a relative path of which no", [](Request& r) { r.set_destination("a/../../b"); }},
      {"destination: must be a relative path of which no", [](Request& r) { r.set_destination(".reclaim/x"); }},
      {"destination: has a component of over 255", [](Request& r) { r.set_destination("a/" + std::string(256, 'd')); }},
      {"destination: has 4097 bytes", [](Request& r) { r.set_destination(std::string(4097, 'd')); }},
      {"destination: must be one line of UTF-8", [](Request& r) { r.set_destination(std::string("a\0b", 3)); }},
      {"report_to: must be one line of UTF-8", [](Request& r) { r.set_report_to("http://\xc3("); }},
      {"report_to: must begin with http:// or https://", [](Request& r) { r.set_report_to("ftp://requester.example/"); }},
      {"report_to: must name no user", [](Request& r) { r.set_report_to("http://alice:word@requester.example/"); }},
      {"report_to: has 2049 bytes", [](Request& r) { r.set_report_to(std::string(2049, 'u')); }},
      {"policy: must match", [](Request& r) { r.set_policy("no policy"); }},
      {"created_ms: is no time", [](Request& r) { r.set_created_ms(-1); }},
      {"created_ms: is no time", [](Request& r) { r.set_created_ms(std::numeric_limits<std::int64_t>::max()); }},
      {"failed_ms: is no time", [](Request& r) { r.set_failed_ms(-1); }},
      {"kind: is unknown", [](Request& r) { r.set_kind(static_cast<Request::Kind>(2)); }},
      {"state: is unknown", [](Request& r) { r.set_state(static_cast<Request::State>(-1)); }},
      {"errors: has 11, the most is 10",
       [](Request& r) {
         while (r.errors_size() < 11) r.add_errors("e");
       }},
      {"errors[0]: has 501 bytes", [](Request& r) { r.add_errors(std::string(501, 'e')); }},
      {"set_aside: is too long", [](Request& r) { r.set_state(Request::FAILED), r.set_set_aside(std::string(1001, 's')); }},
      {"state: cannot be QUEUED", [](Request& r) { r.set_set_aside("was"); }},
  };
  return all;
}

TEST(ArchiveObjects, ARequestThatIsWrongInItselfFailsAloneAndSaysWhy) {
  for (const BadRequest& bad : bad_requests()) {
    Segment segment = sample_segment();
    bad.harm(*segment.mutable_requests(1));
    EXPECT_FALSE(check_request(segment.requests(1)).ok());
    const Result<DecodedSegment> decoded = decode_segment(kId, encode(kId, segment));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(decoded.value().set_aside.size(), 1U) << bad.reason;
    EXPECT_EQ(decoded.value().set_aside[0].ordinal, 2U);
    EXPECT_EQ(decoded.value().set_aside[0].reason.find(bad.reason), 0U) << decoded.value().set_aside[0].reason;
    const Request& request = decoded.value().segment.requests(1);
    EXPECT_TRUE(check_request(request).ok()) << check_request(request).error().message;
    EXPECT_EQ(request.state(), Request::FAILED);
    EXPECT_EQ(request.errors(request.errors_size() - 1), "not taken as a request: " + decoded.value().set_aside[0].reason);
    EXPECT_FALSE(request.set_aside().empty());
    EXPECT_EQ(decoded.value().segment.requests(0).SerializeAsString(), segment.requests(0).SerializeAsString());
    EXPECT_EQ(decoded.value().segment.requests(2).SerializeAsString(), segment.requests(2).SerializeAsString());
    // Written back it is an ordinary failed request.
    const std::string written = encode(kId, decoded.value().segment);
    EXPECT_EQ(decode_whole(written).value().SerializeAsString(), decoded.value().segment.SerializeAsString());
  }
}

TEST(ArchiveObjects, WhatCanBeReadOfARequestThatIsSetAsideStays) {
  Segment segment = sample_segment();
  Request& request = *segment.mutable_requests(0);
  const std::string was = [&] {
    request.mutable_copies(0)->set_vid("no vid");
    request.set_active_copy(1);
    return request.SerializeAsString();
  }();
  const Request read = decode_segment(kId, encode(kId, segment)).value().segment.requests(0);
  EXPECT_EQ(read.set_aside(), was);
  EXPECT_EQ(read.file(), "f1");
  EXPECT_EQ(read.report_to(), request.report_to());
  ASSERT_EQ(read.copies_size(), 1);
  EXPECT_EQ(active_copy(read)->vid(), "V2");
}

TEST(ArchiveObjects, ADeliveredRequestStaysDeliveredThoughItIsSetAside) {
  Segment segment = sample_segment();
  segment.mutable_requests(0)->set_state(Request::TRANSFERRED);
  segment.mutable_requests(0)->clear_copies();
  const Request read = decode_segment(kId, encode(kId, segment)).value().segment.requests(0);
  EXPECT_EQ(read.state(), Request::TRANSFERRED);
  EXPECT_EQ(active_copy(read), nullptr);
}

// Every message of the tree gets a field that this Reclaim does not know.
void add_unknown(google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      add_unknown(*reflection.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) add_unknown(*reflection.MutableRepeatedMessage(&message, field, i));
  }
  reflection.MutableUnknownFields(&message)->AddLengthDelimited(1000, "from a newer Reclaim");
}

TEST(ArchiveObjects, FieldsOfANewerReclaimSurviveAtEveryLevel) {
  Segment segment = sample_segment();
  add_unknown(segment);
  EXPECT_EQ(decode_whole(encode(kId, segment)).value().SerializeAsString(), segment.SerializeAsString());
  Queue queue = sample_queue();
  add_unknown(queue);
  EXPECT_EQ(decode_queue(kQueue, encode(kQueue, queue)).value().SerializeAsString(), queue.SerializeAsString());
  Index index = sample_index();
  add_unknown(index);
  EXPECT_EQ(decode_index(kOrigin, encode(kOrigin, index)).value().SerializeAsString(), index.SerializeAsString());
}

TEST(ArchiveObjects, ARequestKeepsItsLatestErrorsEachInOneLine) {
  Request request = samples::request(1);
  for (int i = 1; i <= 12; ++i) add_error(request, "error " + std::to_string(i));
  ASSERT_EQ(request.errors_size(), 10);
  EXPECT_EQ(request.errors(0), "error 3");
  EXPECT_EQ(request.errors(9), "error 12");
  add_error(request, "two\nlines \xff " + std::string(600, 'x'));
  EXPECT_EQ(request.errors(9), "two?lines ? " + std::string(488, 'x'));
  add_error(request, std::string(499, 'x') + "\u20ac");
  EXPECT_EQ(request.errors(9), std::string(499, 'x'));
  EXPECT_TRUE(check_request(request).ok());
}

TEST(ArchiveObjects, APointerSumsItsSegmentUp) {
  Segment segment = sample_segment();
  segment.mutable_requests(1)->set_active_copy(1);
  segment.mutable_requests(1)->mutable_copies(1)->set_fseq(3);
  segment.mutable_requests(2)->set_priority(5);
  Queue::Pointer pointer = summarize(kId, {7}, segment);
  EXPECT_EQ(pointer.segment(), "segment/17-42");
  EXPECT_EQ(pointer.expects(), 7U);
  EXPECT_EQ(pointer.requests(), 3U);
  EXPECT_EQ(pointer.bytes(), 1001U + 1002U + 3000U);
  EXPECT_EQ(pointer.oldest_ms(), 1'764'000'000'001);
  EXPECT_EQ(pointer.priority_max(), 5);
  EXPECT_EQ(pointer.fseq_min(), 3U);
  EXPECT_FALSE(pointer.repack());
  segment.mutable_requests(1)->set_kind(Request::REPACK);
  segment.mutable_requests(0)->set_size(std::numeric_limits<std::uint64_t>::max());
  pointer = summarize(kId, {7}, segment);
  EXPECT_TRUE(pointer.repack());
  EXPECT_EQ(pointer.bytes(), std::numeric_limits<std::uint64_t>::max());
}

TEST(ArchiveObjects, LinesOfPeopleMayHoldAnyCharacters) {
  Request request = samples::request(1);
  request.set_requester("J\u00fcrgen \u20ac \U0001f600");
  request.set_destination("\u00e4/b c/d.e~");
  EXPECT_TRUE(check_request(request).ok());
  request.set_requester("\u0085");
  EXPECT_EQ(check_request(request).error().field, "requester");
}

}  // namespace
}  // namespace reclaim::archive
