// Requests to read files, one a line, as the API takes them. Read whole and strictly before anything is sent: to submit is not to be
// repeated.
//
//   {"file":"f1","destination":"run 7/f1","report_to":"http://...","requester":"alice","priority":5,"policy":"bulk"}
//
// or, when the first line does not begin with a brace, CSV whose first line names its columns, `file` and `destination` among them:
//
//   file,destination,requester,priority
//   f1,run 7/f1,alice,5
//
// CSV knows no quotes: a name with a comma in it is for JSON. An empty field is left out. A line may end in CR LF.
// Errors are kInvalid with the field `line N`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace reclaim::cli {

inline constexpr std::size_t kRequestLinesMax = 1'000'000;

struct RequestLine {
  std::string json;
  std::int64_t line = 0;  // counted from 1
};

Result<std::vector<RequestLine>> read_request_lines(std::istream& text);

}  // namespace reclaim::cli
