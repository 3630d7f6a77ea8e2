// The failed queue, for its operator: requests that nobody could be told of, or that asked to tell nobody. Each stays until it is retried
// or removed.
//
// Who may call: list_failed any thread; the others the hand's thread. A crash leaves a request in the failed queue or where it went.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "archive/requests.hpp"

namespace reclaim::archive {

// By tape and segment. `after` is a page's `next`, or empty. A queue or segment that cannot be read is left out. kInvalid: `after`.
Result<RequestPage> list_failed(ports::ObjectStore& store, const std::optional<Vid>& vid, const std::string& after, std::size_t limit);

// The next round of reports begins. A delivered request is reported once more; any other waits anew, with all its copies and no attempt
// counted, under its id and creation time. kNotFound: no such request; kConflict: it has not failed, no tape can serve it, or it was set
// aside because it could not be read. Answers it as it is then.
Result<ShownRequest> retry_failed(Hand& hand, const Context& context, const RequestId& id, std::int64_t now_ms);
// kNotFound, kConflict: it has not failed. Answers it as it was.
Result<ShownRequest> remove_failed(Hand& hand, const Context& context, const RequestId& id);

}  // namespace reclaim::archive
