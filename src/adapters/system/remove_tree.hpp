// Removes a file or a directory with all that is in it.
//
// What callers may rely on
//  * Links are removed, never followed. A mount inside the tree, bind mounts of the same filesystem included, ends the removal with
//    kConflict naming the mount point; nothing on its other side is touched.
//  * What is gone already, or goes meanwhile by another hand, is success. Several may remove one tree at once.
//  * Depth costs memory for names, not descriptors: two are open at any time.
//  * The first thing that cannot be removed (an immutable file, an I/O error) ends it with the path and the reason. What was
//    removed by then stays removed. No flag, mode or owner is ever changed to make a removal pass.
//  * kUnavailable when `deadline` passes on the way. It is looked at between system calls, so it may come late.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::system {

Status remove_tree_at(int directory, const std::string& name, const Clock& clock, Instant deadline);

}  // namespace reclaim::system
