#include "sim/teller.hpp"

#include <sstream>
#include <utility>

namespace reclaim::sim {

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> list;
  for (std::string word; in >> word;) list.push_back(word);
  return list;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Teller::Teller(FleetWorld& world, std::string worker, std::int64_t started)
    : world_(world), worker_(std::move(worker)), started_(started) {}

wire::SyncRequest Teller::frame(std::string_view containers, std::string_view volumes) {
  wire::SyncRequest request{.session = "session-" + worker_ + "-" + std::to_string(started_),
                            .incarnation = "incarnation-" + worker_,
                            .started = started_,
                            .sequence = ++sequence,
                            .as_of = high_water};
  request.inventories.containers = wire::Inventory{.added = words(containers)};
  request.inventories.volumes = wire::Inventory{.added = words(volumes)};
  return request;
}

wire::SyncAnswer Teller::tell(const wire::SyncRequest& request) {
  wire::SyncAnswer answer = must(send(request)).answer;
  high_water = answer.high_water;
  return answer;
}

Result<fleet::SyncOutcome> Teller::send(const wire::SyncRequest& request) {
  return fleet::sync(world_.context("worker:" + worker_), {.key = "", .worker = worker_}, request);
}

wire::DestroyResult destroyed(ResourceKind kind, const std::string& handle) { return {.kind = kind, .handle = handle, .succeeded = true}; }

wire::DestroyResult failed(ResourceKind kind, const std::string& handle, const std::string& error) {
  return {.kind = kind, .handle = handle, .error = error};
}

}  // namespace reclaim::sim
