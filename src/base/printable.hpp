// Text from strangers, made fit for one line of a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace reclaim {

// Line ends and control characters (C0, DEL, and C1 in UTF-8) become `?`: one text stays one line, and steers no terminal.
std::string printable(std::string_view text);

}  // namespace reclaim
