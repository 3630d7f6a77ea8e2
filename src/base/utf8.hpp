// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing over U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reclaim {

bool is_utf8(std::string_view text);
// The text in at most `bytes_max` bytes of UTF-8: what is no character becomes `?`, and what is over ends before a character.
std::string utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace reclaim
