// One try to copy one file from tape to the disk buffer.
//
// Who may call: the drive's thread. A crash leaves what the buffer leaves (ports/disk_buffer.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/segments.hpp"
#include "drive/drive.hpp"

namespace reclaim::drive {

enum class Came : std::uint8_t {
  kDelivered,
  kCopyFailed,     // this copy was read to no avail: try it again, then another one
  kRequestFailed,  // no copy can help
  kTapeAway,       // the tape cannot be read any more
  kBufferFailed,   // nothing can be delivered any more, or is full
  kStopped,        // the process is to stop: the file in hand is given up
  kFenced,         // the drive's agent was collected: stop
};
std::string_view name_of(Came came);  // delivered, copy_failed

struct Try {
  Came came = Came::kDelivered;
  std::string why = {};
  std::uint64_t bytes = 0;  // read from tape; none where the buffer had the file already
};

// The request's active copy is on that tape.
Try transfer(Drive& drive, const archive::Vid& vid, const archive::RequestId& id, const archive::stored::Request& request);

}  // namespace reclaim::drive
