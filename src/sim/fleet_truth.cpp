#include "sim/fleet_truth.hpp"

#include <algorithm>

namespace reclaim::sim {

std::string ThingName::str() const { return std::string(name_of(kind)) + " " + handle + " of " + worker; }

bool FleetTruth::is_live(const std::string& owner) const {
  const auto found = owners.find(owner);
  if (found == owners.end() || found->second.is_release_asked) return false;
  const ClientOwner& one = found->second;
  return one.ttl_ms == 0 || now_ms < one.put_ms + one.ttl_ms - tolerance_ms;
}

bool FleetTruth::is_released(const std::string& owner) const {
  const auto found = owners.find(owner);
  return found != owners.end() && found->second.is_release_asked;
}

bool FleetTruth::is_wanted(const Thing& thing) const {
  if (thing.is_gone || thing.is_unsure || thing.stage != Thing::Stage::kConfirmed) return false;
  if (thing.is_pinned) return true;
  const bool is_owned = !thing.owners.empty() && std::ranges::all_of(thing.owners, [this](const std::string& id) { return is_live(id); });
  const bool is_touched = thing.touched_ms > 0 && now_ms < thing.touched_ms + touch_grace_ms - tolerance_ms;
  if (!thing.is_end_asked && (is_owned || is_touched)) return true;
  if (thing.name.kind == ResourceKind::kContainer) return false;
  // A volume is there for its container, and for what stands on it.
  const Thing* container = thing.container.empty() ? nullptr : find({thing.name.worker, ResourceKind::kContainer, thing.container});
  if (!thing.is_end_asked && container != nullptr && is_wanted(*container)) return true;
  return std::ranges::any_of(things, [&](const auto& entry) {
    const Thing& other = entry.second;
    return other.name.worker == thing.name.worker && other.parent == thing.name.handle && is_wanted(other);
  });
}

bool FleetTruth::may_stay(const Thing& thing) const {
  if (thing.is_gone) return false;
  if (thing.is_unsure || thing.is_pinned || is_wanted(thing)) return true;
  if (!thing.is_end_asked && std::ranges::any_of(thing.owners, [this](const std::string& id) { return is_live(id); })) return true;
  if (thing.name.kind == ResourceKind::kContainer) return false;
  const Thing* container = thing.container.empty() ? nullptr : find({thing.name.worker, ResourceKind::kContainer, thing.container});
  if (!thing.is_end_asked && container != nullptr && may_stay(*container)) return true;
  return std::ranges::any_of(things, [&](const auto& entry) {
    const Thing& other = entry.second;
    return other.name.worker == thing.name.worker && other.parent == thing.name.handle && may_stay(other);
  });
}

void FleetTruth::gone(const ThingName& name) {
  if (const auto found = things.find(name); found != things.end()) found->second.is_gone = true;
}

void FleetTruth::marked(const ThingName& name) {
  const auto found = things.find(name);
  if (found == things.end() || name.kind != ResourceKind::kVolume) return;
  const bool is_container_lost = lost.contains({name.worker, ResourceKind::kContainer, found->second.container});
  const bool is_child_lost = std::ranges::any_of(lost, [&](const ThingName& other) {
    const Thing* child = other.worker == name.worker && other.kind == ResourceKind::kVolume ? find(other) : nullptr;
    return child != nullptr && child->parent == name.handle;
  });
  if (is_container_lost || is_child_lost) found->second.is_unsure = true;
}

void FleetTruth::all_gone(const std::string& worker) {
  for (auto& [name, thing] : things) {
    const bool was_made = thing.stage == Thing::Stage::kMade || thing.stage == Thing::Stage::kConfirmed;
    if (name.worker == worker && was_made) thing.is_gone = true;
  }
}

const Thing* FleetTruth::find(const ThingName& name) const {
  const auto found = things.find(name);
  return found == things.end() ? nullptr : &found->second;
}

}  // namespace reclaim::sim
