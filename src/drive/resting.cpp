#include "drive/resting.hpp"

#include <algorithm>

namespace reclaim::drive {
namespace {

constexpr std::int64_t kFirstMs = 1000;
constexpr std::int64_t kLongestMs = 60'000;

}  // namespace

bool Resting::rests(const archive::Vid& vid, std::int64_t now_ms) const {
  const auto found = rests_.find(vid);
  if (found == rests_.end() || now_ms < found->second.begun_ms) return false;
  return now_ms - found->second.begun_ms < found->second.length_ms;
}

void Resting::begin(const archive::Vid& vid, std::int64_t now_ms) {
  Rest& rest = rests_[vid];
  rest.length_ms = std::clamp(2 * rest.length_ms, kFirstMs, kLongestMs);
  rest.begun_ms = now_ms;
}

}  // namespace reclaim::drive
