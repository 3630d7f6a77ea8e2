#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/transitions.hpp"

namespace reclaim {
namespace {

static_assert(!std::is_convertible_v<WorkerName, OwnerId> && !std::is_convertible_v<std::string, Handle>);

TEST(Ids, AreOnePathComponentOfAtMost128Bytes) {
  for (const char* good : {"a", "0", "c1", "A.b_c-d", "a..b", "x-"}) EXPECT_TRUE(parse_handle(good).ok()) << good;
  EXPECT_TRUE(parse_handle(std::string(128, 'a')).ok());
  EXPECT_FALSE(parse_handle(std::string(129, 'a')).ok());
  for (const std::string_view bad : {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa4", "a:b", "a*"}) {
    EXPECT_FALSE(parse_handle(bad).ok()) << bad;
  }
  EXPECT_FALSE(parse_handle(std::string_view("a\0b", 3)).ok());
}

TEST(Ids, RefusalNamesTheField) {
  EXPECT_EQ(parse_worker_name("a/b").error().field, "name");
  EXPECT_EQ(parse_owner_id("", "owner").error().field, "owner");
  EXPECT_EQ(parse_handle("", "volumes[3]").error().kind, Error::Kind::kInvalid);
}

SetDigest digest_of(const std::vector<std::string>& handles) {
  SetDigest digest;
  for (const auto& handle : handles) digest.add(handle);
  return digest;
}

// The expected numbers are of Python's hashlib and its unbounded integers.
TEST(SetDigest, IsTheSumOfTheFirstHalvesOfSha256) {
  EXPECT_EQ(digest_of({}).hex(), "00000000000000000000000000000000");
  EXPECT_EQ(digest_of({"h1"}).hex(), "33112ee14ee469c3eb52fe90322ec81d");
  EXPECT_EQ(digest_of({"h1", "h2"}).hex(), "2caa2ce7fe8539825f33432df4e031a0");
  std::vector<std::string> thousand;
  for (int i = 0; i < 1000; ++i) thousand.push_back("container-" + std::to_string(i));
  EXPECT_EQ(digest_of(thousand).hex(), "48244e914f30300941b4a798188af658");
}

TEST(SetDigest, DependsOnTheSetAndNotOnTheWayThere) {
  EXPECT_EQ(digest_of({"a", "b", "c"}), digest_of({"c", "a", "b"}));
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("v" + std::to_string(i));
  SetDigest digest = digest_of(many);
  for (const auto& handle : many) digest.remove(handle);
  EXPECT_EQ(digest, SetDigest());
  digest.remove("a");  // below zero and back
  digest.add("a");
  EXPECT_EQ(digest, SetDigest());
}

TEST(SetDigest, IsReadBackFrom32LowercaseHexDigitsOnly) {
  EXPECT_EQ(SetDigest::from_hex("2caa2ce7fe8539825f33432df4e031a0").value(), digest_of({"h1", "h2"}));
  for (const std::string& bad : {std::string(), std::string(31, '0'), std::string(33, '0'), std::string(32, 'A'), std::string(32, 'g')}) {
    EXPECT_FALSE(SetDigest::from_hex(bad).ok()) << bad;
  }
}

TEST(Time, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339({1795406706789}), "2026-11-23T04:05:06.789Z");
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999Z");
}

TEST(Time, PointsAndSpansAddUp) {
  const ServiceTime at{1000};
  EXPECT_EQ((at + Millis(500)).ms, 1500);
  EXPECT_EQ((at - Millis(500)).ms, 500);
  EXPECT_EQ(ServiceTime{1500} - at, Millis(500));
  EXPECT_LT(at, ServiceTime{1001});
}

class Fixed final : public Random {
 public:
  std::uint64_t next() override { return bits; }
  std::uint64_t bits = 0;
};

TEST(Uuid, IsOfVersionFourWhateverTheBits) {
  Fixed random;
  EXPECT_EQ(make_uuid(random), "00000000-0000-4000-8000-000000000000");
  random.bits = ~std::uint64_t{0};
  EXPECT_EQ(make_uuid(random), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

enum class Light { kRed, kGreen, kOff };
enum class Signal { kGo, kStop, kCut };
using LightRow = Transition<Light, Signal>;
constexpr LightRow kLights[] = {
    {Light::kRed, Signal::kGo, Light::kGreen}, {Light::kGreen, Signal::kStop, Light::kRed}, {Light::kGreen, Signal::kCut, Light::kOff}};
constexpr LightRow kTwoAnswers[] = {{Light::kRed, Signal::kGo, Light::kGreen}, {Light::kRed, Signal::kGo, Light::kOff}};
constexpr Light kAll[] = {Light::kRed, Light::kGreen, Light::kOff};
constexpr std::span<const LightRow> kTable(kLights);

static_assert(is_deterministic(kTable) && !is_deterministic(std::span<const LightRow>(kTwoAnswers)));
static_assert(only_final_is_stuck(kTable, std::span<const Light>(kAll), Light::kOff));
static_assert(!only_final_is_stuck(kTable, std::span<const Light>(kAll), Light::kRed));

TEST(Transitions, AnswerOnlyWhatTheTableHolds) {
  EXPECT_EQ(next_state(kTable, Light::kRed, Signal::kGo), Light::kGreen);
  EXPECT_EQ(next_state(kTable, Light::kRed, Signal::kCut), std::nullopt);
  EXPECT_EQ(next_state(kTable, Light::kOff, Signal::kGo), std::nullopt);
}

Result<int> half(int number) {
  if (number % 2 != 0) return invalid("number", "odd");
  return number / 2;
}

Result<int> quarter(int number) { return half(TRY(half(number))); }

Status needs_even(int number) {
  TRY(half(number));
  return done();
}

TEST(Result, TryHandsOnTheValueOrTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_TRUE(needs_even(2).ok());
  EXPECT_EQ(needs_even(1).error().field, "number");
}

TEST(ResultDeathTest, AskingAFailureForItsValueEndsTheProcess) { EXPECT_DEATH((void)half(1).value(), "value\\(\\) of a failed Result"); }

}  // namespace
}  // namespace reclaim
