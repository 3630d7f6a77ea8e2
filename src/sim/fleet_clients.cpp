#include "sim/fleet_clients.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::sim {
namespace {

using Stage = Thing::Stage;

constexpr std::ptrdiff_t kOwnersLeast = 3;  // that live, before one is released
constexpr std::size_t kOwnersMost = 24;
constexpr std::size_t kThingsMost = 40;
constexpr std::uint32_t kReusePermille = 250;

bool is_open(const Error& error) { return error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended; }

template <class T>
const Error* error_of(const Result<T>& result) {
  return result.ok() ? nullptr : &result.error();
}

}  // namespace

void FleetClients::act() {
  switch (scene_.run.dice.below(12)) {
    case 0: return put_owner();
    case 1: return scene_.run.dice.happens(500) ? renew_owner() : release_owner();
    case 2:
    case 3:
    case 4: return record();
    case 5: return release_owner();
    case 6: return scene_.run.dice.happens(400) ? destroy_by_name() : make();
    case 7: return scene_.run.dice.happens(500) ? pin() : touch();
    case 8: return own();
    default: return make();
  }
}

bool FleetClients::tell(const std::string& what, const Error* error) {
  scene_.say("client", what + (error == nullptr ? "" : ": " + error->message));
  return error == nullptr || !is_open(*error);
}

fleet::ResourceName FleetClients::name_of(const Thing& thing) const {
  return {WorkerName(thing.name.worker), thing.name.kind, Handle(thing.name.handle)};
}

std::string FleetClients::any_owner() {
  std::vector<std::string> live;
  for (const auto& [id, owner] : scene_.truth.owners) {
    if (scene_.truth.is_live(id)) live.push_back(id);
  }
  return live.empty() ? "" : live[scene_.run.dice.below(live.size())];
}

Thing* FleetClients::any_thing() {
  std::vector<Thing*> some;
  for (auto& [name, thing] : scene_.truth.things) {
    if (thing.stage == Stage::kConfirmed && !thing.is_end_asked && !thing.is_unsure && !thing.is_gone) some.push_back(&thing);
  }
  return some.empty() ? nullptr : some[scene_.run.dice.below(some.size())];
}

void FleetClients::put_owner() {
  if (scene_.truth.owners.size() >= kOwnersMost) return;
  const std::string id = "build-" + std::to_string(++drawn_);
  const std::int64_t ttl = scene_.run.dice.happens(400) ? scene_.run.dice.between(20'000, 120'000) : 0;
  fleet::OwnerSpec spec{.id = OwnerId(id), .kind = "build", .interruptible = scene_.run.dice.happens(500)};
  if (ttl > 0) spec.ttl = Millis(ttl);
  scene_.truth.owners[id] = {.put_ms = scene_.truth.now_ms, .ttl_ms = ttl};
  const auto put = scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::put_owner(context, spec); });
  const bool is_known = tell("owner " + id + (ttl > 0 ? " for " + std::to_string(ttl / 1000) + "s" : ""), error_of(put));
  if (put.ok() && is_known) return;
  // Nothing is given to an owner that may not be there.
  scene_.truth.owners[id].is_release_asked = true;
}

void FleetClients::renew_owner() {
  const std::string id = any_owner();
  if (id.empty()) return;
  ClientOwner& owner = scene_.truth.owners[id];
  const std::int64_t ttl = scene_.run.dice.between(20'000, 120'000);
  const auto put = scene_.ask("token:ci", [&](const fleet::Context& context) {
    return fleet::put_owner(context, {.id = OwnerId(id), .kind = "build", .ttl = Millis(ttl), .interruptible = true});
  });
  (void)tell("renews " + id + " for " + std::to_string(ttl / 1000) + "s", error_of(put));
  const bool was_endless = owner.ttl_ms == 0;
  const std::int64_t before = owner.put_ms + owner.ttl_ms;
  if (!put.ok() && !is_open(put.error())) return;
  // Heard or not: whichever lease ends earlier.
  const bool counts = put.ok() || was_endless || scene_.truth.now_ms + ttl < before;
  if (counts) owner = {.put_ms = scene_.truth.now_ms, .ttl_ms = ttl};
  owner.is_lease_unsure = !put.ok();
}

void FleetClients::release_owner() {
  const auto live = std::ranges::count_if(scene_.truth.owners, [this](const auto& owner) { return scene_.truth.is_live(owner.first); });
  if (live < kOwnersLeast) return put_owner();
  const std::string id = any_owner();
  const Millis keep(scene_.run.dice.happens(300) ? 10'000 : 0);
  scene_.truth.owners[id].is_release_asked = true;
  const auto released =
      scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::release_owner(context, OwnerId(id), keep); });
  (void)tell("releases " + id, error_of(released));
}

void FleetClients::link_volume(Thing& thing) {
  for (const auto& [name, other] : scene_.truth.things) {
    if (name.worker != thing.name.worker || other.stage != Stage::kConfirmed || other.is_end_asked || other.is_gone ||
        !scene_.run.dice.happens(400))
      continue;
    (name.kind == ResourceKind::kVolume ? thing.parent : thing.container) = name.handle;
    return;
  }
}

void FleetClients::record() {
  if (making_.size() >= kThingsMost / 4 || scene_.truth.things.size() >= kThingsMost) return;
  const std::vector<std::string> workers = crew_.names();
  const ResourceKind kind = kResourceKinds[scene_.run.dice.below(2)];
  Thing thing{.name = {workers[scene_.run.dice.below(workers.size())], kind,
                       (kind == ResourceKind::kVolume ? "v" : "c") + std::to_string(++drawn_)}};
  // A handle whose last bearer is over may come again: but not where the database may forget (docs/crash-safety.md).
  for (const auto& [name, former] : scene_.truth.things) {
    const bool is_over = former.is_end_asked || former.owners.empty() || !scene_.truth.is_live(former.owners.front());
    const bool may_come = is_over && !former.is_pinned && former.stage == Stage::kConfirmed && name.kind == kind;
    if (!may_come || scene_.faults.has(FaultKind::kRestore) || !scene_.run.dice.happens(kReusePermille)) continue;
    thing.name = name;
    break;
  }
  if (const std::string owner = any_owner(); !owner.empty()) thing.owners = {owner};
  if (thing.name.kind == ResourceKind::kVolume && scene_.run.dice.happens(600)) link_volume(thing);
  fleet::ResourceSpec spec{.name = name_of(thing)};
  if (!thing.owners.empty()) spec.owner = OwnerId(thing.owners.front());
  if (!thing.container.empty()) spec.container = Handle(thing.container);
  if (!thing.parent.empty()) spec.parent = Handle(thing.parent);
  const auto recorded = scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::register_resource(context, spec); });
  const std::string needed = thing.parent + thing.container;
  const bool is_known = tell(
      "records " + thing.name.str() + (spec.owner ? " for " + spec.owner->str() : "") + (needed.empty() ? "" : ", that needs " + needed),
      error_of(recorded));
  if (!recorded.ok() && is_known) return;
  // Nobody makes what may not be recorded. If it was, the last bearer's row is over, and this one's ends at its creating deadline.
  if (const auto former = scene_.truth.things.find(thing.name); !recorded.ok() && former != scene_.truth.things.end()) {
    former->second.is_unsure = true;
    return;
  }
  // The last bearer may be creating still, where an answer was lost: that is another's.
  if (recorded.ok() && !recorded.value().created) return;
  if (recorded.ok()) thing.stage = Stage::kRecorded;
  thing.recorded_ms = scene_.truth.now_ms;
  // Whatever stood on the last bearer does not stand on this one.
  for (auto& [name, other] : scene_.truth.things) {
    std::string& below = thing.name.kind == ResourceKind::kVolume ? other.parent : other.container;
    if (name.worker == thing.name.worker && below == thing.name.handle) below.clear();
  }
  scene_.truth.things[thing.name] = thing;
  if (recorded.ok()) making_.push_back(thing.name);
}

void FleetClients::make() {
  if (making_.empty()) return;
  const std::size_t at = scene_.run.dice.below(making_.size());
  Thing& thing = scene_.truth.things.at(making_[at]);
  if (scene_.faults.strikes(FaultKind::kAbandon)) {
    scene_.say("client", "dies while it makes " + thing.name.str());
    making_.erase(making_.begin() + static_cast<std::ptrdiff_t>(at));
    return;
  }
  Machine& machine = crew_.machine(thing.name.worker);
  if (thing.stage == Stage::kRecorded) {
    const bool is_taken = machine.has(thing.name.kind, thing.name.handle);
    if (!is_taken) machine.put(thing.name.kind, thing.name.handle);
    scene_.say("client", (is_taken ? "finds the handle taken: " : "makes ") + thing.name.str());
    thing.stage = is_taken ? Stage::kRecorded : Stage::kMade;
    if (!is_taken) return;
    making_.erase(making_.begin() + static_cast<std::ptrdiff_t>(at));
    return say_it_failed(thing);
  }
  making_.erase(making_.begin() + static_cast<std::ptrdiff_t>(at));
  scene_.run.dice.happens(100) ? say_it_failed(thing) : say_it_is_there(thing);
}

void FleetClients::say_it_is_there(Thing& thing) {
  const auto said = scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::resource_created(context, name_of(thing)); });
  const bool is_known = tell("says that " + thing.name.str() + " is there", error_of(said));
  // What went or was wiped in the meantime nobody counts on.
  if (said.ok() && crew_.machine(thing.name.worker).has(thing.name.kind, thing.name.handle)) thing.stage = Stage::kConfirmed;
  if (!said.ok() && is_known) thing.may_leak = true;
}

void FleetClients::say_it_failed(Thing& thing) {
  thing.is_end_asked = true;
  const auto said = scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::resource_failed(context, name_of(thing)); });
  const bool is_known = tell("says that " + thing.name.str() + " has failed", error_of(said));
  if (!said.ok() && is_known) thing.may_leak = true;
}

void FleetClients::destroy_by_name() {
  Thing* thing = any_thing();
  if (thing == nullptr || thing->is_pinned) return;
  const auto asked =
      scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::destroy_resource(context, name_of(*thing)); });
  const bool is_known = tell("asks for the end of " + thing->name.str(), error_of(asked));
  if (asked.ok() || !is_known) thing->is_end_asked = true;
}

void FleetClients::pin() {
  Thing* thing = any_thing();
  if (thing == nullptr) return;
  if (thing->is_pinned) return unpin(*thing);
  const auto pinned = scene_.ask(
      "token:ci", [&](const fleet::Context& context) { return fleet::pin_resource(context, name_of(*thing), "a look", std::nullopt); });
  (void)tell("pins " + thing->name.str(), error_of(pinned));
  thing->is_pinned = pinned.ok();
  thing->changed_ms = scene_.truth.now_ms;
}

void FleetClients::unpin(Thing& thing) {
  thing.is_pinned = false;
  thing.changed_ms = scene_.truth.now_ms;
  const auto unpinned =
      scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::unpin_resource(context, name_of(thing)); });
  (void)tell("unpins " + thing.name.str(), error_of(unpinned));
}

void FleetClients::touch() {
  Thing* thing = any_thing();
  if (thing == nullptr) return;
  const auto touched =
      scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::touch_resource(context, name_of(*thing)); });
  (void)tell("touches " + thing->name.str(), error_of(touched));
  if (!touched.ok()) return;
  thing->touched_ms = scene_.truth.now_ms;
  thing->changed_ms = scene_.truth.now_ms;
}

void FleetClients::own() {
  Thing* thing = any_thing();
  const std::string owner = any_owner();
  if (thing == nullptr || owner.empty() || thing->owners.size() > 1) return;
  const auto owned =
      scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::own_resource(context, name_of(*thing), OwnerId(owner)); });
  const bool is_known = tell("gives " + thing->name.str() + " to " + owner, error_of(owned));
  if (owned.ok()) thing->owners = {owner};
  if (!is_known && thing->owners.empty()) thing->owners.emplace_back();  // nobody's still, perhaps
  if (!is_known) thing->owners.push_back(owner);
  thing->changed_ms = scene_.truth.now_ms;
}

void FleetClients::live_with_restore() {
  forget_work();
  for (auto& [name, thing] : scene_.truth.things) {
    // What was recorded since the copy is adopted. What changed hands or was pinned since is as the copy has it.
    const bool is_adopted = thing.recorded_ms >= scene_.copied_ms && thing.stage == Stage::kConfirmed;
    // What it stands on nobody has told, and a pin is forgotten: it is held by its adoption, until somebody takes it over.
    if (is_adopted) thing.parent = thing.container = "";
    if (is_adopted) thing.is_pinned = false;
    const bool was_renewed = std::ranges::any_of(thing.owners, [this](const std::string& id) {
      const auto owner = scene_.truth.owners.find(id);
      return owner != scene_.truth.owners.end() && owner->second.put_ms >= scene_.copied_ms && owner->second.ttl_ms > 0;
    });
    const bool has_changed = thing.changed_ms >= scene_.copied_ms || was_renewed || thing.stage != Stage::kConfirmed;
    if (has_changed && !is_adopted) thing.is_unsure = true;
  }
  // Nothing is given to an owner of whose lease the copy does not know.
  for (auto& [id, owner] : scene_.truth.owners) {
    if (owner.put_ms >= scene_.copied_ms && owner.ttl_ms > 0) owner.is_release_asked = true;
  }
}

void FleetClients::finish() {
  forget_work();
  const auto settle = [this](const auto& call) { (void)scene_.ask("token:ci", call).ok(); };
  for (auto& [name, thing] : scene_.truth.things) {
    const fleet::ResourceName full = name_of(thing);
    const auto row = scene_.ask("token:ci", [&](const fleet::Context& context) { return fleet::find_resource(context, full); });
    if (!row.ok()) continue;
    if (thing.owners.size() > 1) thing.owners = {row.value().owner};
    if (row.value().pinned && !thing.is_pinned) settle([&](const fleet::Context& context) { return fleet::unpin_resource(context, full); });
    if (thing.is_end_asked) settle([&](const fleet::Context& context) { return fleet::destroy_resource(context, full); });
    const bool is_left = thing.stage != Stage::kConfirmed && row.value().state == fleet::ResourceState::kCreating;
    if (is_left) settle([&](const fleet::Context& context) { return fleet::resource_failed(context, full); });
  }
  for (auto& [id, owner] : scene_.truth.owners) {
    if (owner.is_lease_unsure) owner.is_release_asked = true;
    if (scene_.truth.is_live(id)) continue;
    const OwnerId left(id);
    settle([&](const fleet::Context& context) { return fleet::release_owner(context, left, Millis(0)); });
  }
}

}  // namespace reclaim::sim
