// What a request becomes after tries. Pure.
//
// A copy is tried kTriesWithinMount times in one mount, a request kTriesTotal times in all; requests of a repack once. Then another copy
// has its turn, where one is available; where none is, the same again in a later mount, as long as there are tries left. Then it has
// failed.
#pragma once

#include <cstdint>

#include "archive/objects.hpp"
#include "archive/placement.hpp"
#include "drive/transfer.hpp"

namespace reclaim::drive {

inline constexpr std::uint32_t kTriesWithinMount = 3;
inline constexpr std::uint32_t kTriesTotal = 6;

enum class Next : std::uint8_t {
  kAgain,      // at once
  kElsewhere,  // from another copy, or in another mount
  kReport,     // it is TRANSFERRED or FAILED
};
// Counts the try in the request, and keeps why it failed. For what came to kDelivered, kCopyFailed or kRequestFailed.
Next judge(archive::stored::Request& request, const Try& tried);

// Where it goes that is to be read elsewhere: send_on() of placement, with the copy that failed left out as long as another one takes its
// place.
archive::QueueId send_elsewhere(archive::stored::Request& request, archive::TapeStandings& tapes, std::int64_t day,
                                const archive::Vid& vid);

}  // namespace reclaim::drive
