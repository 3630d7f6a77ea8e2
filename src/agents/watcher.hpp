// Who is dead: a judgement on the beats of agents, made on the watcher's own clock. No safety rests on it (takeover.hpp).
//
// An agent is dead when its alive counter has stood still for the timeout, when its progress counter has stood still for the limit that it
// declared, or when it has no beat at all. Time counts only while this process's own calls work: between two looks that both succeeded
// and between which its own beat moved, so that a store that refuses writes, or a process that was suspended, condemns nobody; and never
// more than half a timeout at once, so that after a suspension of the whole machine everybody has the time to beat again.
//
// Clock-free: the caller says what time it is. Who may call: one thread at a time. A crash forgets all: the next watcher counts anew.
// (Unreliable failure detectors: Chandra and Toueg, JACM 1996.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agents/agent_id.hpp"
#include "base/time.hpp"

namespace reclaim::agents {

struct Beat {
  std::uint64_t alive = 0;
  std::uint64_t progress = 0;
  Millis limit{0};         // of the step at hand; 0: none is at hand
  ports::Version version;  // at which a collector may remove it
};

// An agent at one look: its object, its beat, or both.
struct Sighting {
  AgentId id;
  bool has_object = true;
  std::optional<Beat> beat;
};

enum class Life {
  kAlive,
  kSilent,    // no alive for the timeout: dead
  kStuck,     // no progress for the limit it declared: dead
  kBeatless,  // no beat: dead; also one that leaves at this moment, or whose collection was begun
  kLeftover,  // a beat for the timeout, and no agent: its registration or its leaving was cut short
};
std::string_view name_of(Life life);

struct Judgement {
  Sighting seen;
  Life life = Life::kAlive;
  Millis silent_for{0};  // counted time since alive moved
  Millis still_for{0};   // since progress moved
};

class Watcher {
 public:
  // `self` is the agent whose process this is; its own beat is among the sightings. The timeout is positive.
  Watcher(AgentId self, Millis timeout);

  // After a look that succeeded. One judgement for each sighting but one's own, in their order.
  std::vector<Judgement> judge(Instant now, std::span<const Sighting> sightings);
  // A look failed: the time until the next one does not count.
  void missed() { counted_until_.reset(); }

 private:
  struct Seen {
    Beat beat;
    Millis alive_at{0};  // on the counted clock: when it moved last
    Millis progress_at{0};
  };

  Millis advance(Instant now, std::span<const Sighting> sightings);
  Judgement judge_one(const Sighting& sighting, const Seen& seen) const;

  const AgentId self_;
  const Millis timeout_;
  Millis counted_{0};
  std::optional<Instant> counted_until_;
  std::optional<std::uint64_t> own_alive_;
  std::map<AgentId, Seen> seen_;
};

}  // namespace reclaim::agents
