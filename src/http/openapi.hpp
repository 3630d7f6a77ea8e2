// docs/openapi.yaml, as it was when this was built.
#pragma once

#include <string_view>

namespace reclaim::http {

std::string_view openapi_yaml();

}  // namespace reclaim::http
