// The `.reclaim/` of a root: `lock`, held for as long as anybody may still act under the root, and `marker`, which says whose it is.
//
// What callers may rely on
//  * try_lock() is true for one holder at a time on the machine. The lock lives with the open file: a child that was given
//    lock_fd() holds it on when this process is gone, so that a successor does not start beside it.
//  * read_marker() is the marker's bytes, or nothing where there is none. write_marker() replaces it whole; a crash leaves the former.
//  * still_at() tells a root that was unmounted, mounted over, or replaced: what is held then is not what the path leads to.
//
// Who may call: one thread; read_marker() and still_at() any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/system/files.hpp"
#include "base/result.hpp"

namespace reclaim::system {

class RootDirectory {
 public:
  // Makes `.reclaim/` where it is missing. kConflict when it is a link or not a directory.
  static Result<RootDirectory> open(const std::string& path);

  Result<bool> try_lock();
  int lock_fd() const { return lock_.get(); }
  Result<std::optional<std::string>> read_marker() const;
  Status write_marker(std::string_view text) const;
  // kNotFound and kConflict: the path does not lead to this root any more.
  Status still_at(const std::string& path) const;

 private:
  struct Place {
    std::uint64_t device;
    std::uint64_t inode;
    bool operator==(const Place&) const = default;
  };

  RootDirectory(Place place, Fd directory, Fd lock) : place_(place), directory_(std::move(directory)), lock_(std::move(lock)) {}
  static Result<Place> place_of(const Fd& root);

  Place place_;
  Fd directory_;
  Fd lock_;
};

}  // namespace reclaim::system
