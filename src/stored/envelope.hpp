// The envelope around every stored object: magic, format, checksum, then one protobuf message.
//
//   bytes 0..3    "RCLM"
//   byte  4       the envelope's own format, 1
//   byte  5       0
//   bytes 6..7    the message's format, little endian: grows only when older code must not touch such an object
//   bytes 8..15   XXH3-64 over the object's name, a zero byte, the format and the message, little endian
//   bytes 16..    the message
//
// Fields that a newer Reclaim added are kept by protobuf and written back: an older one may rewrite the object. Whatever is not exactly
// such an envelope is kCorrupt with the reason: cut off, flipped, of another name, of a newer format, or no message at all. The checksum
// is against accidents, not against somebody who may write to the store.
// Who may call: any thread; nothing is kept.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reclaim::stored {

// `name` is the object's name in the store: bytes that turn up under another name are found out.
std::string seal(std::string_view name, std::uint16_t format, const google::protobuf::MessageLite& message);
// Reads into `message`, which is left in no particular state on failure.
Status open(std::string_view name, std::uint16_t format, std::string_view bytes, google::protobuf::MessageLite& message);
// Whole, and of a message format beyond `format`: nobody may take it for damaged.
bool is_newer(std::string_view name, std::uint16_t format, std::string_view bytes);

}  // namespace reclaim::stored
