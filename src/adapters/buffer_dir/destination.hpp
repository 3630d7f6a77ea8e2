// Where a delivery goes: a relative path, walked one component at a time from the buffer's root. For this room only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/system/files.hpp"
#include "ports/disk_buffer.hpp"

namespace reclaim::buffer_dir {

// Directories from the root's to that which holds the destination, open.
using Way = std::vector<system::Fd>;

class Destination {
 public:
  // Components as ports::check_delivery leaves them.
  explicit Destination(std::vector<std::string> parts) : parts_(std::move(parts)) {}

  const std::string& name() const { return parts_.back(); }
  // Nothing where a directory is missing.
  Result<std::optional<Way>> find(int root) const;
  // Makes what is missing.
  Result<Way> make(int root) const;

 private:
  std::vector<std::string> parts_;
};

// Whether there is just what is promised, which is then durable. kConflict: there is something else.
Result<bool> is_delivered(const Way& way, const std::string& name, const ports::Delivery& delivery, const ports::Tick& tick);

// All directories, from the last to the root.
Status sync_way(const Way& way, const ports::Tick& tick);

}  // namespace reclaim::buffer_dir
