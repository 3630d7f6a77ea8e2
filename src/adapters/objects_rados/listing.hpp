// The names in a namespace of the pool, in the cluster's order.
#pragma once

#include <functional>
#include <string_view>

#include "adapters/objects_rados/pool.hpp"

namespace reclaim::objects_rados {

// librados's code. Names that were there from its beginning to its end come at least once.
int for_each_name(rados_ioctx_t door, const std::function<void(std::string_view)>& take);

}  // namespace reclaim::objects_rados
