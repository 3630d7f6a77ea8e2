// Whose roots these are. Every root carries a marker with the machine's incarnation, made when a root was first used, and the count of
// sessions that were started over it. The roots must agree: a disk that was swapped, or copied from another machine, does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::worker {

struct Marker {
  std::string incarnation;
  std::int64_t started = 0;
  bool operator==(const Marker&) const = default;
};

// kCorrupt for anything but what to_text() wrote.
Result<Marker> parse_marker(std::string_view text);
std::string to_text(const Marker& marker);

struct RootMarker {
  std::string root;              // as people name it
  std::optional<Marker> marker;  // nothing: a root used for the first time
};

// The marker that all these roots shall carry from now on, before a session opens: the incarnation they agree on, or a new one when
// none has any; one more start than any of them knew. kConflict names two roots that disagree.
Result<Marker> next_marker(const std::vector<RootMarker>& roots, Random& random);

}  // namespace reclaim::worker
