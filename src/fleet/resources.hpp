// Containers and volumes: record before you create; destroy before you forget.
//
// A handle names one resource per worker and kind for as long as its row exists, destroying included; only then may it be used again.
// Every transition is guarded by the table in states.hpp, idempotent when already there, kConflict otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "fleet/context.hpp"
#include "fleet/owners.hpp"
#include "fleet/states.hpp"

namespace reclaim::fleet {

struct ResourceName {
  WorkerName worker;
  ResourceKind kind;
  Handle handle;
};

struct ResourceSpec {
  ResourceName name;
  std::optional<OwnerId> owner;
  std::optional<Handle> container;  // volumes only
  std::optional<Handle> parent;     // volumes only
};

struct Resource {
  std::int64_t id = 0;
  ResourceName name;
  ResourceState state = ResourceState::kCreating;
  WallTime since;
  std::string owner;      // empty: none
  std::string container;  // empty: none
  std::string parent;     // empty: none
  std::optional<WallTime> missing_since;
  bool pinned = false;
  std::string pin_reason;
  std::int64_t attempts = 0;
  std::string last_error;
  std::optional<std::int64_t> bytes;
  bool in_hand = false;
  std::optional<Millis> in_hand_for;  // for how long its worker has had the order
  bool stuck = false;
  std::string reason;  // why it was marked
};

struct ResourceFilter {
  ResourceKind kind = ResourceKind::kContainer;
  std::string worker;  // empty: any
  std::optional<ResourceState> state;
  std::string owner;  // empty: any
  bool missing_only = false;
  std::string after;  // what place_of() said of the last one shown; empty: from the beginning
  std::int64_t limit = 1000;
};

// kNotFound: no such worker. kInvalid: an owner, container or parent that does not exist. kConflict: one that is released, expired or
// destroying; a handle in use, unless the same resource is still creating, which answers created = false.
Result<Outcome<Resource>> register_resource(const Context& context, const ResourceSpec& spec);

Result<Resource> resource_created(const Context& context, const ResourceName& name);
Result<Resource> resource_failed(const Context& context, const ResourceName& name);
// Overrides a live owner, not a pin (kConflict).
Result<Resource> destroy_resource(const Context& context, const ResourceName& name);
// Gives it to another live owner. kConflict once destroying.
Result<Resource> own_resource(const Context& context, const ResourceName& name, const OwnerId& owner);
// Somebody uses it just now: kept through the touch grace. kConflict once destroying.
Result<Resource> touch_resource(const Context& context, const ResourceName& name);
// Kept until unpinned or until the ttl has run out. kConflict once destroying.
Result<Resource> pin_resource(const Context& context, const ResourceName& name, const std::string& reason, std::optional<Millis> ttl);
Result<Resource> unpin_resource(const Context& context, const ResourceName& name);

Result<Resource> find_resource(const Context& context, const ResourceName& name);
// By handle where only a worker is named, else in the order in which they were registered. kInvalid names `after`.
Result<std::vector<Resource>> list_resources(const Context& context, const ResourceFilter& filter);
std::string place_of(const Resource& resource, const ResourceFilter& filter);

}  // namespace reclaim::fleet
