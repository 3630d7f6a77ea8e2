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
  std::string problem = {};  // why it cannot be read: then only its VID and version are known, and nobody can say whose it is
};

// Holds the name and creates it; one of this agent's that is there is as good. kConflict: it is mounted elsewhere; kInvalid: `drive` is not
// well formed; kUnavailable: it may be mounted, or become it when nobody expects it: mount it again, or unmount it.
Status mount(Hand& hand, const Vid& vid, const std::string& drive, std::int64_t now_ms);
// Again after kUnavailable; one that is gone, or another's, is as good.
Status unmount(Hand& hand, const Vid& vid);

// kCorrupt: there is one that cannot be read.
Result<std::optional<Mount>> find_mount(ports::ObjectStore& store, const Vid& vid);
// By VID. One that cannot be read is listed with its problem and hinders no other.
Result<std::vector<Mount>> list_mounts(ports::ObjectStore& store);
// Whether its agent exists, as far as anybody can say. False: whoever notices removes the mount (remove_mount).
Result<bool> is_held(ports::ObjectStore& store, const Mount& mount);
// kConflict: it was changed meanwhile. One that is gone is as good.
Status remove_mount(ports::ObjectStore& store, const Mount& mount);

}  // namespace reclaim::archive
