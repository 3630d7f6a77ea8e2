#include "archive/leave_out.hpp"

#include <set>
#include <utility>
#include <vector>

#include "archive/figures.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {

Result<Moved> part(Hand& hand, const QueueId& queue, SegmentAt from, int place, const Way& way) {
  const SegmentId id = from.id;
  const auto count = static_cast<std::size_t>(from.segment.requests_size());
  Dispersal dispersal{.from = std::move(from), .ways = std::vector<Way>(count, Stay{})};
  dispersal.ways.at(static_cast<std::size_t>(place)) = way;
  const std::vector<Dispersed> dispersed = TRY(disperse(hand, std::span(&dispersal, 1)));
  if (dispersed.front().moved != Moved::kDone) return dispersed.front().moved;
  // Only hints are left to be written: what fails here is made good by whoever takes or tidies.
  if (dispersed.front().rest) {
    (void)write_figures(hand.store(), queue, *dispersed.front().rest);
  } else {
    (void)tidy_queue(hand.store(), queue, std::set<SegmentId>{id});
  }
  return Moved::kDone;
}

Result<bool> leave_out(Hand& hand, const QueueId& queue, SegmentAt from, int place) {
  return TRY(part(hand, queue, std::move(from), place, End{})) == Moved::kDone;
}

}  // namespace reclaim::archive
