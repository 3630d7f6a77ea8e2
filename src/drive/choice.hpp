// Which tape is worth a mount: one of those in the library that may be mounted and are in no other drive, whose queue is not under cleanup
// and for whose requests a mount pays; of these the one with the highest priority, then with the oldest request.
//
// A mount pays when any request names no policy, or one that is no more; or when the requests of one policy that wait there have reached
// its age, number or bytes. A tape that the library does not let it see is told of, rests for a while (drive/resting.hpp) and hinders no
// other. Who may call: the drive's thread. It reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/policies.hpp"
#include "archive/segments.hpp"
#include "drive/drive.hpp"

namespace reclaim::drive {

// Nothing: none is. `problems` are of tapes that could not be seen. Errors: of the store, the catalogue, and of a library that shows none.
Result<std::optional<archive::Vid>> choose_tape(Drive& drive, std::vector<std::string>& problems);

// Whether a mount pays for the requests of these segments.
bool pays(const std::vector<archive::Policy>& policies, const std::vector<archive::SegmentAt>& segments, std::int64_t now_ms);

}  // namespace reclaim::drive
