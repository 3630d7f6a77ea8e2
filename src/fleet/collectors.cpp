#include "fleet/collectors.hpp"

#include "fleet/slices.hpp"

namespace reclaim::fleet {

std::span<const Collector> collectors() {
  static constexpr Collector kCollectors[] = {
      {"release-expired-owners", release_expired_owners, release_expired_owners_sweep},
      {"creating-deadline", creating_deadline, creating_deadline_sweep},
      {"mark-failed", mark_failed, mark_failed_sweep},
      {"mark-orphans", mark_orphans, mark_orphans_sweep},
      {"missing", missing, missing_sweep},
      {"unknown", unknown, unknown_sweep},
      {"worker-lifecycle", worker_lifecycle, worker_lifecycle_sweep},
  };
  return kCollectors;
}

}  // namespace reclaim::fleet
