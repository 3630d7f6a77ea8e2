#include "base/digest.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdio>

namespace reclaim {
namespace {

struct Number {
  std::uint64_t high;
  std::uint64_t low;
};

Number number_of(std::string_view handle) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(handle.data()), handle.size(), hash.data());
  Number number{};
  for (std::size_t i = 0; i < 8; ++i) {
    number.high = (number.high << 8U) | hash.at(i);
    number.low = (number.low << 8U) | hash.at(i + 8);
  }
  return number;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void SetDigest::add(std::string_view handle) {
  const Number number = number_of(handle);
  low_ += number.low;
  high_ += number.high + (low_ < number.low ? 1U : 0U);
}

void SetDigest::remove(std::string_view handle) {
  const Number number = number_of(handle);
  high_ -= number.high + (low_ < number.low ? 1U : 0U);
  low_ -= number.low;
}

std::string SetDigest::hex() const {
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(high_), static_cast<unsigned long long>(low_));
  return text.data();
}

Result<SetDigest> SetDigest::from_hex(std::string_view text) {
  if (text.size() != 32) return invalid("digest", "must be 32 lowercase hex digits");
  SetDigest digest;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return invalid("digest", "must be 32 lowercase hex digits");
    digest.high_ = (digest.high_ << 4U) | (digest.low_ >> 60U);
    digest.low_ = (digest.low_ << 4U) | static_cast<std::uint64_t>(digit);
  }
  return digest;
}

}  // namespace reclaim
