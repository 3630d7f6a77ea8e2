// JSON objects as tables for people: columns that have nothing to say are left out, long cells are cut, the width is kept.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace reclaim::cli {

using Ordered = nlohmann::ordered_json;

struct Column {
  std::string title;
  std::string path;       // of the field, with dots: `disk.used_bytes`; its last part says the unit (`_s`, `_ms`, `bytes`)
  bool is_quiet = false;  // 0 and false are nothing to say
};

// The most important columns come first: those on the right go first where the width does not suffice, the first one never.
using View = std::vector<Column>;

// One line per item under a line of titles. Every line ends with a newline and is at most `width` characters wide.
std::string render_table(const View& view, const std::vector<Ordered>& items, int width, bool has_colour);

// One field per line, in the object's order; objects inside by their dotted path.
std::string render_fields(const Ordered& object, int width);

// One value as a cell: spans and sizes in human units by the field's name, lists with commas, `yes` for true.
std::string cell_of(std::string_view field, const Ordered& value);

}  // namespace reclaim::cli
