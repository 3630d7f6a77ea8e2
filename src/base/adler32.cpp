#include "base/adler32.hpp"

#include <zlib.h>

#include <array>
#include <cstdio>

namespace reclaim {

void Adler32::add(std::string_view bytes) {
  // The cast is zlib's: it knows no signed bytes.
  value_ = static_cast<std::uint32_t>(adler32_z(value_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string Adler32::text() const {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "adler32:%08x", value_);
  return text.data();
}

}  // namespace reclaim
