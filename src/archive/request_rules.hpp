// What a stored request must keep, field by field, and what becomes of a field that does not. For this room only.
#pragma once

#include <string>

#include "archive/objects.pb.h"
#include "base/result.hpp"

namespace reclaim::archive {

// Takes a request that breaks the rules out of service, so that it keeps them; objects.hpp says what becomes of it.
void set_aside(stored::Request& request, const Error& why);

}  // namespace reclaim::archive
