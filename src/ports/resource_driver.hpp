// What holds resources of one kind on a worker: a container runtime's root, or a directory of volumes. One driver, one root.
//
// What callers may rely on
//  * list() is complete or it fails: a resource that cannot be read is listed with `error`, never left out. Names that are not
//    handles are listed as they are; the caller reports them as malformed and never destroys them. What it asks others for has a
//    deadline of its own (kListTimeout), at which they are killed and the list fails; a call that the kernel holds may take longer.
//  * destroy() of what is gone is success. When it returns, in any way, nothing that it started can still act on the handle: its
//    child processes are reaped, its system calls have returned. A `deadline` asks it to give up; it may return later than that
//    when the kernel holds it, and the order stays in hand until then.
//  * Nothing outside the root is touched, links are never followed, and a handle is one path component.
//
// Who may call: list() from one thread at a time, beside destroy() of different handles from many. A crash in destroy() leaves the
// resource whole or half gone, and listed until nothing is left of it.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::ports {

// For the programs that a driver asks for its list.
inline constexpr Millis kListTimeout{60'000};

struct Listed {
  std::string name;
  std::string error = {};  // why it could not be read, or empty
};

class ResourceDriver {
 public:
  virtual ~ResourceDriver() = default;
  virtual ResourceKind kind() const = 0;
  // The root as people name it in messages: `dir:/srv/volumes`.
  virtual std::string name() const = 0;
  virtual Result<std::vector<Listed>> list() = 0;
  virtual Status destroy(const Handle& handle, Instant deadline) = 0;
};

}  // namespace reclaim::ports
