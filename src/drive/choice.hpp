// Which tape is worth a mount: one of those in the library that may be mounted and are in no other drive, whose queue is not under cleanup
// and for whose requests a mount pays; of these the one with the highest priority, then with the oldest request.
//
// A mount pays when any request names no policy, or one that is no more; or when the requests of one policy that wait there have reached
// its age, number or bytes. Who may call: the drive's thread. It reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "archive/policies.hpp"
#include "archive/segments.hpp"
#include "drive/drive.hpp"

namespace reclaim::drive {

// Nothing: none is. Errors: of the store, the catalogue and the library.
Result<std::optional<archive::Vid>> choose_tape(Drive& drive);

// Whether a mount pays for the requests of these segments.
bool pays(const std::vector<archive::Policy>& policies, const std::vector<archive::SegmentAt>& segments, std::int64_t now_ms);

}  // namespace reclaim::drive
