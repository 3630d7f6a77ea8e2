#include "base/ids.hpp"

#include <algorithm>

namespace reclaim {
namespace {

constexpr std::string_view kAdopterPrefix = "adopted:";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

template <class IdType>
Result<IdType> parse(std::string_view text, std::string field) {
  if (is_well_formed_name(text)) return IdType(std::string(text));
  return invalid(std::move(field), "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
}

}  // namespace

bool is_well_formed_name(std::string_view text) {
  if (text.empty() || text.size() > 128 || !is_alphanumeric(text.front())) return false;
  return std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<Handle> parse_handle(std::string_view text, std::string field) { return parse<Handle>(text, std::move(field)); }
Result<WorkerName> parse_worker_name(std::string_view text, std::string field) { return parse<WorkerName>(text, std::move(field)); }

Result<OwnerId> parse_owner_id(std::string_view text, std::string field) {
  if (text.starts_with(kAdopterPrefix) && is_well_formed_name(text.substr(kAdopterPrefix.size()))) return OwnerId(std::string(text));
  return parse<OwnerId>(text, std::move(field));
}

OwnerId adopter_of(const WorkerName& worker) { return OwnerId(std::string(kAdopterPrefix) + worker.str()); }
bool is_adopter(const OwnerId& owner) { return owner.str().starts_with(kAdopterPrefix); }

}  // namespace reclaim
