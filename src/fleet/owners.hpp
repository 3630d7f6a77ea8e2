// Owners: what keeps resources alive. A build, a session, a cache entry.
//
// An owner lives until it is released (and for keep_for after that) or until its lease runs out. Once released or expired it never
// lives again: whoever needs more registers another. Resources belong to it by name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "fleet/context.hpp"

namespace reclaim::fleet {

struct OwnerSpec {
  OwnerId id;
  std::string kind;
  std::optional<Millis> ttl;
  bool interruptible = true;
  std::map<std::string, std::string> labels;
};

struct Owner {
  OwnerSpec spec;
  WallTime created;
  bool live = false;
  std::optional<WallTime> released;
  std::string release_reason;
  std::optional<Millis> expires_in;  // of the lease, or of the keeping after a release; empty where nothing runs
  std::int64_t resources = 0;
};

template <class T>
struct Outcome {
  T value;
  bool created = false;
};

// Registers or renews. A renewal may change ttl, interruptible and labels; another kind is kConflict, as is a released or expired owner.
Result<Outcome<Owner>> put_owner(const Context& context, const OwnerSpec& spec);
// Ends its life, at once or after keep_for. Releasing again shortens or prolongs the keeping while it still runs.
Result<Owner> release_owner(const Context& context, const OwnerId& id, Millis keep_for);
// kConflict while any resource names it.
Result<Owner> delete_owner(const Context& context, const OwnerId& id);
Result<Owner> find_owner(const Context& context, const OwnerId& id);
Result<std::vector<Owner>> list_owners(const Context& context, const std::string& after, std::int64_t limit);

}  // namespace reclaim::fleet
