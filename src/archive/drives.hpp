// Drives in the catalogue: which there are, and whether their operator wants them to work. A drive registers itself when it starts, asks
// before each mount, and ends the mount at hand when it is wanted down; nothing here stops it.
//
// Who may call: any thread. Each use case is one transaction; a crash leaves the drive before or after, with its event.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/context.hpp"
#include "base/ids.hpp"

namespace reclaim::archive {

using DriveName = Id<struct DriveNameTag>;

enum class Desired { kUp, kDown };
std::string_view name_of(Desired desired);  // up, down
std::optional<Desired> desired_of(std::string_view name);

struct Drive {
  DriveName name;
  Desired desired = Desired::kUp;
  std::string reason = {};  // empty where none was given
  WallTime since;           // it is desired so
};

// One that is not there is made, and wanted up. One that is there stays as its operator wants it (created = false).
Result<Outcome<Drive>> register_drive(const Context& context, const DriveName& name);
Result<Drive> find_drive(const Context& context, const DriveName& name);
// By name.
Result<std::vector<Drive>> list_drives(const Context& context, const std::string& after, std::int64_t limit);
// Asking for what is desired already changes the reason only. kNotFound; kInvalid (`reason`): down without one, in this order.
Result<Drive> set_drive(const Context& context, const DriveName& name, Desired desired, const std::string& reason);

}  // namespace reclaim::archive
