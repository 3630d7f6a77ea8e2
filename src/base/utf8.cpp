#include "base/utf8.hpp"

#include <algorithm>

namespace reclaim {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0; }

// Bytes of the character that the text begins with; 0: it begins with none. (Table 3-7 of the Unicode Standard.)
std::size_t character_size(std::string_view text) {
  const unsigned char first = byte_at(text, 0);
  const unsigned char second = byte_at(text, 1);
  const auto goes_on = [&](std::size_t at) { return (byte_at(text, at) & 0xc0U) == 0x80U; };
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !goes_on(1)) return 0;
  if (first < 0xe0) return 2;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || !goes_on(2)) return 0;
  if (first < 0xf0) return 3;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) || !goes_on(3)) return 0;
  return 4;
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, is_ascii) - text.begin()));
    if (text.empty()) return true;
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string utf8_prefix(std::string_view text, std::size_t bytes_max) {
  std::string prefix;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (prefix.size() + std::max<std::size_t>(size, 1) > bytes_max) break;
    if (size == 0) {
      prefix += '?';
    } else {
      prefix += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return prefix;
}

}  // namespace reclaim
