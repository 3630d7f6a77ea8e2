// What chance makes of samples: bits flipped, bytes changed, pieces cut out, doubled, moved, taken from another sample, and words that
// parsers stumble over. The same random numbers, the same bytes.
#pragma once

#include <random>
#include <span>
#include <string>

namespace reclaim::fuzz {

inline constexpr std::size_t kBytesMax = 64 * 1024;

std::string mutate(std::mt19937_64& random, std::span<const std::string> samples);

}  // namespace reclaim::fuzz
