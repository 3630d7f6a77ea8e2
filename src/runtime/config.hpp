// The configuration file: TOML whose keys are the names of the flags. What a key may hold is checked here, so that a mistake is
// answered with the file and the line of it, before anything starts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reclaim::runtime {

enum class ConfigType { kText, kTexts, kInteger, kNumber, kBoolean, kDuration, kDurationOrNever };

struct ConfigKey {
  std::string name;
  ConfigType type;
};

struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;  // as the flag would be given them; one, unless kTexts
  std::string where;                // `file:line`, for messages of whoever judges further
};

// In the order of the lines. kNotFound when there is no such file; kInvalid, field `config`, for what is not TOML, an unknown key, a
// wrong type, or a file over 1 MiB.
Result<std::vector<ConfigEntry>> read_config(const std::string& path, const std::vector<ConfigKey>& known);
// The same from text; `name` stands for the file in messages.
Result<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& name, const std::vector<ConfigKey>& known);

}  // namespace reclaim::runtime
