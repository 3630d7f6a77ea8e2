#include "cli/request_lines.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "wire/json.hpp"

namespace reclaim::cli {
namespace {

constexpr std::size_t kLineMax = 16'384;
constexpr std::string_view kColumns[] = {"file", "destination", "report_to", "requester", "priority", "policy"};

class Lines {
 public:
  explicit Lines(std::istream& text) : text_(text) {}

  // False at the end.
  Result<bool> next(std::string& line) {
    line.clear();
    ++number_;
    for (int c = text_.get(); c != std::istream::traits_type::eof(); c = text_.get()) {
      if (c == '\n') {
        if (line.ends_with('\r')) line.pop_back();
        return true;
      }
      if (line.size() == kLineMax) return wrong("is longer than " + std::to_string(kLineMax) + " bytes");
      line += static_cast<char>(c);
    }
    if (text_.bad()) return unavailable("it cannot be read to its end; nothing was sent");
    return !line.empty();
  }
  Error wrong(std::string message) const { return invalid("line " + std::to_string(number_), std::move(message)); }
  std::int64_t number() const { return number_; }

 private:
  std::istream& text_;
  std::int64_t number_ = 0;
};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(','); end != text.npos; end = text.find(',')) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

using Columns = std::vector<std::string>;

Result<Columns> columns_of(const Lines& lines, std::string_view titles) {
  Columns columns;
  std::set<std::string_view> seen;
  for (const std::string_view title : split(titles)) {
    const bool is_known = std::ranges::find(kColumns, title) != std::end(kColumns);
    if (!is_known) return lines.wrong("'" + std::string(title) + "' is no column: file,destination,report_to,requester,priority,policy");
    if (!seen.insert(title).second) return lines.wrong("names " + std::string(title) + " twice");
    columns.emplace_back(title);
  }
  if (!seen.contains("file") || !seen.contains("destination")) return lines.wrong("must name the columns file and destination");
  return columns;
}

Result<std::string> from_csv(const Lines& lines, const Columns& columns, std::string_view line) {
  const std::vector<std::string_view> fields = split(line);
  if (fields.size() != columns.size())
    return lines.wrong("has " + std::to_string(fields.size()) + " fields, not " + std::to_string(columns.size()));
  wire::Json request = wire::Json::object();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].empty()) continue;
    if (columns[i] != "priority") {
      request[columns[i]] = fields[i];
      continue;
    }
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(fields[i].data(), fields[i].data() + fields[i].size(), number);
    if (failed != std::errc() || end != fields[i].data() + fields[i].size()) return lines.wrong("priority: is not a number");
    request["priority"] = number;
  }
  for (const char* column : {"file", "destination"}) {
    if (!request.contains(column)) return lines.wrong(std::string(column) + ": is empty");
  }
  return wire::to_text(request);
}

Result<std::string> from_json(const Lines& lines, std::string_view line) {
  const Result<wire::Json> request = wire::parse_json(line);
  if (!request.ok()) return lines.wrong(request.error().message);
  if (!request.value().is_object()) return lines.wrong("is not a JSON object");
  return wire::to_text(request.value());
}

}  // namespace

Result<std::vector<RequestLine>> read_request_lines(std::istream& text) {
  Lines lines(text);
  std::string line;
  bool goes_on = TRY(lines.next(line));
  const bool is_json = line.starts_with('{');
  Columns columns;
  if (!is_json) {
    if (!goes_on) return lines.wrong("is missing: there is nothing to read");
    columns = TRY(columns_of(lines, line));
    goes_on = TRY(lines.next(line));
  }
  std::vector<RequestLine> requests;
  for (; goes_on; goes_on = TRY(lines.next(line))) {
    if (requests.size() == kRequestLinesMax)
      return lines.wrong("is one too many: submit " + std::to_string(kRequestLinesMax) + " at a time");
    requests.push_back({is_json ? TRY(from_json(lines, line)) : TRY(from_csv(lines, columns, line)), lines.number()});
  }
  return requests;
}

}  // namespace reclaim::cli
