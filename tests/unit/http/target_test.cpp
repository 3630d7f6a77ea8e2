#include "http/target.hpp"

#include <gtest/gtest.h>

namespace reclaim::http {
namespace {

std::string shown(std::string_view text) {
  const Result<Target> target = parse_target(text);
  if (!target.ok()) return "error";
  std::string all;
  for (const std::string& segment : target.value().segments) all += "/" + segment;
  for (const auto& [name, value] : target.value().query) all += " " + name + "=" + value;
  return all;
}

TEST(Target, SplitsBeforeItDecodes) {
  EXPECT_EQ(shown("/api/v1/workers/w1"), "/api/v1/workers/w1");
  EXPECT_EQ(parse_target("/a%2Fb/c").value().segments, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(parse_target("/a/%2e%2e/b").value().segments, (std::vector<std::string>{"a", "..", "b"}));
  EXPECT_EQ(parse_target("/").value().segments, (std::vector<std::string>{""}));
  EXPECT_EQ(parse_target("/a/").value().segments, (std::vector<std::string>{"a", ""}));
}

TEST(Target, DecodesQueryParametersInOrder) {
  EXPECT_EQ(shown("/x?b=1&a=%26%3D&b=2&flag&e="), "/x b=1 a=&= b=2 flag= e=");
  EXPECT_EQ(shown("/x?a=b+c%2B"), "/x a=b c+");
  EXPECT_EQ(shown("/a+b?"), "/a+b");
  EXPECT_EQ(shown("/x?a=/?"), "/x a=/?");
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_EQ(shown("http://host:1/a?b=c"), "/a b=c");
  EXPECT_EQ(shown("http://host?b=/c"), "error");
}

TEST(Target, RefusesWhatIsNotExactlyOneReading) {
  for (const std::string_view text :
       {"", "a", "*", "host:80", "/%", "/%4", "/%4g", "/%g4", "/a%00b", "/%0a", "/%7f", "/a#b", "/x?a=%", "/x?%zz=1"}) {
    EXPECT_EQ(shown(text), "error") << text;
  }
}

TEST(Target, EncodingIsUndoneByParsing) {
  std::string all;
  for (int byte = 0x20; byte < 0x100; ++byte) {
    if (byte != 0x7f) all.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(parse_target("/" + percent_encode(all)).value().segments.at(0), all);
  EXPECT_EQ(parse_target("/?a=" + percent_encode(all)).value().query.at(0).second, all);
}

}  // namespace
}  // namespace reclaim::http
