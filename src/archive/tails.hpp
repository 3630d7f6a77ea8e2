// The open ends of to-transfer queues: of each queue the segment that this agent made last, which new requests are appended to by one
// guarded write. For the enqueuer only (enqueue.hpp).
//
// A tail belongs to its queue from its first moment there, and everybody may take it: the next append is refused then, the tail is
// forgotten, and a new one begun. While it is open its name stays on the agent's list, so that a collector gives it another version, and
// what a dead agent still had on its way is refused.
//
// A write whose answer was lost is looked into. If it cannot be known, what it was about is kept here as a doubt, its name stays held, and
// it is settled before anything else is done: by a write of one's own at the same version, after which the lost one is refused for good.
//
// A crash leaves tails as ordinary segments of their queues, and segments that were not in a queue yet with the dead agent.
// Who may call: the hand's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/hand.hpp"
#include "archive/placement.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

inline constexpr std::size_t kTailsMax = 64;         // the least recently used is let go
inline constexpr std::size_t kDoubtsMax = 1000;      // beyond, nothing more is taken until the store answers
inline constexpr int kTailRequests = 1000;           // so many, and the tail is closed: each append writes the whole
inline constexpr std::size_t kTailSlack = 4 * 1024;  // of a segment's bytes, for what is not requests

// A request on its way into a queue, by the caller's number of it.
struct Waiting {
  std::size_t item = 0;
  stored::Request request;
};
using WaitingByTape = std::map<Vid, std::vector<Waiting>>;

// What has become of them; those of a refused queue wait again.
struct Put {
  std::map<std::size_t, RequestId> done;
  std::map<std::size_t, Error> failed;
};

class Tails {
 public:
  explicit Tails(Hand& hand) : hand_(hand) {}

  // Appends what fits: one batch. `queues` is what they were a moment ago; their entries' figures follow.
  void append(WaitingByTape& waiting, const QueuesSeen& queues, Put& put);
  // Makes segments of all of it. Those of a queue that takes nothing now stay in `waiting`.
  void begin(WaitingByTape& waiting, Put& put);

  // That segment is going to be changed by this agent's own thread: it is appended to no more.
  void close(const SegmentId& segment);
  void close_all();
  // Settles what doubts it can. kUnavailable: so many are left that no more may come.
  Status settle();

 private:
  struct Tail {
    SegmentAt at;
    std::size_t bytes = 0;
    std::uint64_t used = 0;  // when: larger is later
  };
  using TailOf = std::map<Vid, Tail>::iterator;
  struct Appending {
    TailOf tail;
    std::vector<std::size_t> items;  // of the last requests in it
  };
  struct Fresh {  // a segment that is being made
    Vid vid;
    SegmentAt at;
    std::vector<std::size_t> items;  // of its requests
    std::size_t bytes = 0;
  };
  struct Doubt {
    SegmentId id;
    std::string created = {};  // what a creation on its way would write
  };

  std::vector<Appending> fill_tails(WaitingByTape& waiting);
  void conclude(const Appending& appending, const ports::StoreCall& call, const ports::StoreAnswer& answer, WaitingByTape& waiting,
                Put& put);
  std::vector<Fresh> draw(WaitingByTape& waiting);
  // Of a write that arrived without an answer. kUnavailable: others have had the segment since.
  Result<ports::Version> version_of_created(const ports::StoreCall& call);
  void create(std::vector<Fresh>& fresh, Put& put);
  void announce_them(std::vector<Fresh>& fresh, WaitingByTape& waiting, Put& put);
  void hand_over(std::vector<Fresh>& fresh, Put& put);
  void open_tail(Fresh made);
  void give_up(const Fresh& fresh, const Error& why, Put& put, std::string created = {});
  bool undo(const Fresh& fresh);
  bool settle_one(const Doubt& doubt);
  void drop(TailOf tail);

  Hand& hand_;
  std::map<Vid, Tail> tails_;
  std::map<SegmentId, Doubt> doubts_;
  std::uint64_t uses_ = 0;
};

}  // namespace reclaim::archive
