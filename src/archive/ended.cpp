#include "archive/ended.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "archive/ledger.hpp"
#include "audit/events.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;

constexpr Ending kEndings[] = {Ending::kDone, Ending::kCancelled, Ending::kRemoved};

// Columns hold text.
std::string to_base64(const std::string& bytes) {
  check(bytes.size() <= ports::kObjectBytesMax, "a request is smaller than its segment");
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a final zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> from_base64(const std::string& text) {
  if (text.size() > 2 * ports::kObjectBytesMax || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::optional<Ending> ending_of(const std::string& name) {
  const auto* found = std::ranges::find(kEndings, name, [](Ending ending) { return name_of(ending); });
  return found == std::end(kEndings) ? std::nullopt : std::optional(*found);
}

Result<EndedRequest> parse_ended(const ports::Row& row) {
  const auto damaged = [&](const char* what) { return corrupt("what is recorded of request " + row.text(0) + ": " + what); };
  Result<RequestId> id = parse_request_id(row.text(0));
  const std::optional<Ending> how = ending_of(row.text(1));
  const std::optional<std::string> bytes = from_base64(row.text(3));
  EndedRequest found;
  if (!id.ok() || !how) return damaged("this version does not know its id or how it ended");
  if (!bytes || !found.ended.request.ParseFromString(*bytes)) return damaged("its content cannot be read");
  found.ended.id = std::move(id).value();
  found.ended.how = *how;
  found.ended.reported = row.integer(2) != 0;
  found.at = {row.integer(4)};
  return found;
}

// Decisions of people are told; what was served is counted.
std::vector<audit::Event> events_of(const std::map<std::string, const Ended*>& recorded) {
  std::vector<audit::Event> events;
  for (const auto& [id, ended] : recorded) {
    if (ended->how == Ending::kDone) continue;
    events.push_back({.action = "retrieve-" + std::string(name_of(ended->how)), .reason = "request " + id, .file = ended->request.file()});
  }
  return events;
}

Status record(Transaction& transaction, const Context& context, const std::map<std::string, const Ended*>& ended) {
  wire::Json list = wire::Json::array();
  for (const auto& [id, one] : ended) {
    list.push_back({{"id", id},
                    {"how", name_of(one->how)},
                    {"reported", one->reported ? 1 : 0},
                    {"request", to_base64(one->request.SerializeAsString())}});
  }
  const ports::Rows inserted = TRY(transaction.run(sql::ended_insert, {wire::to_text(list), context.wall.ms}));
  if (inserted.empty()) return done();
  std::map<std::string, const Ended*> recorded;
  std::map<Ending, std::int64_t> counts;
  Origins highest;
  for (const ports::Row& row : inserted) {
    const Ended* one = ended.at(row.text(0));
    recorded.emplace(row.text(0), one);
    ++counts[one->how];
    raise(highest, one->id);
  }
  TRY(transaction.run(sql::ended_count, {counts[Ending::kDone], counts[Ending::kCancelled], counts[Ending::kRemoved],
                                         static_cast<std::int64_t>(inserted.size())}));
  TRY(raise_origins(transaction, context.wall, highest));
  return audit::append_events(transaction, context.wall, context.actor, events_of(recorded));
}

}  // namespace

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::kDone: return "done";
    case Ending::kCancelled: return "cancelled";
    case Ending::kRemoved: return "removed";
  }
  check(false, "unknown ending");
  return "";
}

Status record_ended(const Context& context, std::span<const Ended> ended) {
  if (ended.empty()) return done();
  std::map<std::string, const Ended*> by_id;  // in one order, so that two who record the same do not deadlock
  for (const Ended& one : ended) by_id.emplace(text_of(one.id), &one);
  return ports::transact(context.database, ports::Access::kWrite,
                         [&](Transaction& transaction) -> Status { return record(transaction, context, by_id); });
}

Result<std::vector<std::optional<EndedRequest>>> find_ended(const Context& context, std::span<const RequestId> ids) {
  wire::Json list = wire::Json::array();
  for (const RequestId& id : ids) list.push_back(text_of(id));
  std::map<RequestId, EndedRequest> there;
  for (const ports::Row& row : TRY(context.database.run(sql::ended_find, {wire::to_text(list)}))) {
    EndedRequest one = TRY(parse_ended(row));
    const RequestId id = one.ended.id;
    there.emplace(id, std::move(one));
  }
  std::vector<std::optional<EndedRequest>> found;
  found.reserve(ids.size());
  for (const RequestId& id : ids) {
    const auto one = there.find(id);
    found.push_back(one == there.end() ? std::nullopt : std::optional(one->second));
  }
  return found;
}

Result<std::vector<EndedRequest>> list_ended(const Context& context, const std::string& after, std::int64_t limit) {
  std::vector<EndedRequest> list;
  for (const ports::Row& row : TRY(context.database.run(sql::ended_list, {after, limit}))) list.push_back(TRY(parse_ended(row)));
  return list;
}

Result<std::int64_t> prune_ended(const Context& context, WallTime before, std::int64_t most, std::int64_t budget) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<std::int64_t> {
    const ports::Rows kept = TRY(transaction.run(sql::ended_kept_lock, ports::Values{}));
    const std::int64_t over = std::clamp<std::int64_t>(kept[0].integer(0) - most, 0, budget);
    const std::int64_t pruned = TRY(transaction.run(sql::ended_prune, {before.ms, over, budget})).changed;
    if (pruned > 0) TRY(transaction.run(sql::ended_count, {0, 0, 0, -pruned}));
    return pruned;
  });
}

Result<EndedCounts> count_ended(const Context& context) {
  const ports::Rows rows = TRY(context.database.run(sql::ended_counts, ports::Values{}));
  if (rows.empty()) return corrupt("the counts of ended requests are missing");
  return EndedCounts{.done = rows[0].integer(0), .cancelled = rows[0].integer(1), .removed = rows[0].integer(2)};
}

}  // namespace reclaim::archive
