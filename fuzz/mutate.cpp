#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace reclaim::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr std::array kWords = {"0"sv,
                               "-1"sv,
                               "18446744073709551615"sv,
                               "9223372036854775808"sv,
                               "1e999"sv,
                               "null"sv,
                               "\"\""sv,
                               "\\u0000"sv,
                               "\xff\xfe"sv,
                               "\xed\xa0\x80"sv,
                               ".."sv,
                               "/"sv,
                               "{"sv,
                               "]"sv,
                               "\n"sv,
                               "\r\n"sv,
                               "\0"sv,
                               "\x80\x80\x80\x80\x10"sv,
                               "@"sv,
                               "%00"sv,
                               "[[[[[[[["sv};

std::size_t below(std::mt19937_64& random, std::size_t limit) { return random() % limit; }

const std::string& any_of(std::mt19937_64& random, std::span<const std::string> samples) { return samples[below(random, samples.size())]; }

void change(std::mt19937_64& random, std::string& bytes, std::span<const std::string> samples) {
  const std::size_t place = below(random, bytes.size() + 1);
  const std::size_t length = below(random, std::min<std::size_t>(bytes.size() - place, 64) + 1);
  switch (below(random, 8)) {
    case 0:
      if (place < bytes.size()) bytes[place] = static_cast<char>(bytes[place] ^ (1 << below(random, 8)));
      return;
    case 1:
      if (place < bytes.size()) bytes[place] = static_cast<char>(random());
      return;
    case 2: bytes.erase(place, length); return;
    case 3: bytes.insert(place, bytes.substr(place, length)); return;
    case 4: bytes.insert(below(random, bytes.size() + 1), bytes.substr(place, length)); return;
    case 5: bytes.insert(place, kWords[below(random, kWords.size())]); return;
    case 6: bytes.replace(place, length, kWords[below(random, kWords.size())]); return;
    default: {
      const std::string& other = any_of(random, samples);
      const std::size_t from = below(random, other.size() + 1);
      bytes.replace(place, length, other.substr(from, below(random, 64) + 1));
    }
  }
}

}  // namespace

std::string mutate(std::mt19937_64& random, std::span<const std::string> samples) {
  constexpr std::size_t kChangesMax = 6;
  std::string bytes = any_of(random, samples);
  for (std::size_t i = below(random, kChangesMax) + 1; i > 0; --i) change(random, bytes, samples);
  if (bytes.size() > kBytesMax) bytes.resize(kBytesMax);
  return bytes;
}

}  // namespace reclaim::fuzz
