// Durations as people write them: `30s`, `3m`, `1h30m`, `5d`, `10ms`, `0s`. A number without a unit is refused, so that nobody has to
// remember which one a flag meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim {

inline constexpr Millis kDurationMax = std::chrono::hours(24 * 36'500);  // a hundred years

// Whole numbers with the units d, h, m, s, ms, largest first, each at most once. kInvalid (field `duration`) says what is wrong.
Result<Millis> parse_duration(std::string_view text);

// The same, or `never`, which is nullopt: for the settings whose description offers it.
Result<std::optional<Millis>> parse_duration_or_never(std::string_view text);

// What parse_duration reads back, exactly: `1h30m`, `0s`. A negative span begins with a minus and is for messages only.
std::string format_duration(Millis duration);

}  // namespace reclaim
