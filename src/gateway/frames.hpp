// The short frames of a standing channel: a worker with nothing new sends {"sequence":8,"as_of":123456,"same":true} and leaves out
// who it is, because an earlier frame of the channel said it.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "wire/sync.hpp"

namespace reclaim::gateway {

// What the door should get for this frame. A frame that names session, incarnation and start counter itself goes on as it is, read
// no further than these, and is what later short frames are completed from; a short one is completed from `standing` and written
// anew. Errors: those of wire::parse_sync_request for a short frame that is wrong, or when there is nothing to complete it from.
Result<std::string> complete_frame(std::string frame, std::optional<wire::Standing>& standing);

}  // namespace reclaim::gateway
