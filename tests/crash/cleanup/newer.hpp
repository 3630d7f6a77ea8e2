// Objects as a newer Reclaim writes them. Apart from the tests, to whom `stored` means the archive's messages.
#pragma once

#include <string>

#include "ports/object_store.hpp"

namespace reclaim::test {

// The same message in the next format.
std::string in_newer_format(const ports::ObjectName& name, const std::string& bytes);

}  // namespace reclaim::test
