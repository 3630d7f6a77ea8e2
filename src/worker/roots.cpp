#include "worker/roots.hpp"

#include <algorithm>

#include "wire/json.hpp"

namespace reclaim::worker {
namespace {

constexpr std::int64_t kStartedMax = 9'007'199'254'740'990;

}  // namespace

Result<Marker> parse_marker(std::string_view text) {
  auto json = wire::parse_json(text);
  if (!json.ok()) return corrupt("the marker is not JSON: " + json.error().message);
  if (!json.value().is_object()) return corrupt("the marker is not a JSON object");
  wire::ObjectReader reader(json.value(), "marker");
  Marker marker{reader.required_text("incarnation", 64), reader.required_integer("started", 0, kStartedMax),
                reader.texts("roots", kRootsMax)};
  const Status read = reader.finish();
  if (!read.ok()) return corrupt("the marker is damaged: " + read.error().field + " " + read.error().message);
  if (marker.incarnation.empty()) return corrupt("the marker is damaged: it names no incarnation");
  return marker;
}

std::string to_text(const Marker& marker) {
  wire::Json json{{"incarnation", marker.incarnation}, {"started", marker.started}};
  if (!marker.roots.empty()) json["roots"] = marker.roots;
  return wire::to_text(json) + "\n";
}

Result<Marker> next_marker(const std::vector<RootMarker>& roots, Random& random) {
  const RootMarker* first = nullptr;
  Marker next;
  for (const RootMarker& root : roots) {
    if (!root.marker) continue;
    if (first == nullptr) first = &root;
    if (root.marker->incarnation != first->marker->incarnation) {
      return conflict("the roots " + first->root + " and " + root.root +
                      " belong to different incarnations of a worker: their .reclaim/marker files disagree. Give the worker only roots of "
                      "one machine, or remove the marker of the root that shall join the others");
    }
    next.started = std::max(next.started, root.marker->started);
    next.roots.insert(next.roots.end(), root.marker->roots.begin(), root.marker->roots.end());
  }
  next.incarnation = first != nullptr ? first->marker->incarnation : make_uuid(random);
  ++next.started;
  std::ranges::sort(next.roots);
  next.roots.erase(std::unique(next.roots.begin(), next.roots.end()), next.roots.end());
  return next;
}

}  // namespace reclaim::worker
