// Strong ids: swapping a worker and an owner is a compile error.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace reclaim {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

using WorkerName = Id<struct WorkerNameTag>;
using OwnerId = Id<struct OwnerIdTag>;
using Handle = Id<struct HandleTag>;

// The two kinds of resource a worker holds. Order and numbers are stored and must not change.
enum class ResourceKind : std::uint8_t { kContainer = 0, kVolume = 1 };
inline constexpr ResourceKind kResourceKinds[] = {ResourceKind::kContainer, ResourceKind::kVolume};
constexpr std::string_view name_of(ResourceKind kind) { return kind == ResourceKind::kContainer ? "container" : "volume"; }
constexpr std::string_view plural_of(ResourceKind kind) { return kind == ResourceKind::kContainer ? "containers" : "volumes"; }

// A handle, worker name or owner id is one path component of at most 128 bytes: [A-Za-z0-9][A-Za-z0-9._-]{0,127}.
bool is_well_formed_name(std::string_view text);
Result<Handle> parse_handle(std::string_view text, std::string field = "handle");
Result<WorkerName> parse_worker_name(std::string_view text, std::string field = "name");
// Or, for owners, `adopted:` and a worker's name: who holds what was adopted on that worker. Only Reclaim makes those.
Result<OwnerId> parse_owner_id(std::string_view text, std::string field = "id");
OwnerId adopter_of(const WorkerName& worker);
bool is_adopter(const OwnerId& owner);

}  // namespace reclaim
