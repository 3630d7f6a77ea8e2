// The checksum of files on tape, as the catalogue has it: `adler32:1e0b0402`. It finds damage by chance, not by intent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reclaim {

class Adler32 {
 public:
  void add(std::string_view bytes);
  std::string text() const;

 private:
  std::uint32_t value_ = 1;
};

}  // namespace reclaim
