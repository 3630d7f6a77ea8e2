file(READ ${FILE} text)
file(WRITE ${OUTPUT} "// Written by cmake/embed_text.cmake. Do not edit.
#include \"${HEADER}\"

namespace reclaim::${ROOM} {

static constexpr std::string_view kText = R\"embedded(${text})embedded\";

std::string_view ${FUNCTION}() { return kText; }

}  // namespace reclaim::${ROOM}
")
