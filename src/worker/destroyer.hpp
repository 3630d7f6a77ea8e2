// The orders in hand, and which of them may run now.
//
//  * An order is in hand from the moment it is accepted until the driver returned from it, in whatever way: only then can nothing act
//    on the handle any more. Past its deadline it is reported as stuck in every sync, and stays in hand.
//  * A result stays until the sync that carried it was answered, and is carried again by every sync until then. A sync that goes out
//    under a mark older than the order's does not carry it, for there it would count for nothing: the order is in hand meanwhile.
//  * An order that is in hand already is not taken twice, and at most kOrdersMax orders of a kind are taken.
//  * At most `in_flight` of a kind hold a slot, fewer while more only hinder each other (ConcurrencyLimit). One that runs longer than
//    `straggler_after` gives its slot up and goes on in the pen, which holds four times `in_flight`; when the pen is full, slots stay
//    taken. Handles that failed before start after all others.
//
// It starts nothing and reads no clock: start() says what to run, finished() is told what came of it.
// Who may call: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wire/sync.hpp"
#include "worker/concurrency.hpp"

namespace reclaim::worker {

struct DestroyLimits {
  wire::PerKind<std::size_t> in_flight{5, 3};
  Millis straggler_after{2'000};
  Millis timeout{300'000};
};

inline constexpr std::size_t kPenFactor = 4;
inline constexpr std::size_t kOrdersMax = 1'000;

// How many orders of a kind may run at once, slots and pen together.
constexpr std::size_t running_max(std::size_t in_flight) { return in_flight * (1 + kPenFactor); }

struct Start {
  ResourceKind kind;
  std::string handle;
  Instant deadline;
};

// What a sync says about orders, read in one piece with its sequence.
struct Report {
  wire::PerKind<std::vector<std::string>> in_hand;
  std::vector<wire::DestroyResult> results;
};

class Destroyer {
 public:
  explicit Destroyer(DestroyLimits limits)
      : limits_(limits), slots_{ConcurrencyLimit(limits.in_flight.containers), ConcurrencyLimit(limits.in_flight.volumes)} {}

  // How many were new. `mark` is the high-water mark of the answer that brought them.
  std::size_t accept(ResourceKind kind, const std::vector<std::string>& handles, std::int64_t mark);
  // Orders that have not begun by then leave the hand instead of beginning: whoever was stopped for longer cannot know what became of
  // its handles meanwhile. The server orders anew what is still to go.
  void trust_until(Instant until) { trusted_until_ = until; }
  // What to run now; from here on it is running.
  std::vector<Start> start(Instant now);
  // When start() may have more to say although nothing finished.
  std::optional<Instant> next_start() const;
  void finished(ResourceKind kind, const std::string& handle, const Status& outcome, Instant now);
  // Orders that have not started leave the hand, without a result.
  void drop_queued();
  // Marks are of a conversation that is over: what is in hand goes by mark 0.
  void forget_marks();

  // For a sync that goes out under the mark `as_of`.
  Report report(std::int64_t sequence, std::int64_t as_of, Instant now);
  // The sync of this sequence was answered: the results it carried are known.
  void answered(std::int64_t sequence);

  bool is_idle() const { return queued_count() == 0 && running_count() == 0 && results_.empty(); }
  bool has_unsent_results() const;
  std::size_t queued_count() const;
  std::size_t running_count() const;
  // How many of a kind may hold a slot now.
  std::size_t slots(ResourceKind kind) const { return slots_[kind].limit(); }

 private:
  struct Running {
    std::int64_t mark;
    Instant since;
    Instant deadline;
    bool penned = false;
  };
  struct Hand {
    std::deque<std::string> fresh;
    std::deque<std::string> again;               // failed before
    std::map<std::string, std::int64_t> queued;  // handle -> mark
    std::map<std::string, Running> running;
    std::map<std::string, std::int64_t> failures;  // per handle that failed last time; bounded
  };
  struct Pending {
    wire::DestroyResult result;
    std::int64_t mark = 0;
    std::int64_t carried_by = 0;  // the last sequence that carried it; 0: none yet
  };

  void pen_stragglers(Hand& hand, std::size_t in_flight, Instant now) const;
  static std::size_t free_slots(const Hand& hand, std::size_t slots);
  void report_results(Report& report, std::int64_t sequence, std::int64_t as_of);

  DestroyLimits limits_;
  std::optional<Instant> trusted_until_;
  wire::PerKind<ConcurrencyLimit> slots_;
  wire::PerKind<Hand> hands_;
  std::vector<Pending> results_;
};

}  // namespace reclaim::worker
