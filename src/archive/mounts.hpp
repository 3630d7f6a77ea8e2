// Which drive has which tape mounted: `mount/<VID>`, made by guarded creation, so that a tape is in one drive at a time, and owned by the
// drive's agent like anything it holds: the collector of a dead drive removes it. A tape that leaves service is final only when there is no
// mount of it whose agent is there.
//
// Who may call: the drive's working thread mounts and unmounts; anybody looks. A crash leaves a mount by an agent that will be collected.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct Mount {
  Vid vid;
  std::string drive;
  agents::AgentId agent;
  std::int64_t since_ms = 0;
  ports::Version version = {};
};

ports::ObjectName mount_name(const Vid& vid);

// Holds the name and creates it. kConflict: it is mounted elsewhere.
Status mount(Hand& hand, const Vid& vid, const std::string& drive, std::int64_t now_ms);
// Again after kUnavailable; one that is gone is as good.
Status unmount(Hand& hand, const Vid& vid);

Result<std::optional<Mount>> find_mount(ports::ObjectStore& store, const Vid& vid);
// By VID.
Result<std::vector<Mount>> list_mounts(ports::ObjectStore& store);
// Whether its agent exists. False: whoever notices removes the mount (remove_mount).
Result<bool> is_held(ports::ObjectStore& store, const Mount& mount);
Status remove_mount(ports::ObjectStore& store, const Mount& mount);

}  // namespace reclaim::archive
