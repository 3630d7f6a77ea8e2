#include "wire/json.hpp"

#include <gtest/gtest.h>

namespace reclaim::wire {
namespace {

Error::Kind kind_of_parsing(std::string_view text) { return parse_json(text).error().kind; }

Json json_of(std::string_view text) { return parse_json(text).value(); }

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

TEST(ParseJson, ReadsOneTextOfAnyType) {
  EXPECT_EQ(json_of(R"( {"a":[1,-2,"x",null,true,{"b":{}}],"c":1.5} )").dump(), R"({"a":[1,-2,"x",null,true,{"b":{}}],"c":1.5})");
  EXPECT_EQ(json_of("\"text\""), "text");
  EXPECT_EQ(json_of("18446744073709551615").dump(), "18446744073709551615");
}

TEST(ParseJson, RefusesWhatIsNotExactlyOneText) {
  for (const std::string_view text :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "{} {}", "{}x", "nul", "01", "'a'", "// c\n{}", "{\"a\" 1}", "NaN"}) {
    EXPECT_EQ(kind_of_parsing(text), Error::Kind::kUnparsable) << text;
  }
}

TEST(ParseJson, RefusesBytesBehindAZeroByte) {
  EXPECT_EQ(kind_of_parsing(std::string_view("{}\0", 3)), Error::Kind::kUnparsable);
  EXPECT_EQ(kind_of_parsing(std::string_view("{}\0garbage", 10)), Error::Kind::kUnparsable);
}

TEST(ParseJson, RefusesBytesThatAreNotUtf8) {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "{\"\xfe\":1}", "\"\xf5\x80\x80\x80\""}) {
    EXPECT_EQ(kind_of_parsing(text), Error::Kind::kUnparsable) << text;
  }
  EXPECT_EQ(json_of("\"\\ud83d\\ude00\""), "\xf0\x9f\x98\x80");
}

TEST(ParseJson, RefusesAKeyThatIsThereTwiceAtAnyDepth) {
  EXPECT_EQ(kind_of_parsing(R"({"a":1,"a":1})"), Error::Kind::kUnparsable);
  EXPECT_EQ(kind_of_parsing(R"([{"x":{"a":[],"b":2,"a":{}}}])"), Error::Kind::kUnparsable);
  EXPECT_EQ(kind_of_parsing(R"({"a":1,"\u0061":2})"), Error::Kind::kUnparsable);
  EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":{"a":1}})").ok());
}

TEST(ParseJson, RefusesNestingBeyondTheLimit) {
  EXPECT_TRUE(parse_json(nested(kDepthMax)).ok());
  EXPECT_EQ(kind_of_parsing(nested(kDepthMax + 1)), Error::Kind::kUnparsable);
  EXPECT_EQ(kind_of_parsing(std::string(1'000'000, '[')), Error::Kind::kUnparsable);
}

TEST(ToText, ReplacesBytesThatAreNotUtf8) { EXPECT_EQ(to_text(Json("a\xff")), "\"a\xef\xbf\xbd\""); }

TEST(ObjectReader, ReadsWhatIsThereAndTakesNullForLeftOut) {
  const Json json = json_of(R"({"t":"x","n":-3,"b":true,"o":{},"l":["a","b"],"none":null})");
  ObjectReader reader(json, "");
  EXPECT_EQ(reader.text("t"), "x");
  EXPECT_EQ(reader.integer("n", -3, 3), -3);
  EXPECT_EQ(reader.boolean("b"), true);
  EXPECT_NE(reader.object("o"), nullptr);
  EXPECT_EQ(reader.texts("l", 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(reader.text("none"), std::nullopt);
  EXPECT_EQ(reader.integer("absent", 0, 1), std::nullopt);
  EXPECT_TRUE(reader.finish().ok());
}

// Reads `key` out of `text` in the given way and says what finish() answers.
template <class Read>
std::string refusal(std::string_view text, Read read) {
  const Json json = json_of(text);
  ObjectReader reader(json, "at");
  read(reader);
  const Status status = reader.finish();
  return status.ok() ? "accepted" : std::string(name_of(status.error().kind)) + " " + status.error().field;
}

TEST(ObjectReader, NamesTheFieldThatIsWrong) {
  const auto text = [](ObjectReader& reader) { (void)reader.text("k", 3); };
  const auto number = [](ObjectReader& reader) { (void)reader.integer("k", 0, 10); };
  const auto texts = [](ObjectReader& reader) { (void)reader.texts("k", 2, 3); };
  EXPECT_EQ(refusal(R"({"k":1})", text), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":"abcd"})", text), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":"\u0000"})", text), "invalid at.k");
  for (const char* wrong : {"-1", "11", "1.0", "1e0", "\"1\"", "true", "18446744073709551615", "9223372036854775808", "[]"}) {
    EXPECT_EQ(refusal(std::string(R"({"k":)") + wrong + "}", number), "invalid at.k") << wrong;
  }
  EXPECT_EQ(refusal(R"({"k":["a",null]})", texts), "invalid at.k[1]");
  EXPECT_EQ(refusal(R"({"k":["abcd"]})", texts), "invalid at.k[0]");
  EXPECT_EQ(refusal(R"({"k":["a","b","c"]})", texts), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":0})", [](ObjectReader& reader) { (void)reader.boolean("k"); }), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":[]})", [](ObjectReader& reader) { (void)reader.object("k"); }), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":{}})", [](ObjectReader& reader) { (void)reader.array("k", 1); }), "invalid at.k");
  EXPECT_EQ(refusal(R"({"k":null})", [](ObjectReader& reader) { (void)reader.required_text("k"); }), "invalid at.k");
  EXPECT_EQ(refusal("{}", [](ObjectReader& reader) { (void)reader.required_integer("k", 0, 1); }), "invalid at.k");
  EXPECT_EQ(refusal("[]", text), "invalid at");
}

TEST(ObjectReader, RefusesWhatNobodyAskedForButLetsItBeInAnswers) {
  const Json json = json_of(R"({"known":1,"unknown":2})");
  ObjectReader reader(json, "");
  (void)reader.integer("known", 0, 1);
  EXPECT_TRUE(reader.so_far().ok());
  EXPECT_EQ(reader.finish().error().field, "unknown");
}

TEST(ObjectReader, KeepsTheFirstErrorAndReadsNothingAfterIt) {
  const Json json = json_of(R"({"a":"x","b":"y"})");
  ObjectReader reader(json, "");
  EXPECT_EQ(reader.required_integer("a", 0, 1), 0);
  EXPECT_EQ(reader.required_text("b"), "");
  EXPECT_EQ(reader.finish().error().field, "a");
}

}  // namespace
}  // namespace reclaim::wire
