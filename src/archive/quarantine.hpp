// A segment whose bytes nobody can read is set aside: its bytes, and why, as `damaged/<epoch>-<number>`; then it is removed at the version
// at which it was found unreadable. So it hinders no queue and no cleanup, and nothing of it is thrown away: `reclaim store show` shows it.
//
// A crash between the two leaves both; the next who meets the segment goes on. Who may call: anybody who has just read it. Whoever had it
// in hand finds that it is gone, as with any segment that is lost.
//
// What a newer Reclaim wrote, in a format that this one does not know, is not damaged: it stays where it is, and is told of.
#pragma once

#include <string>

#include "archive/damaged.hpp"
#include "archive/names.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// `why` is what the reader said. kConflict: it was changed meanwhile: read it again. kUnavailable: again. kTooLarge: it is so large that
// no object can hold it and the reason; it stays where it is, for a person. kCorrupt: it stays where it is, for a newer Reclaim.
Status quarantine(ports::ObjectStore& store, const SegmentId& id, const ports::Object& object, const std::string& why);

// The first half alone: the bytes are kept, and the object stays as it is. Errors as above.
Status keep_aside(ports::ObjectStore& store, const DamagedId& id, const ports::Object& object, const std::string& why);

}  // namespace reclaim::archive
