#include "apps/local_door.hpp"

#include <utility>

#include "http/encode.hpp"

namespace reclaim::apps {

Result<WorkerName> LocalDoor::worker_of(const std::string& key) { return fleet::worker_of_key(plane_.database(), key); }

void LocalDoor::sync(const std::string& key, std::string frame, Answer answer) {
  syncs_.take("gateway", {.key = key, .worker = ""}, std::move(frame), std::move(answer));
}

Result<std::string> LocalDoor::call(const std::string& key, ports::WorkerCall call) {
  return http::to_text(http::encode(TRY(plane_.call(key, call))));
}

}  // namespace reclaim::apps
