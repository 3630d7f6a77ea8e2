// Epochs: numbers of which no two agents of a store ever have the same, drawn from the root object by guarded writes.
//
// The root is made by whoever draws first. A store that has agents and no root lost it: numbers would come again, so nothing is drawn.
//
// Errors: kUnavailable: one may have been drawn, which costs nothing: draw again; kContended: too many drew at once; kCorrupt: the root
// cannot be read, is of a newer Reclaim, or is missing. A crash leaves a number that nobody has.
// Who may call: any thread.
// (Burrows, "The Chubby lock service", OSDI 2006, sequencers.)
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::agents {

Result<std::uint64_t> draw_epoch(ports::ObjectStore& store);

// From here on only epochs above `epoch` are drawn, and above any that was drawn by now plus kEpochsSkipped. Nobody else uses the store.
Status skip_epochs(ports::ObjectStore& store, std::uint64_t epoch);
inline constexpr std::uint64_t kEpochsSkipped = std::uint64_t{1} << 40U;

}  // namespace reclaim::agents
