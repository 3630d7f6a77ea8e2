// Names of the archive plane, each with its one text form. A VID, a file's id and a policy's name are one path component each, as the
// names of the fleet are (base/ids.hpp): a VID names a directory of a library. Of what is stored, and of requests:
//
//   queue      queue/<VID>.t  to transfer    queue/<VID>.r  to report    queue/<VID>.f  failed
//   segment    segment/<epoch>-<number>
//   index      index/<epoch>-<number>        of the origin with that number
//   mount      mount/<VID>
//   damaged    damaged/<epoch>-<number>      the segment with that number, set aside; of queues: damaged.hpp
//   request    <epoch>-<number>-<ordinal>    the origin it was enqueued in, and its place there
//
// What may rely on it: text of a name and back is the identity, both ways: two names are equal exactly where their texts are. Numbers are
// decimal, count from 1, have no sign and no leading zero. A VID may hold dots, so that a queue's type is what follows the last.
// Errors: the parsers answer kInvalid with the field that they were given; the message says which part is wrong and how.
// Who may call: any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "agents/agent_id.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

inline constexpr std::size_t kVidMax = 32;
inline constexpr std::size_t kCopiesMax = 16;  // of a file, so also those that a request may be read from
// Requests of one segment, so also the largest ordinal: all requests of a segment come from one enqueued origin.
inline constexpr std::uint32_t kRequestsPerSegmentMax = 2000;

using Vid = Id<struct VidTag>;  // of a tape: what stands on its label. [A-Za-z0-9][A-Za-z0-9._-]{0,31}
using FileId = Id<struct FileIdTag>;
using PolicyName = Id<struct PolicyNameTag>;

enum class QueueType : std::uint8_t { kToTransfer, kToReport, kFailed };
inline constexpr QueueType kQueueTypes[] = {QueueType::kToTransfer, QueueType::kToReport, QueueType::kFailed};
std::string_view name_of(QueueType type);  // to_transfer, to_report, failed

struct QueueId {
  Vid vid;
  QueueType type = QueueType::kToTransfer;
  auto operator<=>(const QueueId&) const = default;
};

// The epoch is that of the agent which made it, the number counts what it made.
struct SegmentId {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  auto operator<=>(const SegmentId&) const = default;
};

struct RequestId {
  SegmentId origin;
  std::uint32_t ordinal = 0;  // 1 to kRequestsPerSegmentMax
  auto operator<=>(const RequestId&) const = default;
};

// Who may own a segment. A segment: the one whose split made it, as long as the split has not committed or the flip is not done.
using Owner = std::variant<QueueId, agents::AgentId, SegmentId>;

ports::ObjectName object_name(const QueueId& queue);
ports::ObjectName object_name(const SegmentId& segment);
ports::ObjectName object_name(const Owner& owner);
ports::ObjectName index_name(const SegmentId& origin);
ports::ObjectName mount_name(const Vid& vid);
ports::ObjectName damaged_name(const SegmentId& segment);
std::string text_of(const RequestId& request);

// A VID, a file's id or a policy's name.
template <class Name>
Result<Name> parse_name(std::string_view text, std::string field) {
  if (is_well_formed_name(text)) return Name(std::string(text));
  return invalid(std::move(field), "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
}
template <>
Result<Vid> parse_name<Vid>(std::string_view text, std::string field);

Result<RequestId> parse_request_id(std::string_view text, std::string field = "id");
// These take the whole name of an object.
Result<QueueId> parse_queue_name(std::string_view text, std::string field = "queue");
Result<SegmentId> parse_segment_name(std::string_view text, std::string field = "segment");
Result<SegmentId> parse_index_name(std::string_view text, std::string field = "index");
Result<Vid> parse_mount_name(std::string_view text, std::string field = "mount");
Result<SegmentId> parse_damaged_name(std::string_view text, std::string field = "damaged");
Result<Owner> parse_owner(std::string_view text, std::string field = "owner");

}  // namespace reclaim::archive
