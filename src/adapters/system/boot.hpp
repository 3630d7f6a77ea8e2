// Which boot of the machine this is.
#pragma once

#include <string>

#include "base/result.hpp"

namespace reclaim::system {

// A UUID that the kernel draws at every boot: containers of an earlier one are gone.
Result<std::string> boot_id();

}  // namespace reclaim::system
