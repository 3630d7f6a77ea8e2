// `lmdb:PATH` and `rados://POOL...`, as --store names them.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::apps {

// kInvalid, field `store`: what is wrong with an address.
Status check_store_address(const std::string& address);

// kInvalid, field `store`, also where the engine is not on this machine, or where no store can be at that path.
Result<std::unique_ptr<ports::ObjectStore>> open_store(const std::string& address);
// The same, for who only looks: kNotFound where there is none, and nothing is made.
Result<std::unique_ptr<ports::ObjectStore>> open_existing_store(const std::string& address);

// Where the store of a data directory is, unless --store says otherwise.
std::string store_of(const std::string& data);

}  // namespace reclaim::apps
