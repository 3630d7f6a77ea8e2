#include "adapters/system/system_time.hpp"

#include <sys/random.h>

#include <cerrno>
#include <ctime>

#include "base/check.hpp"

namespace reclaim::system {
namespace {

std::int64_t read_ms(clockid_t clock) {
  timespec at{};
  check(clock_gettime(clock, &at) == 0, "clock_gettime");
  return static_cast<std::int64_t>(at.tv_sec) * 1000 + at.tv_nsec / 1'000'000;
}

}  // namespace

Instant SystemClock::now() const { return {read_ms(CLOCK_MONOTONIC)}; }
WallTime SystemClock::wall() const { return {read_ms(CLOCK_REALTIME)}; }

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  ssize_t got = 0;
  do {
    got = getrandom(&value, sizeof(value), 0);
  } while (got < 0 && errno == EINTR);
  check(got == static_cast<ssize_t>(sizeof(value)), "getrandom");
  return value;
}

void pause_for(Millis duration) {
  timespec left{static_cast<time_t>(duration.count() / 1000), static_cast<long>(duration.count() % 1000 * 1'000'000)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace reclaim::system
