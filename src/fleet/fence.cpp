#include "fleet/fence.hpp"

namespace reclaim::fleet {

Result<Admission> admit(const WorkerRow& worker, const wire::SyncRequest& request) {
  const bool has_synced = !worker.session.empty();
  const bool same_incarnation = worker.incarnation == request.incarnation;
  if (has_synced && !same_incarnation) {
    return fenced(
        "worker " + worker.name + " is known under another incarnation: if its disk was replaced, prune the worker and enrol it again",
        "session");
  }
  if (same_incarnation && request.started < worker.started) return fenced("superseded by a later start of this worker", "session");
  if (same_incarnation && request.started == worker.started && request.session != worker.session) {
    return fenced("superseded: another session has this start counter", "session");
  }
  if (has_synced && request.as_of > worker.change) {
    return fenced("as_of quotes an answer that this server never gave: the database is older than the worker's memory", "lineage");
  }
  const bool same_session = has_synced && request.started == worker.started;
  if (!same_session) return Admission::kNewSession;
  if (request.sequence <= worker.sequence) {
    return fenced("sequence " + std::to_string(request.sequence) + " is not above " + std::to_string(worker.sequence), "sequence");
  }
  return Admission::kSameSession;
}

}  // namespace reclaim::fleet
