// Two crashes in a row: the first process meets its fault at call j, whoever recovers from that meets another at call k, and a third, whom
// nothing hinders, ends it.
//
// Each (j, k) is run with one of the nine pairs of ends, in turn. `./dev test` takes every n-th pair, as many as it has time for, and all
// of them with RECLAIM_CRASHES=all. A sanitizer looks for other things and takes its time: one of 25 of those.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "sim/crash.hpp"

namespace reclaim::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSanitizedStride = 25;
#else
inline constexpr int kSanitizedStride = 1;
#endif

// The n of `every n-th`, for those that are so many.
inline int stride_of(int usual) {
  const char* which = std::getenv("RECLAIM_CRASHES");
  return which != nullptr && std::string_view(which) == "all" ? 1 : usual * kSanitizedStride;
}

// Which of its two faults a run has met.
struct Met {
  bool first = false;
  bool second = false;
};

// Answers how many runs there were in which both happened.
template <class Run>
int crash_in_pairs(int stride, Run&& run) {
  int turn = 0;
  int pairs = 0;
  for (int j = 0;; ++j) {
    // How many calls the second makes depends on how the first has ended.
    for (int k = j % stride, missed = 0; missed < (stride == 1 ? 3 : 1); k += stride, ++turn) {
      const sim::Fault first{.at = j, .outcome = sim::kOutcomes[turn % 3]};
      const sim::Fault second{.at = k, .outcome = sim::kOutcomes[turn / 3 % 3]};
      const Met met = run(first, second);
      if (!met.first || testing::Test::HasFailure()) return pairs;
      missed = met.second ? 0 : missed + 1;
      pairs += met.second ? 1 : 0;
    }
  }
}

}  // namespace reclaim::test
