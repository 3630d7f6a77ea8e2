// The set digest of an inventory: the sum modulo 2^128, over all handles of a kind, of the first 16 bytes of SHA-256(handle) read
// as a big-endian number. Adding and removing a handle is one addition or subtraction, whatever the size of the set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reclaim {

class SetDigest {
 public:
  void add(std::string_view handle);
  void remove(std::string_view handle);
  bool operator==(const SetDigest&) const = default;

  std::string hex() const;  // 32 lowercase digits, most significant first; the empty set is all zeros
  static Result<SetDigest> from_hex(std::string_view text);

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace reclaim
