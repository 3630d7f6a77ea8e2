#include "worker/inventory.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace reclaim::worker {

void InventoryTracker::take(std::size_t driver, std::vector<ports::Listed> listed) {
  std::vector<std::string> names;
  names.reserve(listed.size());
  for (ports::Listed& one : listed) names.push_back(std::move(one.name));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  listed_[driver] = std::move(names);
}

void InventoryTracker::look(bool complete) {
  complete_ = complete && !listed_.empty();
  std::vector<Place> all;
  malformed_.clear();
  ambiguous_.clear();
  present_.clear();
  for (std::uint32_t i = 0; i < listed_.size(); ++i) {
    for (const std::string& name : listed_[i]) {
      if (is_well_formed_name(name)) {
        all.push_back({name, i});
      } else {
        malformed_.push_back(name);
      }
    }
  }
  std::ranges::stable_sort(all, {}, &Place::handle);
  for (std::size_t i = 0; i < all.size();) {
    std::size_t next = i + 1;
    while (next < all.size() && all[next].handle == all[i].handle) ++next;
    if (next == i + 1) {
      present_.push_back(std::move(all[i]));
    } else {
      ambiguous_.push_back(std::move(all[i].handle));
    }
    i = next;
  }
  malformed_.insert(malformed_.end(), ambiguous_.begin(), ambiguous_.end());
  std::ranges::sort(malformed_);
  malformed_.erase(std::unique(malformed_.begin(), malformed_.end()), malformed_.end());
}

std::optional<wire::Inventory> InventoryTracker::frame(std::int64_t sequence) {
  sent_.reset();
  if (!complete_) return std::nullopt;
  Snapshot sent{sequence, {}, {}};
  sent.handles.reserve(present_.size());
  for (const Place& place : present_) sent.handles.push_back(place.handle);
  wire::Inventory frame = acknowledged_ ? delta_frame(sent) : full_frame(sent);
  sent_ = std::move(sent);
  return frame;
}

wire::Inventory InventoryTracker::full_frame(Snapshot& sent) const {
  wire::Inventory frame;
  for (const std::string& handle : sent.handles) sent.digest.add(handle);
  frame.added = sent.handles;
  frame.count = static_cast<std::int64_t>(sent.handles.size());
  frame.digest = sent.digest;
  return frame;
}

wire::Inventory InventoryTracker::delta_frame(Snapshot& sent) const {
  wire::Inventory frame;
  frame.base = acknowledged_->sequence;
  std::ranges::set_difference(sent.handles, acknowledged_->handles, std::back_inserter(frame.added));
  std::ranges::set_difference(acknowledged_->handles, sent.handles, std::back_inserter(frame.removed));
  sent.digest = acknowledged_->digest;
  for (const std::string& handle : frame.added) sent.digest.add(handle);
  for (const std::string& handle : frame.removed) sent.digest.remove(handle);
  frame.count = static_cast<std::int64_t>(sent.handles.size());
  frame.digest = sent.digest;
  return frame;
}

bool InventoryTracker::is_unchanged() const {
  return complete_ && acknowledged_ && std::ranges::equal(present_, acknowledged_->handles, {}, &Place::handle);
}

void InventoryTracker::answered(std::int64_t sequence, bool accepted) {
  if (!accepted) {
    begin_anew();
  } else if (sent_ && sent_->sequence == sequence) {
    acknowledged_ = std::move(sent_);
  }
  sent_.reset();
}

std::vector<std::size_t> InventoryTracker::drivers_of(std::string_view handle) const {
  const auto found = std::ranges::lower_bound(present_, handle, {}, &Place::handle);
  if (found != present_.end() && found->handle == handle) return {found->driver};
  if (std::ranges::binary_search(ambiguous_, handle)) return {};
  std::vector<std::size_t> all(listed_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace reclaim::worker
