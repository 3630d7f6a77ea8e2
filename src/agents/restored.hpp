// A store that was put back from a copy. The processes of its agents are gone, or belong to a history that the copy has not heard of.
//
// Errors: those of draw_epoch(). Who may call: one that has the store for itself. A crash leaves part of it done; it may be done again.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::agents {

// Makes every agent in it dead for everybody and at once, by removing its beat (takeover.hpp): whoever comes first collects them, without
// waiting. Epochs go on above `epoch` (epochs.hpp), so that no agent, and no name that is drawn under its epoch, comes a second time.
Status begin_anew(ports::ObjectStore& store, std::uint64_t epoch);

}  // namespace reclaim::agents
