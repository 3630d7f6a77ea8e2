// What a call to a port touches, so that it can be told which calls may change places and nobody is the wiser.
//
// Two calls conflict when both touch the same object and not both only read it. Runs that differ in nothing but the order of calls that do
// not conflict are the same run: each actor sees the same answers, and the end is the same. (Mazurkiewicz, "Trace theory", 1987.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace reclaim::sim {

struct Touch {
  // Names of a kind are an object, too: whoever lists them is told another answer by who adds or removes one, and by nobody else; to add
  // one and to remove another may change places.
  enum class How : std::uint8_t { kRead, kWrite, kList, kChange };
  std::string object;
  How how = How::kWrite;
};
inline constexpr std::array<Touch::How, 4> kHows = {Touch::How::kRead, Touch::How::kWrite, Touch::How::kList, Touch::How::kChange};

bool conflict(Touch::How one, Touch::How other);

// What is called, in words, and what it touches. One that touches nothing conflicts with nothing.
struct Call {
  std::string what;
  std::vector<Touch> touches = {};
};
bool conflict(const Call& one, const Call& other);

// The calls of a run so far. Two of them have the same number where one is the other but for the order of calls that do not conflict; of
// others it differs, as far as 64 bits go.
class Trace {
 public:
  void add(std::size_t actor, const Call& call);
  std::uint64_t number() const { return number_; }

 private:
  using Sums = std::array<std::uint64_t, kHows.size()>;  // of the calls that touched an object, by how
  std::unordered_map<std::string, Sums> objects_;
  std::unordered_map<std::size_t, std::uint64_t> last_;  // of each actor
  std::uint64_t number_ = 0;
};

// Spreads what it is given over 64 bits. (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.)
std::uint64_t mix(std::uint64_t number);

}  // namespace reclaim::sim
