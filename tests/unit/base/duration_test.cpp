#include "base/duration.hpp"

#include <gtest/gtest.h>

namespace reclaim {
namespace {

TEST(Duration, IsReadWithItsUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0s", 0},         {"10ms", 10},        {"30s", 30'000},           {"3m", 180'000},     {"1h", 3'600'000},
      {"5d", 432000000}, {"1h30m", 5400'000}, {"1d2h3m4s5ms", 93784005}, {"1m500ms", 60'500}, {"36500d", kDurationMax.count()},
  };
  for (const auto& [text, ms] : cases) EXPECT_EQ(parse_duration(text).value().count(), ms) << text;
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const char* text : {"",
                           "0",
                           "30",
                           "s",
                           "-1s",
                           "+1s",
                           "1.5h",
                           "1 s",
                           "1s ",
                           " 1s",
                           "1m1h",
                           "1s1s",
                           "1S",
                           "1w",
                           "1h30",
                           "never",
                           "99999999999999999999s",
                           "36500d1ms",
                           "36501d",
                           "9223372036854775807ms"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind, Error::Kind::kInvalid);
  }
}

TEST(Duration, MayBeNeverWhereThatIsOffered) {
  EXPECT_EQ(parse_duration_or_never("never").value(), std::nullopt);
  EXPECT_EQ(parse_duration_or_never("0s").value(), Millis(0));
  EXPECT_FALSE(parse_duration_or_never("Never").ok());
}

TEST(Duration, IsWrittenAsItIsRead) {
  for (const char* text : {"0s", "250ms", "3m12s", "1h30m", "5d", "1d2h3m4s5ms"}) {
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  }
  EXPECT_EQ(format_duration(Millis(-1500)), "-1s500ms");
}

}  // namespace
}  // namespace reclaim
