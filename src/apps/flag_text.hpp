// What a process says of a flag or address that it cannot start with.
#pragma once

#include <string>

#include "base/result.hpp"

namespace reclaim::apps {

// The message; for kInvalid with a field, after the flag of that name.
std::string text_of_flag_error(const Error& error);

}  // namespace reclaim::apps
