// The segments that a drive has taken from one tape, what became of their requests so far, and handing that over. For this room only.
//
// A requester may cancel at any moment: that is written into the segment. Handing over is refused then, reads again, and sees it; and
// before a file is read, its segment is looked at again if that was not done for kLookMs.
//
// Errors: of the store, the catalogue and the agent. A crash: session.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "archive/disperse.hpp"
#include "archive/ended.hpp"
#include "archive/placement.hpp"
#include "archive/segments.hpp"
#include "drive/session.hpp"
#include "drive/verdict.hpp"

namespace reclaim::drive {

inline constexpr std::int64_t kLookMs = 1000;

// Of a request in hand.
struct Place {
  archive::RequestId id;
  archive::SegmentId segment;
  std::uint64_t fseq = 0;
};

class InHand {
 public:
  enum class Now : std::uint8_t { kWhatIsFinal, kEverything };

  InHand(Drive& drive, const archive::Vid& vid, MountReport& report) : drive_(drive), vid_(vid), report_(report) {}

  void add(std::vector<archive::SegmentAt> segments);
  // Those of which nothing has become yet, in the order in which they lie on the tape.
  std::vector<Place> in_tape_order() const;
  // To be read now; nothing where it has left or was cancelled.
  Result<std::optional<archive::stored::Request>> look_at(const Place& place);

  // It is TRANSFERRED or FAILED, or to be read elsewhere: that waits for the end of the mount, or this tape would have it again at once.
  void record(const Place& place, archive::stored::Request request, Next next);
  // That are final and not handed over.
  std::size_t results() const { return final_; }
  Status hand_over(Now now);

 private:
  struct Outcome {
    archive::stored::Request request;
    Next next = Next::kReport;
  };
  struct Held {
    archive::SegmentAt at;
    std::map<std::uint32_t, Outcome> results;  // by ordinal
    std::int64_t looked_ms = 0;
  };

  bool has_news(const Held& held, Now now) const;
  Result<archive::Dispersal> decide(Held& held, Now now, archive::TapeStandings& tapes, std::vector<archive::Ended>& cancelled) const;
  Status hand_over_once(Now now);
  Status look_again(Held& held);
  Status settle(Held& held, const archive::Dispersal& wanted, archive::Dispersed come);
  void count(const Held& held, const archive::Dispersal& wanted);

  Drive& drive_;
  const archive::Vid& vid_;
  MountReport& report_;
  std::map<archive::SegmentId, Held> held_;
  std::size_t final_ = 0;
};

}  // namespace reclaim::drive
