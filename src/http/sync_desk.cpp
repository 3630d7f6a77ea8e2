#include "http/sync_desk.hpp"

#include <memory>
#include <utility>

#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

void count_inventories(Metrics& metrics, const wire::SyncRequest& request) {
  for (const ResourceKind kind : kResourceKinds) {
    const std::optional<wire::Inventory>& inventory = request.inventories[kind];
    if (inventory) metrics.add(Metric::kInventoriesTotal, {inventory->base ? "delta" : "full"});
  }
}

}  // namespace

SyncDesk::SyncDesk(server::ControlPlane& plane, Metrics& metrics, const Clock& clock, const runtime::Lane::Limits& large)
    : plane_(plane), metrics_(metrics), lane_(clock, large) {}

void SyncDesk::take(const std::string& actor, const fleet::SyncCaller& caller, std::string text, Answer answer) {
  metrics_.add(Metric::kSyncBytesTotal, {"in"}, static_cast<double>(text.size()));
  if (text.size() <= kLargeSyncBytes) return read(actor, caller, text, answer);
  const std::size_t bytes = text.size();
  lane_.submit(
      bytes, [this, actor, caller, held = std::make_shared<std::string>(std::move(text)), answer = std::move(answer)](const Status& turn) {
        if (!turn.ok()) return answer(turn.error());
        read(actor, caller, *held, answer);
      });
}

void SyncDesk::read(const std::string& actor, const fleet::SyncCaller& caller, const std::string& text, const Answer& answer) {
  const Result<wire::SyncRequest> request = wire::parse_sync_request(text);
  if (!request.ok()) return answer(request.error());
  count_inventories(metrics_, request.value());
  plane_.sync(actor, caller, request.value(), [&metrics = metrics_, answer](Result<wire::SyncAnswer> answered) {
    if (!answered.ok()) return answer(answered.error());
    std::string json = wire::to_json(answered.value());
    metrics.add(Metric::kSyncBytesTotal, {"out"}, static_cast<double>(json.size()));
    answer(std::move(json));
  });
}

}  // namespace reclaim::http
