#include "base/duration.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace reclaim {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr Unit kUnits[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

Error malformed(std::string_view text) {
  constexpr std::size_t kShownMax = 32;
  return invalid("duration", "'" + std::string(text.substr(0, kShownMax)) + "' is not a duration such as 30s, 5m, 1h30m or 250ms");
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const Unit* next = std::begin(kUnits);
  std::int64_t total = 0;
  do {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    const bool is_number = error == std::errc() && rest.front() != '-';
    if (!is_number) return malformed(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view name = rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
    while (next != std::end(kUnits) && next->name != name) ++next;
    if (next == std::end(kUnits)) return malformed(text);
    if (number > (kDurationMax.count() - total) / next->ms) return invalid("duration", "longer than a hundred years");
    total += number * next->ms;
    rest.remove_prefix(name.size());
    ++next;
  } while (!rest.empty());
  return Millis(total);
}

Result<std::optional<Millis>> parse_duration_or_never(std::string_view text) {
  if (text == "never") return std::optional<Millis>{};
  return std::optional(TRY(parse_duration(text)));
}

std::string format_duration(Millis duration) {
  if (duration.count() == 0) return "0s";
  std::string text = duration.count() < 0 ? "-" : "";
  std::int64_t left = duration.count() < 0 ? -duration.count() : duration.count();
  for (const Unit& unit : kUnits) {
    if (left >= unit.ms) text.append(std::to_string(left / unit.ms)).append(unit.name);
    left %= unit.ms;
  }
  return text;
}

}  // namespace reclaim
