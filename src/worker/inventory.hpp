// What the drivers of one kind found, set against what the control plane has acknowledged: a full inventory the first time and after
// `resync`, the difference from then on. It also knows which drivers an order for a handle concerns.
//
//  * Names that are no handles, and handles found under two roots, are set apart: reported as malformed, never part of the set,
//    never destroyed.
//  * A driver without a listing for this sync makes the kind absent from the frame. What it listed before still says where handles
//    are. A kind without drivers is absent for good: nobody looked.
//  * Base, count and digest follow the acknowledged inventory of this session: begin_anew() forgets it.
//
// Who may call: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "ports/resource_driver.hpp"
#include "wire/sync.hpp"

namespace reclaim::worker {

class InventoryTracker {
 public:
  explicit InventoryTracker(std::size_t drivers = 0) : listed_(drivers) {}

  // What this driver found, by its place among the drivers of the kind.
  void take(std::size_t driver, std::vector<ports::Listed> listed);
  // From here on this is the view; `complete` when each driver has a listing for it.
  void look(bool complete);

  // The next frame, to be carried by the sync of this sequence; nothing when the view is not complete.
  std::optional<wire::Inventory> frame(std::int64_t sequence);
  // Nothing was added or removed since the acknowledged inventory.
  bool is_unchanged() const;
  // The sync of this sequence was answered; `accepted` is false when the answer named the kind in `resync`.
  void answered(std::int64_t sequence, bool accepted);
  // The next frame is full.
  void begin_anew() { acknowledged_.reset(); }

  // Sorted. Malformed names and ambiguous handles of the view.
  const std::vector<std::string>& malformed() const { return malformed_; }
  std::size_t count() const { return present_.size(); }

  // Which drivers, by their place, an order for this handle goes to: the one that listed it, all when none did (it is gone, or came
  // after the list), none when several did.
  std::vector<std::size_t> drivers_of(std::string_view handle) const;

 private:
  struct Place {
    std::string handle;
    std::uint32_t driver;
  };
  struct Snapshot {
    std::int64_t sequence;
    std::vector<std::string> handles;  // sorted
    SetDigest digest;
  };

  void merge();
  wire::Inventory full_frame(Snapshot& sent) const;
  wire::Inventory delta_frame(Snapshot& sent) const;

  std::vector<std::vector<std::string>> listed_;  // per driver, its last good list, sorted
  std::vector<Place> present_;                    // sorted; handles under exactly one root
  std::vector<std::string> malformed_;
  std::vector<std::string> ambiguous_;  // sorted
  bool complete_ = false;
  std::optional<Snapshot> acknowledged_;
  std::optional<Snapshot> sent_;
};

}  // namespace reclaim::worker
