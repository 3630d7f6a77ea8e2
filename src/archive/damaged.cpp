#include "archive/damaged.hpp"

#include <charconv>
#include <utility>

#include "stored/envelope.hpp"

namespace reclaim::archive {
namespace {

constexpr std::string_view kDamaged = "damaged/";

// Written as std::to_string() writes it: anything else is another text.
Result<std::uint64_t> parse_version(std::string_view digits) {
  std::uint64_t version = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (failure != std::errc() || version == 0 || std::to_string(version) != digits) return invalid("version", "is none");
  return version;
}

Result<DamagedQueue> parse_queue_and_version(std::string_view key) {
  const std::size_t dash = key.rfind('-');
  if (dash == std::string_view::npos) return invalid("version", "is not there");
  QueueId queue = TRY(parse_queue_name("queue/" + std::string(key.substr(0, dash))));
  const std::uint64_t version = TRY(parse_version(key.substr(dash + 1)));
  return DamagedQueue{.queue = std::move(queue), .version = version};
}

}  // namespace

ports::ObjectName damaged_name(const DamagedId& id) {
  if (const auto* segment = std::get_if<SegmentId>(&id)) return damaged_name(*segment);
  const auto& queue = std::get<DamagedQueue>(id);
  return {"damaged", object_name(queue.queue).key + '-' + std::to_string(queue.version)};
}

ports::ObjectName former_name(const DamagedId& id) {
  if (const auto* segment = std::get_if<SegmentId>(&id)) return object_name(*segment);
  return object_name(std::get<DamagedQueue>(id).queue);
}

Result<DamagedId> parse_damaged(std::string_view text, std::string field) {
  const Result<SegmentId> segment = parse_damaged_name(text, std::move(field));
  if (segment.ok()) return DamagedId(segment.value());
  if (!text.starts_with(kDamaged)) return segment.error();
  const Result<DamagedQueue> queue = parse_queue_and_version(text.substr(kDamaged.size()));
  if (queue.ok()) return DamagedId(queue.value());
  return segment.error();
}

std::string encode(const DamagedId& id, const stored::Damaged& damaged) {
  return reclaim::stored::seal(damaged_name(id).str(), kObjectsFormat, damaged);
}

Result<stored::Damaged> decode_damaged(const DamagedId& id, std::string_view bytes) {
  stored::Damaged damaged;
  TRY(reclaim::stored::open(damaged_name(id).str(), kObjectsFormat, bytes, damaged));
  return damaged;
}

}  // namespace reclaim::archive
