// An owner as the database holds it. For this room only.
#pragma once

#include <optional>
#include <string>

#include "fleet/context.hpp"
#include "fleet/owners.hpp"

namespace reclaim::fleet {

struct OwnerRow {
  std::int64_t id = 0;
  std::string name;
  std::string kind;
  std::optional<Millis> ttl;
  ServiceTime renewed;
  bool interruptible = true;
  std::string labels;
  WallTime created;
  std::optional<ServiceTime> released;
  std::optional<WallTime> released_wall;
  std::string release_reason;
  Millis keep{0};
  bool live = false;
  std::int64_t resources = 0;
};

OwnerRow parse_owner_row(const ports::Row& row);
Result<Owner> to_owner(const OwnerRow& row, const Moment& moment);
// `statement` is one of owner_find, owner_lock, owner_hold. kNotFound where there is none.
Result<OwnerRow> find_owner_row(ports::Transaction& transaction, const Context& context, ports::Statement statement, const OwnerId& id);

}  // namespace reclaim::fleet
