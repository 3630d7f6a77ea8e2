#include "worker/concurrency.hpp"

#include <algorithm>

namespace reclaim::worker {
namespace {

constexpr std::size_t kWindow = 10;
constexpr int kSlowFactor = 3;
constexpr Millis kNoise{100};  // what takes no longer than this is never slow

}  // namespace

void ConcurrencyLimit::succeeded(Millis took) {
  took_.push_back(took);
  judge_full_window();
}

void ConcurrencyLimit::failed() {
  ++failures_;
  judge_full_window();
}

void ConcurrencyLimit::judge_full_window() {
  if (took_.size() + failures_ < kWindow) return;
  if (failures_ > kWindow / 2) {
    limit_ = std::max<std::size_t>(1, limit_ / 2);
  } else if (is_slow()) {
    limit_ = std::max<std::size_t>(1, limit_ * 3 / 4);
  } else {
    limit_ = std::min(max_, limit_ + 1);
  }
  took_.clear();
  failures_ = 0;
}

bool ConcurrencyLimit::is_slow() {
  const auto middle = took_.begin() + static_cast<std::ptrdiff_t>(took_.size() / 2);
  std::ranges::nth_element(took_, middle);
  const Millis median = *middle;
  const Millis usual = usual_.value_or(median);
  usual_ = std::min(median, usual + usual / 8 + Millis(1));
  return median > kNoise && median > usual * kSlowFactor;
}

}  // namespace reclaim::worker
