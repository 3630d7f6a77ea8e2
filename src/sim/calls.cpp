#include "sim/calls.hpp"

#include <algorithm>

namespace reclaim::sim {

using How = Touch::How;

bool conflict(How one, How other) {
  switch (one) {
    case How::kRead: return other == How::kWrite;
    case How::kWrite: return other == How::kRead || other == How::kWrite;
    case How::kList: return other == How::kChange;
    case How::kChange: return other == How::kList;
  }
  return true;
}

bool conflict(const Call& one, const Call& other) {
  return std::ranges::any_of(one.touches, [&](const Touch& mine) {
    return std::ranges::any_of(other.touches,
                               [&](const Touch& theirs) { return mine.object == theirs.object && conflict(mine.how, theirs.how); });
  });
}

std::uint64_t mix(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

// A call is what came before it of its actor, and all earlier calls that it conflicts with, in whatever order they came.
void Trace::add(std::size_t actor, const Call& call) {
  std::uint64_t before = 0;
  for (const Touch& touch : call.touches) {
    const Sums& sums = objects_[touch.object];
    for (const How how : kHows) {
      if (conflict(touch.how, how)) before = mix(before + sums.at(static_cast<std::size_t>(how)));
    }
  }
  std::uint64_t& last = last_[actor];
  last = mix(mix(before) + mix(last + actor));
  for (const Touch& touch : call.touches) objects_[touch.object].at(static_cast<std::size_t>(touch.how)) += last;
  number_ += last;
}

}  // namespace reclaim::sim
