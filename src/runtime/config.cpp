#include "runtime/config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/duration.hpp"

namespace reclaim::runtime {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

std::string_view expected(ConfigType type) {
  switch (type) {
    case ConfigType::kText: return "a string";
    case ConfigType::kTexts: return "a string or an array of strings";
    case ConfigType::kInteger: return "an integer";
    case ConfigType::kNumber: return "a number";
    case ConfigType::kBoolean: return "true or false";
    case ConfigType::kDuration: return "a duration with a unit, such as \"30s\"";
    case ConfigType::kDurationOrNever: return "a duration with a unit, such as \"30s\", or \"never\"";
  }
  return "";
}

std::optional<std::vector<std::string>> one(std::optional<std::string> value) {
  if (!value) return std::nullopt;
  return std::vector<std::string>{std::move(*value)};
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return one(node.value_exact<std::string>());
  std::vector<std::string> values;
  for (const toml::node& item : *array) {
    const auto value = item.value_exact<std::string>();
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<std::vector<std::string>> values_of(const toml::node& node, ConfigType type) {
  const auto text = node.value_exact<std::string>();
  switch (type) {
    case ConfigType::kText: return one(text);
    case ConfigType::kTexts: return texts_of(node);
    case ConfigType::kDuration: return text && parse_duration(*text).ok() ? one(text) : std::nullopt;
    case ConfigType::kDurationOrNever: return text && parse_duration_or_never(*text).ok() ? one(text) : std::nullopt;
    case ConfigType::kBoolean: {
      const auto value = node.value_exact<bool>();
      return value ? one(*value ? "true" : "false") : std::nullopt;
    }
    case ConfigType::kInteger:
    case ConfigType::kNumber: break;
  }
  const bool is_number = node.is_integer() || (type == ConfigType::kNumber && node.is_floating_point());
  if (!is_number) return std::nullopt;
  std::ostringstream shown;
  shown.imbue(std::locale::classic());
  shown.precision(17);
  if (node.is_integer()) {
    shown << *node.value_exact<std::int64_t>();
  } else {
    shown << *node.value_exact<double>();
  }
  return one(shown.str());
}

Result<ConfigEntry> entry_of(const std::string& key, const toml::node& node, const std::string& where,
                             const std::vector<ConfigKey>& known) {
  const auto found = std::ranges::find(known, key, &ConfigKey::name);
  if (found == known.end()) return invalid("config", where + ": unknown key `" + key + "`");
  auto values = values_of(node, found->type);
  if (!values) return invalid("config", where + ": `" + key + "` must be " + std::string(expected(found->type)));
  return ConfigEntry{key, std::move(*values), where};
}

}  // namespace

Result<std::vector<ConfigEntry>> read_config(const std::string& path, const std::vector<ConfigKey>& known) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return not_found("cannot read the configuration file " + path);
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unavailable("cannot read the configuration file " + path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) return invalid("config", path + ": larger than " + std::to_string(kFileBytesMax) + " bytes");
  return parse_config(text, path, known);
}

Result<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& name, const std::vector<ConfigKey>& known) {
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return invalid("config", name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  std::vector<std::pair<toml::source_index, ConfigEntry>> entries;
  for (const auto& [key, node] : table) {
    const auto line = node.source().begin.line;
    entries.emplace_back(line, TRY(entry_of(std::string(key.str()), node, name + ":" + std::to_string(line), known)));
  }
  std::ranges::stable_sort(entries, {}, [](const auto& entry) { return entry.first; });
  std::vector<ConfigEntry> in_order;
  in_order.reserve(entries.size());
  for (auto& [line, entry] : entries) in_order.push_back(std::move(entry));
  return in_order;
}

}  // namespace reclaim::runtime
