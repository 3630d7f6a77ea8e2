#include "http/query_reader.hpp"

#include <charconv>

namespace reclaim::http {

void QueryReader::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  known_.emplace(name);
  std::optional<std::string> found;
  for (const auto& [key, value] : call_.query) {
    if (key != name) continue;
    if (found) fail(invalid(std::string(name), "is there twice"));
    found = value;
  }
  if (found && found->empty()) return std::nullopt;
  return found;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const std::optional<std::string> found = text(name);
  if (!found) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = found->data() + found->size();
  const auto [stopped, failed] = std::from_chars(found->data(), end, number);
  if (failed == std::errc() && stopped == end && number >= min && number <= max) return number;
  fail(invalid(std::string(name), "must be a number from " + std::to_string(min) + " to " + std::to_string(max)));
  return std::nullopt;
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  const std::optional<std::string> found = text(name);
  if (!found) return std::nullopt;
  if (*found != "true" && *found != "false") fail(invalid(std::string(name), "must be true or false"));
  return *found == "true";
}

std::int64_t QueryReader::limit() { return integer("limit", 1, kListMax).value_or(kListDefault); }

Status QueryReader::finish() {
  for (const auto& [key, value] : call_.query) {
    if (!known_.contains(key)) fail(invalid(key, "is not a parameter of this call"));
  }
  if (error_) return *error_;
  return done();
}

}  // namespace reclaim::http
