# What the executable says it was built from. Written anew with each build, and touched only when it has changed.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude *
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "not from a repository")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
#include "apps/build_commit.hpp"

namespace reclaim::apps {

std::string_view build_commit() { return "@VERSION@, @commit@"; }

}  // namespace reclaim::apps
]=])
