#include "stored/envelope.hpp"

#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

namespace reclaim::stored {
namespace {

using google::protobuf::StringValue;

std::string sealed(const std::string& text, std::uint16_t format = 1) {
  StringValue message;
  message.set_value(text);
  return seal("queue/V1.t", format, message);
}

google::protobuf::UnknownFieldSet& unknown_fields(StringValue& message) {
  return *StringValue::GetReflection()->MutableUnknownFields(&message);
}

std::string why_not(std::string_view bytes, std::string_view name = "queue/V1.t") {
  StringValue message;
  const Status opened = open(name, 1, bytes, message);
  if (opened.ok()) return "opened";
  EXPECT_EQ(opened.error().kind, Error::Kind::kCorrupt);
  return opened.error().message;
}

TEST(Envelope, GivesBackWhatWasSealed) {
  StringValue message;
  ASSERT_TRUE(open("queue/V1.t", 1, sealed("what was in it"), message).ok());
  EXPECT_EQ(message.value(), "what was in it");
}

TEST(Envelope, EveryFlippedBitIsFound) {
  const std::string whole = sealed("twenty bytes or so");
  for (std::size_t at = 0; at < whole.size() * 8; ++at) {
    std::string flipped = whole;
    flipped[at / 8] = static_cast<char>(flipped[at / 8] ^ (1 << (at % 8)));
    EXPECT_NE(why_not(flipped), "opened") << "bit " << at;
  }
}

TEST(Envelope, EveryCutIsFound) {
  const std::string whole = sealed("twenty bytes or so");
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_NE(why_not(whole.substr(0, length)), "opened") << length;
  EXPECT_NE(why_not(whole + "x"), "opened");
}

TEST(Envelope, BytesOfAnotherObjectAreFound) { EXPECT_NE(why_not(sealed("x"), "queue/V2.t").find("of another object"), std::string::npos); }

TEST(Envelope, ANewerFormatIsRefusedByItsNumber) {
  EXPECT_EQ(why_not(sealed("x", 2)), "object queue/V1.t: written in format 2, this Reclaim reads up to 1");
}

TEST(Envelope, OnlyWhatIsWholeAndOfANewerFormatIsNewer) {
  const std::string newer = sealed("twenty bytes or so", 2);
  EXPECT_TRUE(is_newer("queue/V1.t", 1, newer));
  EXPECT_FALSE(is_newer("queue/V1.t", 2, newer));
  EXPECT_FALSE(is_newer("queue/V2.t", 1, newer));
  EXPECT_FALSE(is_newer("queue/V1.t", 1, sealed("x", 0)));
  for (std::size_t at = 0; at < newer.size() * 8; ++at) {
    std::string flipped = newer;
    flipped[at / 8] = static_cast<char>(flipped[at / 8] ^ (1 << (at % 8)));
    EXPECT_FALSE(is_newer("queue/V1.t", 1, flipped)) << "bit " << at;
  }
  for (std::size_t length = 0; length < newer.size(); ++length) EXPECT_FALSE(is_newer("queue/V1.t", 1, newer.substr(0, length))) << length;
}

TEST(Envelope, BytesThatAreNoMessageAreRefused) {
  StringValue not_utf8;
  unknown_fields(not_utf8).AddLengthDelimited(1, "\xff\xfe");
  EXPECT_EQ(why_not(seal("queue/V1.t", 1, not_utf8)), "object queue/V1.t: its message cannot be read");
}

TEST(Envelope, FieldsOfANewerReclaimSurviveARewriteByAnOlder) {
  StringValue newer;
  newer.set_value("old field");
  unknown_fields(newer).AddLengthDelimited(7, "new field");
  StringValue older;
  ASSERT_TRUE(open("a/b", 1, seal("a/b", 1, newer), older).ok());
  older.set_value("rewritten");
  StringValue read_again;
  ASSERT_TRUE(open("a/b", 1, seal("a/b", 1, older), read_again).ok());
  ASSERT_EQ(unknown_fields(read_again).field_count(), 1);
  EXPECT_EQ(unknown_fields(read_again).field(0).length_delimited(), "new field");
}

}  // namespace
}  // namespace reclaim::stored
