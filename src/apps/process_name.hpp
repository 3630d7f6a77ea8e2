// How the agents of this process are called, for people who see those of many: `server-HOST-PID`. Nothing rests on it: agents are told
// apart by their epochs.
#pragma once

#include <string>

namespace reclaim::apps {

std::string process_name(const std::string& role);

}  // namespace reclaim::apps
