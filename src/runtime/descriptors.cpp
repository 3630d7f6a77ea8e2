#include "runtime/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace reclaim::runtime {
namespace {

constexpr std::size_t kLeftMax = 512;
constexpr std::size_t kLimitMax = 1U << 30U;

}  // namespace

std::size_t descriptor_limit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLimitMax;
  return std::min<std::size_t>(limit.rlim_cur, kLimitMax);
}

bool leaves_descriptors(int newest, std::size_t percent) {
  const std::size_t limit = descriptor_limit();
  const std::size_t left = std::min(limit * percent / 100, kLeftMax);
  return newest >= 0 && static_cast<std::size_t>(newest) < limit - left;
}

}  // namespace reclaim::runtime
