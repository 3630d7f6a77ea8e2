// Where segments and indexes say that requests are: the records that locate() follows and settle_forwarding() writes. For this room only.
//
// What they are asked has been decoded, so that its names are well formed and its ordinals ascend (objects.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

inline constexpr int kStepsMax = 64;  // along forwarding that nobody has settled yet

// The place of the request in requests().
std::optional<int> place_in(const stored::Segment& segment, std::uint32_t ordinal);
// The child that the request went to.
std::optional<SegmentId> forwarded_to(const stored::Segment& segment, std::uint32_t ordinal);
std::optional<SegmentId> place_of(const stored::Index& index, std::uint32_t ordinal);

// Whatever place it had before, it has this one.
void put_place(stored::Index& index, std::uint32_t ordinal, const SegmentId& segment);
// Whether there was anything to drop. Entries without ordinals go. `ordinals` ascend.
bool drop_places(stored::Index& index, std::span<const std::uint32_t> ordinals);
bool drop_forwarding(stored::Segment& segment, std::span<const std::uint32_t> ordinals);

// Reads that many at once and hands over each with its place in `ids`, of which none occurs twice.
void for_each_reading(ports::ObjectStore& store, std::span<const SegmentId> ids, std::size_t at_once,
                      const std::function<void(std::size_t, SegmentReading)>& visit);

}  // namespace reclaim::archive
