#include "base/printable.hpp"

namespace reclaim {

std::string printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1) ++i;
    line += byte < 0x20 || byte == 0x7f || is_c1 ? '?' : text[i];
  }
  return line;
}

}  // namespace reclaim
