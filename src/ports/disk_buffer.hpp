// A disk buffer: a directory that drives fill with what was asked back from tape. What it holds under a destination is whole.
//
// A delivery is begun under a name that nobody else uses, filled, and finished: its size and checksum are compared with what was promised,
// it is made durable, and then it gets its destination by a rename that never replaces anything. So whatever wakes late, an earlier epoch
// of the same drive too, destroys nothing: at worst it finds the destination taken.
//
// What callers may rely on
//  * A destination that holds the very same file counts as delivered, whoever put it there; one that holds anything else is never touched.
//  * Nothing is written outside the buffer and no link is followed, whatever the destination says and whoever plants links meanwhile.
//  * A delivery that is destroyed before finish() has succeeded leaves nothing. A crash leaves it under its own name until sweep().
//  * Between two calls of `tick` lies a bounded amount of work; where it answers an error, that ends the call, which answers it.
//
// Errors, and whom they concern
//   this copy only       kCorrupt: the bytes are not those that were promised
//   this delivery only   kConflict: the destination holds something else, or something is in its way: a file, a link, a mount point
//                        kInvalid: it is not well formed, longer than the filesystem takes, or larger than the whole buffer; or it is
//                        promised by a checksum that cannot be computed
//                        kForbidden: a directory on the way does not let this process in
//   the buffer           kTooLarge: no room is left; kUnavailable: it cannot be written
//   the writer           kFenced: a later epoch of it has swept this delivery away
//
// Who may call: any thread; a delivery belongs to the thread that began it, and does not outlive the buffer. One at a time of one request
// and epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reclaim::ports {

inline constexpr std::size_t kDeliveryRequestMax = 64;  // bytes of a request's id
inline constexpr std::size_t kDestinationMax = 4096;
inline constexpr std::size_t kDestinationPartMax = 255;  // of one component

struct Delivery {
  std::string writer;       // the drive; one path component
  std::uint64_t epoch = 0;  // of the writer
  std::string request;      // one path component, at most kDeliveryRequestMax
  std::string destination;  // relative; no component is empty or begins with a dot
  std::uint64_t size = 0;
  std::string checksum;  // adler32: and 8 hexadecimal digits in lower case
};

// Called between steps. An error ends what is being done.
using Tick = std::function<Status()>;

// One on its way.
class DeliveryFile {
 public:
  virtual ~DeliveryFile() = default;
  // kCorrupt as soon as it is more than was promised.
  virtual Status append(std::string_view bytes) = 0;
  // It is delivered, durably. Once only.
  virtual Status finish(const Tick& tick) = 0;
};

class DiskBuffer {
 public:
  virtual ~DiskBuffer() = default;
  // As people name it in messages: its path.
  virtual std::string name() const = 0;
  // Null: it is there already. kTooLarge: there is less room than it needs.
  virtual Result<std::unique_ptr<DeliveryFile>> begin(const Delivery& delivery, const Tick& tick) = 0;
  // Removes what former epochs of this writer left behind.
  virtual Status sweep(const std::string& writer, std::uint64_t epoch) = 0;
};

// What every adapter asks first: the components of the destination, or kInvalid.
Result<std::vector<std::string>> check_delivery(const Delivery& delivery);

}  // namespace reclaim::ports
