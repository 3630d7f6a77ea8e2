// Files of the archive as lines of CSV, read strictly:
//
//   id,size,checksum,copies
//   f1,12,adler32:1e0b0402,V00001:3 V00002:8
//
// The first line is just that. No quotes, no empty lines, no blanks around a field; the names need none of it. A line may end in CR LF.
// Errors are kInvalid with the field `line N`; the message names the column.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/json.hpp"

namespace reclaim::cli {

// `VID:FSEQ` as the API has it, {"vid","fseq"}.
Result<wire::Json> parse_copy(std::string_view text);

class CatalogueCsv {
 public:
  explicit CatalogueCsv(std::istream& text) : text_(text) {}

  // The next file as the API takes it; nullopt at the end.
  Result<std::optional<wire::Json>> next();
  std::int64_t line() const { return line_; }  // of the last answer, counted from 1

 private:
  Result<bool> read_line(std::string& line);
  Error wrong(std::string message) const;

  std::istream& text_;
  std::int64_t line_ = 0;
};

}  // namespace reclaim::cli
