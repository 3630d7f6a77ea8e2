// What was set aside because nobody could read it (quarantine.hpp), under a name of its own:
//
//   damaged/<epoch>-<number>           the segment with that number: it never comes again
//   damaged/<VID>.<type>-<version>     the queue, as it was at that version: it may be damaged again
//
// No text is both. Its object is a stored::Damaged: why, and the bytes as they were found.
// Errors: the parser answers kInvalid with the field; decode_damaged() kCorrupt. Who may call: any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct DamagedQueue {
  QueueId queue;
  std::uint64_t version = 0;
  auto operator<=>(const DamagedQueue&) const = default;
};
using DamagedId = std::variant<SegmentId, DamagedQueue>;

ports::ObjectName damaged_name(const DamagedId& id);
// The name that it had.
ports::ObjectName former_name(const DamagedId& id);
Result<DamagedId> parse_damaged(std::string_view text, std::string field = "damaged");

std::string encode(const DamagedId& id, const stored::Damaged& damaged);
Result<stored::Damaged> decode_damaged(const DamagedId& id, std::string_view bytes);

}  // namespace reclaim::archive
