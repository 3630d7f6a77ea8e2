// JSON from strangers, read strictly: duplicate keys, unknown fields, wrong types and numbers out of range are errors that name the
// field. `null` is the same as left out.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reclaim::wire {

using Json = nlohmann::json;

inline constexpr int kDepthMax = 32;

// kUnparsable for what is not one JSON text in UTF-8, nests deeper than kDepthMax, or names a key twice.
Result<Json> parse_json(std::string_view text);

// Compact, and never throws: bytes that are not UTF-8 are replaced.
std::string to_text(const Json& json);

// Reads one object field by field and, at finish(), refuses what nobody asked for. The first error is kept; getters after it
// return empty values, so a decoder reads straight down and checks once.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string path);

  std::optional<std::string> text(const char* key, std::size_t length_max = 4096);
  std::optional<std::int64_t> integer(const char* key, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(const char* key);
  const Json* object(const char* key);
  const Json* array(const char* key, std::size_t count_max);
  std::vector<std::string> texts(const char* key, std::size_t count_max, std::size_t length_max = 4096);

  std::string required_text(const char* key, std::size_t length_max = 4096);
  std::int64_t required_integer(const char* key, std::int64_t min, std::int64_t max);

  std::string path_of(std::string_view key) const;
  void fail(Error error);
  bool ok() const { return !error_.has_value(); }
  Status so_far() const;  // the first error, and unknown fields let be: for answers, to which fields may be added
  Status finish();

 private:
  const Json* find(const char* key);

  const Json* json_;
  std::string path_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace reclaim::wire
