// The worker's way to the control plane and the gateway's way to the server: one exchange of a sync and its answer, and the four
// small calls of a worker's life.
//
// What callers may rely on
//  * The worker is the one whose key opened the link; nothing in a payload can change that (F4).
//  * exchange() that fails with kUnavailable may have been applied. The caller goes on with a higher sequence.
//  * kFenced carries in `field` what fenced: `sequence`, `session` or `lineage`.
//
// Who may call: one thread at a time per link.
#pragma once

#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "wire/sync.hpp"

namespace reclaim::ports {

class ControlLink {
 public:
  virtual ~ControlLink() = default;
  virtual Result<wire::SyncAnswer> exchange(const wire::SyncRequest& request) = 0;
  virtual Status heartbeat() = 0;
  virtual Status land() = 0;
  virtual Status retire() = 0;
  // The worker's own row as the API shows it, as JSON text.
  virtual Result<std::string> status() = 0;
};

}  // namespace reclaim::ports
