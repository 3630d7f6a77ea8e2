#include "agents/watcher.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace reclaim::agents {

std::string_view name_of(Life life) {
  switch (life) {
    case Life::kAlive: return "alive";
    case Life::kSilent: return "silent";
    case Life::kStuck: return "stuck";
    case Life::kBeatless: return "beatless";
    case Life::kLeftover: return "leftover";
  }
  return "";
}

Watcher::Watcher(AgentId self, Millis timeout) : self_(std::move(self)), timeout_(timeout) {
  reclaim::check(timeout > Millis(0), "an agent timeout is positive");
}

// The time since the last move of one's own beat waits, uncounted, for the next. What moves meanwhile is given the end of it (the stamp
// returned), so that nobody is charged for time before he moved.
Millis Watcher::advance(Instant now, std::span<const Sighting> sightings) {
  const auto self = std::ranges::find(sightings, self_, &Sighting::id);
  std::optional<std::uint64_t> alive;
  if (self != sightings.end() && self->beat) alive = self->beat->alive;
  const Millis waiting = counted_until_ ? std::clamp(now - *counted_until_, Millis(0), timeout_ / 2) : Millis(0);
  const bool moved = alive && alive != own_alive_;
  own_alive_ = alive;
  if (!moved) return counted_ + waiting;
  counted_ += waiting;
  counted_until_ = now;
  return counted_;
}

std::vector<Judgement> Watcher::judge(Instant now, std::span<const Sighting> sightings) {
  const Millis stamp = advance(now, sightings);
  std::vector<Judgement> judgements;
  std::map<AgentId, Seen> seen;
  for (const Sighting& sighting : sightings) {
    if (sighting.id == self_) continue;
    const Beat beat = sighting.beat.value_or(Beat());
    const auto before = seen_.find(sighting.id);
    Seen now_seen{.beat = beat, .alive_at = stamp, .progress_at = stamp};
    if (before != seen_.end() && before->second.beat.alive == beat.alive) now_seen.alive_at = before->second.alive_at;
    if (before != seen_.end() && before->second.beat.progress == beat.progress) now_seen.progress_at = before->second.progress_at;
    judgements.push_back(judge_one(sighting, now_seen));
    seen.emplace(sighting.id, now_seen);
  }
  seen_ = std::move(seen);
  return judgements;
}

Judgement Watcher::judge_one(const Sighting& sighting, const Seen& seen) const {
  Judgement judgement{.seen = sighting};
  judgement.silent_for = std::max(counted_ - seen.alive_at, Millis(0));
  judgement.still_for = std::max(counted_ - seen.progress_at, Millis(0));
  const bool silent = judgement.silent_for >= timeout_;
  const bool stuck = seen.beat.limit > Millis(0) && judgement.still_for >= seen.beat.limit;
  if (!sighting.beat) {
    judgement.life = Life::kBeatless;
  } else if (!sighting.has_object) {
    judgement.life = silent ? Life::kLeftover : Life::kAlive;
  } else if (silent || stuck) {
    judgement.life = silent ? Life::kSilent : Life::kStuck;
  }
  return judgement;
}

}  // namespace reclaim::agents
