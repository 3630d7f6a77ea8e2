#include "base/sha256.hpp"

#include <gtest/gtest.h>

namespace reclaim {
namespace {

TEST(Sha256, IsThatOfTheStandardHoweverTheBytesCome) {
  EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 whole;
  whole.add("abc");
  Sha256 parts;
  parts.add("a");
  parts.add("");
  parts.add("bc");
  const std::string expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(whole.hex(), expected);
  EXPECT_EQ(parts.hex(), expected);
}

}  // namespace
}  // namespace reclaim
