#include "fleet/collectors.hpp"

namespace reclaim::fleet {

std::span<const Collector> collectors() {
  static constexpr Collector kCollectors[] = {
      {"release-expired-owners", release_expired_owners},
      {"creating-deadline", creating_deadline},
      {"mark-failed", mark_failed},
      {"mark-orphans", mark_orphans},
      {"missing", missing},
      {"unknown", unknown},
      {"worker-lifecycle", worker_lifecycle},
  };
  return kCollectors;
}

}  // namespace reclaim::fleet
