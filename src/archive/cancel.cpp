#include "archive/cancel.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "archive/ended.hpp"
#include "archive/leave_out.hpp"
#include "archive/locate.hpp"
#include "archive/split.hpp"

namespace reclaim::archive {
namespace {

constexpr int kAttempts = 16;  // each that fails saw the request somewhere else

// Why there is nothing to cancel.
Error none(const std::optional<EndedRequest>& ended, const RequestId& id) {
  if (ended && ended->ended.how == Ending::kDone) return conflict("retrieve " + text_of(id) + " has ended: it is too late");
  return not_found("no retrieve " + text_of(id));
}

// Nothing: it was somewhere else by then.
Result<std::optional<Cancelling>> attempt(Hand& hand, const Context& context, const Located& located, const Closing& close) {
  const Owner owner = TRY(parse_owner(located.segment->segment.owner()));
  if (const auto* source = std::get_if<SegmentId>(&owner)) {
    TRY(finish_splits(hand.store(), *source));
    return std::optional<Cancelling>();
  }
  close(located.segment->id);
  const auto places = std::span(&located.place, 1);
  ShownRequest request = shown(*located.segment, located.place);
  std::optional<SegmentAt> flagged = TRY(flag(hand.store(), *located.segment, places));
  if (!flagged) return std::optional<Cancelling>();
  const auto* queue = std::get_if<QueueId>(&owner);
  if (queue == nullptr) return std::optional(Cancelling{Cancelled::kFlagged, std::move(request)});
  const bool is_out = TRY(leave_out(hand, context, *queue, *std::move(flagged), places, Ending::kCancelled));
  if (!is_out) return std::optional<Cancelling>();
  return std::optional(Cancelling{Cancelled::kRemoved, std::move(request)});
}

}  // namespace

Result<Cancelling> cancel_request(Hand& hand, const Context& context, const RequestId& id, const Closing& close) {
  for (int i = 0; i < kAttempts; ++i) {
    const std::optional<Located> located = TRY(locate(hand.store(), id));
    if (!located) {
      const auto ended = TRY(find_ended(context, std::span(&id, 1)));
      return none(ended.front(), id);
    }
    if (located->request().state() != stored::Request::QUEUED) {
      return conflict("retrieve " + text_of(id) + " is delivered or has failed: it is too late");
    }
    std::optional<Cancelling> cancelled = TRY(attempt(hand, context, *located, close));
    if (cancelled) return *std::move(cancelled);
  }
  return unavailable("retrieve " + text_of(id) + " did not come to rest");
}

}  // namespace reclaim::archive
