// The embedded object store: a directory with one LMDB file, shared by any number of processes of one machine.
//
// Beyond the port: a batch is one transaction, done whole or not at all, and batches of several threads that arrive together share one.
// What was answered is synced; readers never wait for writers. There is one writer at a time among all processes. One that is killed,
// also in the middle of a write, stops nobody; one that is stopped (SIGSTOP) in the middle of a write stops all writers until it goes on
// or is killed.
//
// The directory is on a local file system, is made 0700 when it is not there (its parent must be), and is used by no other program. All
// that open it see each other's process numbers (one pid namespace), by which the dead are told. It is opened once in a process at a
// time: LMDB's locks are the process's, and closing one of two would drop the other's. A child of fork() that does not exec must not use
// the parent's store.
//
// The file grows as need be, up to a limit, and does not shrink; what was removed is used again.
//
// Errors beside the port's, of open and all calls
//  kNotFound     the parent of the directory is not there
//  kConflict     the path is a link or no directory; the store is open in this process already
//  kInvalid      the store was written by a newer program; the limit is too small
//  kCorrupt      the directory holds something else, or damaged pages
//  kUnavailable  the store has reached its limit (nothing happened), disk full, input/output errors, no permission, no memory to map it,
//                a thousand reads at once of all processes
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::objects_lmdb {

struct LmdbOptions {
  std::string directory;
  std::size_t bytes_max = std::size_t{64} << 30U;  // of the file; at least kBytesMin. Another process may have chosen more.
  // false: only for measurements and tests that say so. What was answered may be gone after a power cut, and the file damaged.
  bool fsync = true;
};

inline constexpr std::size_t kBytesMin = std::size_t{1} << 20U;

// Several processes may do so at once, with an empty directory too. A crash leaves an empty store or none.
Result<std::unique_ptr<ports::ObjectStore>> open_lmdb(const LmdbOptions& options);

}  // namespace reclaim::objects_lmdb
