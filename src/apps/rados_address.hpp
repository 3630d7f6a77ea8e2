// `rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME]`, as --store names a store on Ceph.
#pragma once

#include <string>
#include <string_view>

#include "adapters/objects_rados/rados_store.hpp"
#include "base/result.hpp"

namespace reclaim::apps {

inline constexpr std::string_view kRados = "rados://";

// kInvalid, field `store`: which part is wrong. What the address does not name is as RadosOptions has it.
Result<objects_rados::RadosOptions> parse_rados_address(std::string_view address);

}  // namespace reclaim::apps
