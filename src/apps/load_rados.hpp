// The store on Ceph, which is a module of its own beside the executable: a machine without Ceph needs none of it.
#pragma once

#include <memory>

#include "adapters/objects_rados/rados_store.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::apps {

// As objects_rados::open_rados. kInvalid, field `store`: the module, or librados, is not on this machine. The module stays for good.
Result<std::unique_ptr<ports::ObjectStore>> load_rados(const objects_rados::RadosOptions& options);

}  // namespace reclaim::apps
