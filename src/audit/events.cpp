#include "audit/events.hpp"

#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::audit {
namespace {

void put(wire::Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

wire::Json to_json(const Event& event) {
  wire::Json json = wire::Json::object();
  json["action"] = event.action;
  if (event.kind) json["kind"] = static_cast<int>(*event.kind);
  put(json, "worker", event.worker);
  put(json, "handle", event.handle);
  put(json, "owner", event.owner);
  put(json, "from", event.from);
  put(json, "to", event.to);
  put(json, "reason", event.reason);
  put(json, "tape", event.tape);
  put(json, "file", event.file);
  put(json, "policy", event.policy);
  put(json, "drive", event.drive);
  return json;
}

RecordedEvent from_row(const ports::Row& row) {
  RecordedEvent recorded{.seq = row.integer(0), .at = {row.integer(1)}, .actor = row.text(2), .event = {.action = row.text(3)}};
  recorded.event.worker = row.text_or(4, "");
  if (!row.is_null(5)) recorded.event.kind = static_cast<ResourceKind>(row.integer(5));
  recorded.event.handle = row.text_or(6, "");
  recorded.event.owner = row.text_or(7, "");
  recorded.event.from = row.text_or(8, "");
  recorded.event.to = row.text_or(9, "");
  recorded.event.reason = row.text_or(10, "");
  recorded.event.tape = row.text_or(11, "");
  recorded.event.file = row.text_or(12, "");
  recorded.event.policy = row.text_or(13, "");
  recorded.event.drive = row.text_or(14, "");
  return recorded;
}

}  // namespace

Status append_events(ports::Transaction& transaction, WallTime at, const std::string& actor, const std::vector<Event>& events) {
  if (events.empty()) return done();
  wire::Json list = wire::Json::array();
  for (const Event& event : events) list.push_back(to_json(event));
  TRY(transaction.run(sql::events_turn, ports::Values{}));
  TRY(transaction.run(sql::events_append, {at.ms, actor, wire::to_text(list)}));
  return done();
}

Result<std::vector<RecordedEvent>> read_events(ports::Database& database, std::int64_t after, std::int64_t limit) {
  const ports::Rows rows = TRY(database.run(sql::events_after, {after, limit}));
  std::vector<RecordedEvent> events;
  events.reserve(rows.size());
  for (const ports::Row& row : rows) events.push_back(from_row(row));
  return events;
}

Result<std::int64_t> trim_events(ports::Database& database, WallTime before, std::int64_t count_max, std::int64_t slice) {
  const ports::Rows rows = TRY(database.run(sql::events_trim, {before.ms, count_max, slice}));
  return rows.changed;
}

}  // namespace reclaim::audit
