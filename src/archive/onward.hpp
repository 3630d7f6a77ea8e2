// Where the requests of some segments go on from here: for each what placement says, one look at the tapes for all of them. What cleaners
// and collectors share. For this room only.
//
// What ended is left out: what is on record already, and what its requester cancelled while it was in somebody's hands, which is recorded
// here. A request whose only tapes in service are under cleanup at this moment waits: a queue that its tape accepts is let go soon.
//
// A crash leaves cancelled requests on record and still in their segments: whoever decides next leaves them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "archive/context.hpp"
#include "archive/disperse.hpp"
#include "archive/names.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

struct Onward {
  Dispersal dispersal;  // Stay for those that wait, too
  std::uint64_t requeued = 0;
  std::uint64_t failed = 0;  // just now: no tape takes them
  std::uint64_t ended = 0;
  std::size_t stays = 0;
  std::size_t waits = 0;

  bool changes_nothing() const { return stays + waits == dispersal.ways.size(); }
};

// In the segments' order. `at`: they are in the to-transfer queue of this tape, and what it accepts as it is now stays there.
Result<std::vector<Onward>> decide(const Context& context, ports::ObjectStore& store, std::vector<SegmentAt> segments,
                                   const std::optional<Vid>& at);

// All stay but those that have ended.
Result<std::vector<Onward>> decide_to_stay(const Context& context, std::vector<SegmentAt> segments);

}  // namespace reclaim::archive
