#include "apps/local_door.hpp"

#include <utility>

#include "http/encode.hpp"
#include "wire/sync.hpp"

namespace reclaim::apps {

Result<WorkerName> LocalDoor::worker_of(const std::string& key) { return fleet::worker_of_key(plane_.database(), key); }

void LocalDoor::sync(const std::string& key, std::string frame, Answer answer) {
  const Result<wire::SyncRequest> request = wire::parse_sync_request(frame);
  if (!request.ok()) return answer(request.error());
  metrics_.add(http::Metric::kSyncBytesTotal, {"in"}, static_cast<double>(frame.size()));
  plane_.sync("gateway", {.key = key, .worker = ""}, request.value(),
              [&metrics = metrics_, answer = std::move(answer)](Result<wire::SyncAnswer> answered) {
                if (!answered.ok()) return answer(answered.error());
                std::string text = wire::to_json(answered.value());
                metrics.add(http::Metric::kSyncBytesTotal, {"out"}, static_cast<double>(text.size()));
                answer(std::move(text));
              });
}

Result<std::string> LocalDoor::call(const std::string& key, ports::WorkerCall call) {
  return http::to_text(http::encode(TRY(plane_.call(key, call))));
}

}  // namespace reclaim::apps
