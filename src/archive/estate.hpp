// What becomes of the archive's objects when the agent that had them in hand dies: what takeover asks of this room (agents/takeover.hpp).
//
//   segment   the dead agent's: each request goes on as if newly submitted, all copies considered, and what ended is left out. A queue's
//             or another agent's: rewritten as it is. A child of a split: completed where its source names it, else removed. Forwarding:
//             finished and settled. Unreadable: quarantined
//   queue     a reservation by the dead agent goes, and with it a queue that is empty; else rewritten as it is
//   mount     the dead agent's: removed; another's: rewritten
//   absent    settled as it is (docs/decisions/055-estate.md)
//
// What is returned has entries of its own in the queues that it goes to, and is on the collector's list first. What cannot go anywhere at
// this moment (its tapes are under cleanup) stays on the dead agent's list for the next pass: kConflict. Of a kind that nobody knows:
// kCorrupt, which hinders nothing else.
//
// Who may call: the takeover of the hand's agent. A crash leaves each thing settled or not, and it may be asked again for either.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/takeover.hpp"
#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

class ArchiveEstate final : public agents::Estate {
 public:
  // `context` as it is at the moment of each call.
  ArchiveEstate(Hand& hand, std::function<Context()> context) : hand_(hand), context_(std::move(context)) {}

  std::vector<Status> settle(const agents::AgentId& dead, std::span<const agents::Bequest> bequests) override;

 private:
  // What is left to be done of a segment: nothing, or its requests go on, or stay.
  struct Left {
    std::size_t index;
    SegmentAt segment;
    bool goes_on = false;
  };

  Status settle_one(const agents::AgentId& dead, const agents::Bequest& bequest, std::size_t index, std::vector<Left>& left);
  Status settle_queue(const agents::AgentId& dead, const agents::Bequest& bequest);
  Status settle_mount(const agents::AgentId& dead, const agents::Bequest& bequest);
  Status settle_segment(const agents::AgentId& dead, const agents::Bequest& bequest, std::size_t index, std::vector<Left>& left);
  Status settle_child(const SegmentAt& child, const SegmentId& source);
  Result<std::vector<Status>> disperse_all(std::vector<SegmentAt> segments, bool go_on);

  Hand& hand_;
  std::function<Context()> context_;
};

// Settles what the hand itself has on its list of that kind, as if its agent had died, and takes it off the list: what an error left in
// the middle (segments), and everything when the process stops. Errors: the first; what was settled is off the list.
Status give_back(Hand& hand, agents::Estate& estate, std::string_view kind);

}  // namespace reclaim::archive
