// Reads query parameters one by one and, at finish(), refuses what nobody asked for or what is there twice. The first error is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/service.hpp"

namespace reclaim::http {

inline constexpr std::int64_t kListDefault = 1000;
inline constexpr std::int64_t kListMax = 100'000;

class QueryReader {
 public:
  explicit QueryReader(const Call& call) : call_(call) {}

  std::optional<std::string> text(std::string_view name);  // an empty value is the same as left out
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(std::string_view name);  // `true` or `false`
  std::int64_t limit();                                // of a list

  void fail(Error error);
  Status finish();

 private:
  const Call& call_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace reclaim::http
