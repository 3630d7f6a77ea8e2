// What stands in the file: one table of LMDB, with one row for the store and one for each object.
//
//   !store     RCLMOBJS, format (4 bytes), the last version drawn (8)
//   KIND/KEY   RCO1, version (8), the object's bytes
//
// Numbers are little-endian. `!` is in no name, so the store's row is no object's. The last version is drawn, and written, in the
// transaction that uses it: it is never drawn again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::objects_lmdb {

inline constexpr std::string_view kStampKey = "!store";
inline constexpr std::uint32_t kFormat = 1;

struct Stamp {
  std::uint32_t format = kFormat;
  std::uint64_t last_version = 0;
};

std::string encode(const Stamp& stamp);
// Of any format; nothing when it is no stamp at all.
std::optional<Stamp> decode_stamp(std::string_view value);
// Whether this program can use a store with this stamp: kCorrupt for none at all, kInvalid for that of a newer program.
Status check_stamp(std::string_view value);
// What the store keeps beside the bytes of `what` is not what it wrote.
Error unreadable(const std::string& what);

inline constexpr std::size_t kObjectHeaderBytes = 12;

std::string object_header(ports::Version version);
// The version that stands before an object's bytes; nothing when it cannot be read.
std::optional<ports::Version> decode_object_header(std::string_view value);

}  // namespace reclaim::objects_lmdb
