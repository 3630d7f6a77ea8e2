#include "sim/fleet_world.hpp"

#include <algorithm>

#include "agents/claims.hpp"
#include "ports/statements.hpp"

namespace reclaim::sim {

FleetWorld::FleetWorld(ports::Database& database, fleet::Policy policy) : database_(&database), policy_(policy) {
  must(database.run(sql::meta_create, {std::string("lineage"), std::string(kLineage)}));
  take_claim();
}

fleet::Context FleetWorld::context(std::string actor) const { return {*database_, policy_, moment_, std::move(actor)}; }

void FleetWorld::advance(Millis by) {
  moment_.now = moment_.now + by;
  moment_.wall = moment_.wall + by;
}

void FleetWorld::enroll(const std::string& worker, fleet::Existing existing) {
  must(fleet::put_worker(context(), {.name = WorkerName(worker), .existing = existing}));
}

void FleetWorld::own(const std::string& owner, std::optional<Millis> ttl, bool interruptible) {
  must(fleet::put_owner(context(), {.id = OwnerId(owner), .kind = "build", .ttl = ttl, .interruptible = interruptible}));
}

void FleetWorld::release(const std::string& owner, Millis keep) { must(fleet::release_owner(context(), OwnerId(owner), keep)); }

void FleetWorld::add_container(const std::string& handle, const std::string& owner, const std::string& worker) {
  fleet::ResourceSpec spec{.name = container(handle, worker)};
  if (!owner.empty()) spec.owner = OwnerId(owner);
  must(fleet::register_resource(context(), spec));
  must(fleet::resource_created(context(), spec.name));
}

void FleetWorld::add_volume(const std::string& handle, const Links& links, const std::string& worker) {
  fleet::ResourceSpec spec{.name = volume(handle, worker)};
  if (!links.owner.empty()) spec.owner = OwnerId(links.owner);
  if (!links.container.empty()) spec.container = Handle(links.container);
  if (!links.parent.empty()) spec.parent = Handle(links.parent);
  must(fleet::register_resource(context(), spec));
  must(fleet::resource_created(context(), spec.name));
}

void FleetWorld::take_claim() {
  claim_.holder = "server-" + std::to_string(++servers_);
  agents::Claimant claimant(*database_, claim_.name, claim_.holder, Millis(0));
  claim_.epoch = must(claimant.seize()).value_or(0);
}

fleet::PassReport FleetWorld::run(std::string_view pass) {
  for (const fleet::Collector& collector : fleet::collectors()) {
    if (collector.name == pass) return must(collector.run(context("pass:" + std::string(pass)), claim_));
  }
  check(false, "no such collector");
  return {};
}

void FleetWorld::collect() {
  for (const fleet::Collector& collector : fleet::collectors()) {
    const fleet::PassReport report = must(collector.run(context("pass:" + std::string(collector.name)), claim_));
    check(report.failures.empty(), report.failures.empty() ? "" : report.failures.front().c_str());
  }
}

void FleetWorld::try_to_collect() {
  for (const fleet::Collector& collector : fleet::collectors()) {
    (void)collector.run(context("pass:" + std::string(collector.name)), claim_).ok();
  }
}

std::int64_t FleetWorld::unaccounted() const {
  const ports::Rows rows = must(database_->run(sql::ledger_totals, ports::Values{}));
  return rows[0].integer(0) - rows[0].integer(1) - rows[0].integer(2);
}

fleet::ResourceName FleetWorld::container(const std::string& handle, const std::string& worker) {
  return {WorkerName(worker), ResourceKind::kContainer, Handle(handle)};
}

fleet::ResourceName FleetWorld::volume(const std::string& handle, const std::string& worker) {
  return {WorkerName(worker), ResourceKind::kVolume, Handle(handle)};
}

std::string FleetWorld::describe(ResourceKind kind, const std::string& worker) const {
  std::vector<fleet::Resource> resources = must(fleet::list_resources(context(), {.kind = kind, .worker = worker, .limit = 100'000}));
  std::ranges::sort(resources, {}, [](const fleet::Resource& resource) { return resource.name.handle; });
  std::string text;
  for (const fleet::Resource& resource : resources) {
    if (!text.empty()) text += ' ';
    text += resource.name.handle.str() + ":" + std::string(name_of(resource.state));
    if (resource.missing_since) text += ",missing";
  }
  return text;
}

std::string in_words(const audit::RecordedEvent& recorded) {
  const audit::Event& event = recorded.event;
  std::string text = recorded.actor + ": " + event.action;
  for (const std::string& part : {event.worker, event.owner, event.handle, event.from, event.to, event.reason}) {
    if (!part.empty()) text += " " + part;
  }
  return text;
}

}  // namespace reclaim::sim
