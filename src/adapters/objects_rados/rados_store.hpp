// The object store on Ceph RADOS: any number of processes on any number of machines share a pool.
//
// Beyond the port: nothing. A batch is as many operations as it has calls, some in flight together. Guards are RADOS's own: a create is
// exclusive, a replace and a remove assert the object's version, each in one compound operation with what it does.
//
// What it stands on (docs/decisions/057-rados.md says why, and where it ends)
//  * Versions are the placement group's: they grow over all objects in it, through remove and create, splits and merges.
//  * The pool is replicated, is not behind a cache tier, and is Reclaim's alone or nearly so: a list looks at every name in the pool.
//  * A write that is sent again after a lost connection is known by its number and not done again, among the last 3000 writes of its
//    placement group. A refusal that took 2 s or more is answered kUnavailable: it may be the second answer to a write that was done.
//  * A write that was answered kUnavailable may still be on its way and take effect after that, as that of a process that was stopped
//    can: its guard is the only bound.
//
// Every call has a deadline; in a batch, after the first that passed it no more are sent. A list may take as long for each piece of names.
//
// Errors beside the port's
//  of open    kNotFound: no such configuration, pool, or store in it; kInvalid: the configuration cannot be read, the store was written
//             by a newer program; kCorrupt: the namespace holds something else; kUnavailable: no monitor answers, no permission
//  of calls   kUnavailable: also for a pool that was deleted, a full one, a client that lacks permission or was shut out
//  A read of an object that grew beyond the port's limit by another's hand: kCorrupt.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/object_store.hpp"

namespace reclaim::objects_rados {

struct RadosOptions {
  std::string pool;
  std::string name_space = "reclaim";  // objects are in NAMESPACE/KIND, so that several stores fit into a pool
  std::string conf = "/etc/ceph/ceph.conf";
  std::string user = "admin";  // client.USER, whose keyring the configuration names
  bool create = true;          // false: a namespace without a store is kNotFound
  std::chrono::seconds call_timeout{20};
};

// Several processes may do so at once, with an empty namespace too. A crash leaves an empty store or none.
// `clock` outlives the store.
Result<std::unique_ptr<ports::ObjectStore>> open_rados(const RadosOptions& options, const Clock& clock);

// What the module exports, and nothing else: open_rados, under this name. It is built with the executable that loads it.
using OpenRados = void(const RadosOptions& options, const Clock& clock, Result<std::unique_ptr<ports::ObjectStore>>& opened);
inline constexpr const char* kOpenRadosName = "reclaim_open_rados";

}  // namespace reclaim::objects_rados
