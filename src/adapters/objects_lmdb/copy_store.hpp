// Copies of a store that others use meanwhile, and what makes a store of a copy again.
//
// A copy is LMDB's file without its free pages, of one moment: what was answered before that moment is in it, and nothing of what was
// begun after it. Others read and write as ever; what they replace is not used again until the copy is done, so the file may grow by as
// much.
//
// Errors: those of open_lmdb(); kUnavailable with the reason where the copy cannot be written.
// Who may call: any thread, in a process that has not opened the store. A crash leaves part of a copy, or versions skipped or not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace reclaim::objects_lmdb {

struct Copying {
  std::function<Status()> about_to_begin = {};              // all is ready: the moment follows without further ado
  std::function<Status()> begun;                            // the moment has been: what happens from here on is not in the copy
  std::function<Status(std::uint64_t bytes)> written = {};  // so many so far; an error ends the copy
};

// The store in `directory`, which is there, into the file `to`, which is not. The caller syncs it.
Status copy_store(const std::string& directory, const std::string& to, const Copying& copying);

// Of a copy that is to be a store again, and that nobody has opened yet: every version drawn from here on is above `version`, and above
// kVersionsSkipped more than were drawn before the copy. So none is one that somebody remembers from the time after it.
Status skip_versions(const std::string& directory, std::uint64_t version);
inline constexpr std::uint64_t kVersionsSkipped = std::uint64_t{1} << 40U;

}  // namespace reclaim::objects_lmdb
