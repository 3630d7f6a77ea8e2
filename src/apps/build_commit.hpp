// What this executable was built from: `0.1.0, 42da6853c25d`, with `-dirty` where the tree was not as committed.
#pragma once

#include <string_view>

namespace reclaim::apps {

std::string_view build_commit();

}  // namespace reclaim::apps
