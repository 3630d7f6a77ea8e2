#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/duration.hpp"
#include "cli/console.hpp"

namespace reclaim::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kCutMin = 8;  // a text column is not cut below this

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U;
    if (begins && ++seen == width) break;
  }
  return text.substr(0, end) + "…";
}

// The two largest units: who reads `3d4h` does not miss the seconds.
std::string human_duration(std::int64_t ms) {
  constexpr std::int64_t kSecond = 1000;
  constexpr std::int64_t kMinute = 60 * kSecond;
  constexpr std::int64_t kHour = 60 * kMinute;
  std::int64_t grain = 1;
  if (ms >= kSecond) grain = kSecond;
  if (ms >= kHour) grain = kMinute;
  if (ms >= 24 * kHour) grain = kHour;
  return format_duration(Millis(ms - ms % grain));
}

std::string human_bytes(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1023.95 && unit + 1 < std::size(kUnits)) amount /= 1024, ++unit;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string number_cell(std::string_view field, const Ordered& value) {
  constexpr std::int64_t kLongestSeconds = kDurationMax.count() / 1000;
  if (value.is_number_float()) return fmt::format("{:.3f}", value.get<double>());
  const auto number = value.get<std::int64_t>();
  if (field.ends_with("_ms") && number <= kDurationMax.count()) return human_duration(number);
  if (field.ends_with("_s") && number <= kLongestSeconds) return human_duration(number * 1000);
  if (field.ends_with("bytes") && number >= 0) return human_bytes(number);
  return std::to_string(number);
}

// 2026-11-23T04:05:06.789Z without what nobody reads in a column.
bool is_time(const std::string& text) {
  return text.size() == 24 && text[4] == '-' && text[10] == 'T' && text[19] == '.' && text[23] == 'Z';
}

std::string time_or_text(const std::string& text) {
  return is_time(text) ? text.substr(0, 10) + " " + text.substr(11, 8) : printable(text);
}

std::string joined_cell(const Ordered& values) {
  std::string cell;
  for (const auto& item : values.items()) {
    if (!cell.empty()) cell += values.is_object() ? " " : ", ";
    if (values.is_object()) cell.append(printable(item.key())).append("=");
    cell += cell_of(item.key(), item.value());
  }
  return cell;
}

const Ordered* at_path(const Ordered& item, std::string_view path) {
  const Ordered* found = &item;
  while (!path.empty()) {
    if (!found->is_object()) return nullptr;
    const std::string part(path.substr(0, path.find('.')));
    const auto member = found->find(part);
    if (member == found->end()) return nullptr;
    found = &*member;
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return found;
}

struct Drawn {
  std::string title;
  std::vector<std::string> cells;
  std::size_t width = 0;
  bool is_number = true;  // set to the right and never cut
  bool is_time = true;    // never cut either
  bool is_empty = true;
};

Drawn draw(const Column& column, const std::vector<Ordered>& items) {
  Drawn drawn{column.title, {}, width_of(column.title)};
  drawn.cells.reserve(items.size());
  for (const Ordered& item : items) {
    const Ordered* value = at_path(item, column.path);
    if (value == nullptr) {
      drawn.cells.emplace_back();
      continue;
    }
    std::string cell = cell_of(column.path, *value);
    const bool says_nothing = cell.empty() || (column.is_quiet && (*value == 0 || *value == false));
    drawn.is_empty = drawn.is_empty && says_nothing;
    drawn.is_number = drawn.is_number && (cell.empty() || value->is_number());
    drawn.is_time = drawn.is_time && (cell.empty() || (value->is_string() && is_time(value->get_ref<const std::string&>())));
    drawn.width = std::max(drawn.width, width_of(cell));
    drawn.cells.push_back(says_nothing ? "" : std::move(cell));
  }
  return drawn;
}

std::size_t total_width(const std::vector<Drawn>& columns) {
  std::size_t total = kGap * (columns.size() - 1);
  for (const Drawn& column : columns) total += column.width;
  return total;
}

// Cuts the widest text columns first, but the first column last; then leaves out columns from the right.
void fit(std::vector<Drawn>& columns, std::size_t width) {
  const auto cuttable = [](const Drawn& column) {
    return column.is_number || column.is_time || column.width <= kCutMin ? 0 : column.width;
  };
  while (total_width(columns) > width) {
    const auto widest = std::ranges::max_element(columns.begin() + 1, columns.end(), {}, cuttable);
    if (widest != columns.end() && cuttable(*widest) > 0) {
      --widest->width;
    } else if (columns.size() > 1) {
      columns.pop_back();
    } else {
      columns.front().width = width;
    }
  }
}

std::string line_of(const std::vector<Drawn>& columns, const auto& cell_of_column) {
  std::string line;
  for (const Drawn& column : columns) {
    const std::string cell = cut(cell_of_column(column), column.width);
    const std::string padding(column.width - width_of(cell), ' ');
    if (&column != columns.data()) line.append(kGap, ' ');
    line += column.is_number ? padding + cell : cell + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void flatten(const Ordered& object, const std::string& prefix, std::vector<std::pair<std::string, std::string>>& fields) {
  for (const auto& item : object.items()) {
    const std::string name = prefix + printable(item.key());
    if (item.value().is_object() && prefix.empty()) {
      flatten(item.value(), name + ".", fields);
    } else {
      fields.emplace_back(name, cell_of(item.key(), item.value()));
    }
  }
}

}  // namespace

std::string cell_of(std::string_view field, const Ordered& value) {
  if (value.is_null()) return "";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number()) return number_cell(field, value);
  if (value.is_string()) return time_or_text(value.get_ref<const std::string&>());
  return joined_cell(value);
}

std::string render_table(const View& view, const std::vector<Ordered>& items, int width, bool has_colour) {
  std::vector<Drawn> columns;
  for (const Column& column : view) {
    Drawn drawn = draw(column, items);
    const bool is_shown = columns.empty() || !drawn.is_empty || (items.empty() && !column.is_quiet);
    if (is_shown) columns.push_back(std::move(drawn));
  }
  if (items.empty()) {
    for (Drawn& column : columns) column.is_number = false;
  }
  fit(columns, static_cast<std::size_t>(std::max(width, 1)));
  const std::string titles = line_of(columns, [](const Drawn& column) { return column.title; });
  std::string text = has_colour ? "\x1b[1m" + titles + "\x1b[0m\n" : titles + "\n";
  for (std::size_t row = 0; row < items.size(); ++row) {
    text += line_of(columns, [row](const Drawn& column) { return column.cells[row]; }) + "\n";
  }
  return text;
}

std::string render_fields(const Ordered& object, int width) {
  std::vector<std::pair<std::string, std::string>> fields;
  flatten(object, "", fields);
  std::size_t names = 0;
  for (const auto& [name, value] : fields) names = std::max(names, width_of(name));
  std::string text;
  for (const auto& [name, value] : fields) {
    std::string line = name;
    line.append(names - width_of(name) + kGap, ' ').append(value);
    line.erase(line.find_last_not_of(' ') + 1);
    text += cut(line, static_cast<std::size_t>(std::max(width, 1))) + "\n";
  }
  return text;
}

}  // namespace reclaim::cli
