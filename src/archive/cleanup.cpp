#include "archive/cleanup.hpp"

#include "archive/queues.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {

namespace {

Status attend(const Context& context, ports::ObjectStore& store, const PendingTape& tape, CleanupReport& report) {
  if (TRY(tidy_queue(store, {tape.vid, QueueType::kToTransfer})) > 0) {
    ++report.waiting;
  } else if (TRY(finish_pending(context, tape))) {
    ++report.finished;
  }
  return done();
}

}  // namespace

Result<CleanupReport> clean_up(const Context& context, ports::ObjectStore& store) {
  CleanupReport report;
  for (const PendingTape& tape : TRY(pending_tapes(context))) {
    const Status attended = attend(context, store, tape, report);
    if (!attended.ok()) report.problems.push_back("tape " + tape.vid.str() + ": " + attended.error().message);
  }
  return report;
}

}  // namespace reclaim::archive
