#include "drive/verdict.hpp"

#include <algorithm>
#include <string>

namespace reclaim::drive {
namespace {

using archive::stored::Request;

}  // namespace

Next judge(Request& request, const Try& tried) {
  Request::Attempts& attempts = *request.mutable_attempts();
  attempts.set_within_mount(attempts.within_mount() + 1);
  attempts.set_total(attempts.total() + 1);
  const auto end_as = [&](Request::State state) {
    request.set_state(state);
    request.set_final_attempt(attempts.total());
    return Next::kReport;
  };
  if (tried.came == Came::kDelivered) return end_as(Request::TRANSFERRED);
  const Request::Copy& copy = *archive::active_copy(request);
  archive::add_error(request, copy.vid() + ":" + std::to_string(copy.fseq()) + ": " + tried.why);
  const bool is_repack = request.kind() == Request::REPACK;
  const bool is_over = tried.came == Came::kRequestFailed || attempts.total() >= (is_repack ? 1 : kTriesTotal);
  if (is_over) return end_as(Request::FAILED);
  return attempts.within_mount() < kTriesWithinMount ? Next::kAgain : Next::kElsewhere;
}

archive::QueueId send_elsewhere(Request& request, archive::TapeStandings& tapes, std::int64_t day, const archive::Vid& vid) {
  request.mutable_attempts()->set_within_mount(0);
  Request::Copy& copy = *request.mutable_copies(static_cast<int>(request.active_copy()));
  copy.set_failed(true);
  if (!archive::best_copy(request, tapes, day)) copy.set_failed(false);
  return archive::send_on(request, tapes, day, vid);
}

}  // namespace reclaim::drive
