#include "adapters/objects_rados/page.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::objects_rados {

void Page::add(std::string key) {
  if (key <= after_ || (full_ && key >= last_)) return;
  keys_.push_back(std::move(key));
  if (keys_.size() >= 2 * limit_) cut();
}

std::vector<std::string> Page::take() {
  cut();
  return std::move(keys_);
}

void Page::cut() {
  std::ranges::sort(keys_);
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  if (keys_.size() < limit_) return;
  keys_.resize(limit_);
  full_ = true;
  last_ = keys_.back();
}

}  // namespace reclaim::objects_rados
