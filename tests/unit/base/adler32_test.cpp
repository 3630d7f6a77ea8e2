#include "base/adler32.hpp"

#include <gtest/gtest.h>

namespace reclaim {
namespace {

std::string adler32_of(std::string_view bytes) {
  Adler32 sum;
  sum.add(bytes);
  return sum.text();
}

TEST(Adler32, IsThatOfRfc1950) {
  EXPECT_EQ(adler32_of(""), "adler32:00000001");
  EXPECT_EQ(adler32_of("a"), "adler32:00620062");
  EXPECT_EQ(adler32_of("Wikipedia"), "adler32:11e60398");
  EXPECT_EQ(adler32_of(std::string(100'000, '\xff')), "adler32:149a302c");
}

TEST(Adler32, OfPartsIsThatOfTheWhole) {
  Adler32 sum;
  sum.add("Wiki");
  sum.add("");
  sum.add("pedia");
  EXPECT_EQ(sum.text(), adler32_of("Wikipedia"));
}

}  // namespace
}  // namespace reclaim
