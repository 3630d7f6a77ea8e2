#include "cli/catalogue_csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/ids.hpp"

namespace reclaim::cli {
namespace {

constexpr std::string_view kTitles = "id,size,checksum,copies";
constexpr std::size_t kLineMax = 8192;
constexpr std::int64_t kNumberMax = 9007199254740991;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(at); end != text.npos; end = text.find(at)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::optional<std::int64_t> number_in(std::string_view text, std::int64_t min) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_one = failed == std::errc() && end == text.data() + text.size() && number >= min && number <= kNumberMax;
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<wire::Json> parse_copy(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view vid = text.substr(0, colon);
  const std::optional<std::int64_t> fseq = colon == text.npos ? std::nullopt : number_in(text.substr(colon + 1), 1);
  if (!is_well_formed_name(vid) || !fseq) return invalid("copies", "'" + std::string(text) + "' is not VID:FSEQ");
  return wire::Json{{"vid", vid}, {"fseq", *fseq}};
}

Error CatalogueCsv::wrong(std::string message) const { return invalid("line " + std::to_string(line_), std::move(message)); }

// False at the end.
Result<bool> CatalogueCsv::read_line(std::string& line) {
  line.clear();
  ++line_;
  for (int c = text_.get(); c != std::istream::traits_type::eof(); c = text_.get()) {
    if (c == '\n') {
      if (line.ends_with('\r')) line.pop_back();
      return true;
    }
    if (line.size() == kLineMax) return wrong("is longer than " + std::to_string(kLineMax) + " bytes");
    line += static_cast<char>(c);
  }
  if (text_.bad()) return unavailable("the file cannot be read to its end");
  return !line.empty();
}

Result<std::optional<wire::Json>> CatalogueCsv::next() {
  std::string line;
  if (line_ == 0) {
    const bool has_titles = TRY(read_line(line));
    if (!has_titles || line != kTitles) return wrong("must be " + std::string(kTitles));
  }
  const bool is_there = TRY(read_line(line));
  if (!is_there) return std::optional<wire::Json>();
  const std::vector<std::string_view> fields = split(line, ',');
  if (fields.size() != 4) return wrong("has " + std::to_string(fields.size()) + " fields: " + std::string(kTitles));
  if (!is_well_formed_name(fields[0])) return wrong("id: must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  const std::optional<std::int64_t> size = number_in(fields[1], 0);
  if (!size) return wrong("size: must be a number from 0 to " + std::to_string(kNumberMax));
  if (fields[2].empty()) return wrong("checksum: must be adler32: and 8 hexadecimal digits");
  wire::Json copies = wire::Json::array();
  for (const std::string_view text : fields[3].empty() ? std::vector<std::string_view>() : split(fields[3], ' ')) {
    Result<wire::Json> copy = parse_copy(text);
    if (!copy.ok()) return wrong("copies: " + copy.error().message);
    copies.push_back(std::move(copy).value());
  }
  return std::optional(wire::Json{{"id", fields[0]}, {"size", *size}, {"checksum", fields[2]}, {"copies", std::move(copies)}});
}

}  // namespace reclaim::cli
