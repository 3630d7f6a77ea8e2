#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace reclaim {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, CharactersOfEachLengthAreKnown) {
  for (const std::string_view text :
       {""sv, "a"sv, "\0"sv, "\x7f"sv, "\u00e4"sv, "\u20ac"sv, "\U0001f600"sv, "\ud7ff\ue000"sv, "\U0010ffff"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, WhatIsNoCharacterIsRefused) {
  for (const std::string_view text :
       {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc3"sv, "\xc3("sv, "\xe0\x9f\xbf"sv, "\xe2\x82"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "good \xe2\x82 bad"sv}) {
    EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_TRUE(is_utf8(utf8_prefix(text, 100)));
  }
}

TEST(Utf8, APrefixEndsBeforeACharacter) {
  EXPECT_EQ(utf8_prefix("ab\u20ac", 4), "ab");
  EXPECT_EQ(utf8_prefix("ab\u20ac", 5), "ab\u20ac");
  EXPECT_EQ(utf8_prefix("a\xff"
                        "b",
                        3),
            "a?b");
  EXPECT_EQ(utf8_prefix("abc", 0), "");
}

}  // namespace
}  // namespace reclaim
