// Queues: what waits on which tape.
#include "archive/queue_list.hpp"

#include "http/archive_codec.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

Answered encode(const archive::QueueCleanup& cleanup) {
  Answered json;
  json["requested"] = cleanup.requested;
  for (const char* field : {"agent", "epoch", "since", "done", "left"}) json[field] = nullptr;
  if (!cleanup.cleaner) return json;
  json["agent"] = cleanup.cleaner->agent.name;
  json["epoch"] = cleanup.cleaner->agent.epoch;
  json["since"] = to_rfc3339(cleanup.cleaner->since);
  json["done"] = cleanup.cleaner->done;
  json["left"] = cleanup.cleaner->left;
  return json;
}

Answered encode(const archive::ListedQueue& queue, WallTime now) {
  const std::optional<WallTime>& oldest = queue.figures.oldest;
  Answered json;
  json["vid"] = queue.id.vid.str();
  json["type"] = name_of(queue.id.type);
  json["requests"] = queue.figures.requests;
  json["bytes"] = queue.figures.bytes;
  json["oldest_s"] = oldest ? Answered(std::max<std::int64_t>((now - *oldest).count() / 1000, 0)) : Answered();
  json["cleanup"] = queue.cleanup ? encode(*queue.cleanup) : Answered();
  json["problem"] = queue.problem.empty() ? Answered() : Answered(queue.problem);
  return json;
}

std::optional<archive::QueueType> read_type(QueryReader& query) {
  const std::optional<std::string> text = query.text("type");
  if (!text) return std::nullopt;
  for (const archive::QueueType type : archive::kQueueTypes) {
    if (*text == name_of(type)) return type;
  }
  query.fail(invalid("type", "must be to_transfer, to_report or failed"));
  return std::nullopt;
}

Result<Reply> list_queues(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::optional<std::string> vid = query.text("vid");
  archive::QueueFilter filter{.type = read_type(query), .cleanup = query.boolean("cleanup")};
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  if (vid) filter.vid = TRY(archive::parse_name<archive::Vid>(*vid, "vid"));
  const archive::Context context = archive_context_of(parts, request);
  const std::size_t one_more = static_cast<std::size_t>(limit) + 1;
  return list_reply(
      "queues", TRY(archive::list_queues(context, parts.archive.store(), filter, after, one_more)), limit,
      [&](const archive::ListedQueue& queue) { return encode(queue, context.wall); },
      [](const archive::ListedQueue& queue) { return queue.key(); });
}

}  // namespace

void add_queue_routes(Routes& routes, const ApiParts& parts) {
  routes.add("GET", "/api/v1/queues", server::Need::kRead, [&parts](const Request& request) { return list_queues(parts, request); });
}

}  // namespace reclaim::http
