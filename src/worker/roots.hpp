// Whose roots these are. Every root carries a marker with the machine's incarnation, made when a root was first used, and the count of
// sessions that were started over it. The roots must agree: a disk that was swapped, or copied from another machine, does not.
//
// A marker also names the volume roots that carry it. One of them that has none any more is a disk that is not mounted, or was wiped:
// the directory that is there in its stead looks like a root used for the first time, and its emptiness like that of a root whose
// volumes are all gone. Container roots are not named: they may be in memory, and begin anew with every boot. Nor are programs, whose
// marker does not lie with what they manage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::worker {

inline constexpr std::size_t kRootsMax = 64;  // of one worker

struct Marker {
  std::string incarnation;
  std::int64_t started = 0;
  std::vector<std::string> roots = {};  // as people name them
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
// none has any; one more start than any of them knew; all the roots that any of them names. kConflict names two roots that disagree.
Result<Marker> next_marker(const std::vector<RootMarker>& roots, Random& random);

}  // namespace reclaim::worker
