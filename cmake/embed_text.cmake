file(READ ${FILE} text)
file(WRITE ${OUTPUT} "// Written by cmake/embed_text.cmake. Do not edit.
#include \"${HEADER}\"

namespace reclaim::${ROOM} {

std::string_view ${FUNCTION}() { return R\"embedded(${text})embedded\"; }

}  // namespace reclaim::${ROOM}
")
