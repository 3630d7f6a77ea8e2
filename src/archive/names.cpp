#include "archive/names.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace reclaim::archive {
namespace {

constexpr std::string_view kQueueKind = "queue";
constexpr std::string_view kSegmentKind = "segment";
constexpr std::string_view kIndexKind = "index";
constexpr std::string_view kMountKind = "mount";
constexpr std::string_view kDamagedKind = "damaged";

char letter_of(QueueType type) {
  switch (type) {
    case QueueType::kToTransfer: return 't';
    case QueueType::kToReport: return 'r';
    case QueueType::kFailed: return 'f';
  }
  return '?';
}

std::string dashed(const SegmentId& segment) { return std::to_string(segment.epoch) + '-' + std::to_string(segment.number); }

// Reads one name from left to right or, for what follows the last of a character, from the right; keeps the first error.
class NameReader {
 public:
  NameReader(std::string_view text, std::string_view form, std::string field)
      : text_(text), rest_(text), form_(form), field_(std::move(field)) {}

  Error error(std::string_view what) const {
    constexpr std::size_t kQuotedMax = 100;
    return invalid(field_, "\"" + std::string(text_.substr(0, kQuotedMax)) + "\" is not " + std::string(form_) + ": " + std::string(what));
  }

  Status kind(std::string_view kind) {
    if (!rest_.starts_with(kind) || rest_.substr(kind.size(), 1) != "/") return error("it does not begin with " + std::string(kind) + "/");
    rest_.remove_prefix(kind.size() + 1);
    return done();
  }

  Result<std::string_view> until_first(char end) { return until(rest_.find(end), end); }
  Result<std::string_view> until_last(char end) { return until(rest_.rfind(end), end); }
  std::string_view rest() const { return rest_; }

  Result<std::uint64_t> number(std::string_view digits, std::string_view what, std::uint64_t max) const {
    const std::string name(what);
    if (digits.empty()) return error("its " + name + " is empty");
    if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return error("its " + name + " is not a decimal number");
    if (digits.front() == '0') return error("its " + name + (digits == "0" ? " is 0, they count from 1" : " has a leading zero"));
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc() || value > max) return error("its " + name + " is over " + std::to_string(max));
    return value;
  }

 private:
  Result<std::string_view> until(std::size_t at, char end) {
    if (at == std::string_view::npos) return error(std::string("it has no ") + end);
    const std::string_view part = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return part;
  }

  std::string_view text_;
  std::string_view rest_;
  std::string_view form_;
  std::string field_;
};

constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint64_t>::max();

Result<SegmentId> parse_numbered(std::string_view kind, std::string_view text, std::string_view form, std::string field) {
  NameReader reader(text, form, std::move(field));
  TRY(reader.kind(kind));
  const std::string_view epoch = TRY(reader.until_first('-'));
  SegmentId id;
  id.epoch = TRY(reader.number(epoch, "epoch", kNumberMax));
  id.number = TRY(reader.number(reader.rest(), "number", kNumberMax));
  return id;
}

}  // namespace

std::string_view name_of(QueueType type) {
  switch (type) {
    case QueueType::kToTransfer: return "to_transfer";
    case QueueType::kToReport: return "to_report";
    case QueueType::kFailed: return "failed";
  }
  return "?";
}

ports::ObjectName object_name(const QueueId& queue) { return {std::string(kQueueKind), queue.vid.str() + '.' + letter_of(queue.type)}; }
ports::ObjectName object_name(const SegmentId& segment) { return {std::string(kSegmentKind), dashed(segment)}; }
ports::ObjectName object_name(const Owner& owner) {
  if (const auto* agent = std::get_if<agents::AgentId>(&owner)) return agent->object();
  if (const auto* queue = std::get_if<QueueId>(&owner)) return object_name(*queue);
  return object_name(std::get<SegmentId>(owner));
}
ports::ObjectName index_name(const SegmentId& origin) { return {std::string(kIndexKind), dashed(origin)}; }
ports::ObjectName mount_name(const Vid& vid) { return {std::string(kMountKind), vid.str()}; }
ports::ObjectName damaged_name(const SegmentId& segment) { return {std::string(kDamagedKind), dashed(segment)}; }
std::string text_of(const RequestId& request) { return dashed(request.origin) + '-' + std::to_string(request.ordinal); }

template <>
Result<Vid> parse_name<Vid>(std::string_view text, std::string field) {
  if (text.size() <= kVidMax && is_well_formed_name(text)) return Vid(std::string(text));
  return invalid(std::move(field), "must match [A-Za-z0-9][A-Za-z0-9._-]{0,31}");
}

Result<RequestId> parse_request_id(std::string_view text, std::string field) {
  NameReader reader(text, "the id of a request, EPOCH-NUMBER-ORDINAL", std::move(field));
  const std::string_view epoch = TRY(reader.until_first('-'));
  const std::string_view number = TRY(reader.until_first('-'));
  SegmentId origin;
  origin.epoch = TRY(reader.number(epoch, "epoch", kNumberMax));
  origin.number = TRY(reader.number(number, "number", kNumberMax));
  const std::uint64_t ordinal = TRY(reader.number(reader.rest(), "ordinal", kRequestsPerSegmentMax));
  return RequestId{.origin = origin, .ordinal = static_cast<std::uint32_t>(ordinal)};
}

Result<QueueId> parse_queue_name(std::string_view text, std::string field) {
  NameReader reader(text, "the name of a queue, queue/VID.t, .r or .f", std::move(field));
  TRY(reader.kind(kQueueKind));
  const std::string_view vid = TRY(reader.until_last('.'));
  const Result<Vid> parsed = parse_name<Vid>(vid, "");
  if (!parsed.ok()) return reader.error("its VID " + parsed.error().message);
  for (const QueueType type : kQueueTypes) {
    if (reader.rest().size() == 1 && reader.rest().front() == letter_of(type)) return QueueId{.vid = parsed.value(), .type = type};
  }
  return reader.error("its type is none of t, r and f");
}

Result<SegmentId> parse_segment_name(std::string_view text, std::string field) {
  return parse_numbered(kSegmentKind, text, "the name of a segment, segment/EPOCH-NUMBER", std::move(field));
}

Result<SegmentId> parse_index_name(std::string_view text, std::string field) {
  return parse_numbered(kIndexKind, text, "the name of an index, index/EPOCH-NUMBER", std::move(field));
}

Result<Vid> parse_mount_name(std::string_view text, std::string field) {
  NameReader reader(text, "the name of a mount, mount/VID", std::move(field));
  TRY(reader.kind(kMountKind));
  Result<Vid> parsed = parse_name<Vid>(reader.rest(), "");
  if (!parsed.ok()) return reader.error("its VID " + parsed.error().message);
  return parsed;
}

Result<SegmentId> parse_damaged_name(std::string_view text, std::string field) {
  return parse_numbered(kDamagedKind, text, "the name of what was set aside, damaged/EPOCH-NUMBER", std::move(field));
}

Result<Owner> parse_owner(std::string_view text, std::string field) {
  const std::string_view kind = text.substr(0, text.find('/'));
  if (kind == kQueueKind) return Owner(TRY(parse_queue_name(text, std::move(field))));
  if (kind == agents::kAgentKind) {
    const Result<agents::AgentId> agent = agents::parse_agent(text);
    if (!agent.ok()) return invalid(std::move(field), agent.error().message);
    return Owner(agent.value());
  }
  if (kind == kSegmentKind) return Owner(TRY(parse_segment_name(text, std::move(field))));
  return NameReader(text, "the name of an owner", std::move(field)).error("it is neither a queue nor an agent nor a segment");
}

}  // namespace reclaim::archive
