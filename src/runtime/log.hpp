// The log: one line per event on stderr, with time and level. For people and journals; what happened to resources is in the events.
// Never hand it a secret: keys, tokens and authorisation headers stay out.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace reclaim::runtime {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

Result<LogLevel> parse_log_level(std::string_view text);

// Lines below `level` are dropped. Call it once, before threads start.
void start_log(LogLevel level);

// Any thread. Line ends and control characters in `message` are shown as `?` and what is beyond 4 KiB is left out: one event is one
// short line, whoever chose the words.
void log(LogLevel level, std::string_view message);

inline void log_info(std::string_view message) { log(LogLevel::kInfo, message); }
inline void log_warning(std::string_view message) { log(LogLevel::kWarning, message); }
inline void log_error(std::string_view message) { log(LogLevel::kError, message); }

}  // namespace reclaim::runtime
