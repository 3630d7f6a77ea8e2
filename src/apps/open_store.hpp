// `lmdb:PATH`, as --store names it.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::apps {

// Whether an address names an engine.
bool is_store_address(const std::string& address);

// kInvalid, field `store`, for an address that names no engine.
Result<std::unique_ptr<ports::ObjectStore>> open_store(const std::string& address);

}  // namespace reclaim::apps
