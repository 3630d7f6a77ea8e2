#include "agents/heart.hpp"

#include <algorithm>

#include "agents/records.hpp"

namespace reclaim::agents {

std::string Heart::next_beat() {
  stored::Beat beat;
  beat.set_alive(++alive_);  // also after a beat whose answer was lost: a counter never stands still twice
  const std::lock_guard lock(mutex_);
  beat.set_progress(progress_);
  beat.set_limit_ms(static_cast<std::uint64_t>(limit_.count()));
  return encode(id_, beat);
}

Status Heart::beat() {
  TRY(check());
  if (!version_) {
    const Result<ports::Object> object = store_.read(id_.beat());
    if (!object.ok() && object.error().kind == Error::Kind::kNotFound) found_collected();
    TRY(check());
    if (!object.ok()) return object.error();
    version_ = object.value().version;
  }
  const Refusals::Mark sent = refusals_.mark();
  const Result<ports::Version> written = store_.replace(id_.beat(), *version_, next_beat());
  if (written.ok()) {
    refusals_.proven(sent);
    version_ = written.value();
    return done();
  }
  version_.reset();
  if (written.error().kind == Error::Kind::kNotFound) found_collected();
  TRY(check());
  if (written.error().kind == Error::Kind::kConflict) return unavailable("an earlier beat of " + id_.str() + " arrived late");
  return written.error();
}

void Heart::progress(Millis limit) {
  const std::lock_guard lock(mutex_);
  ++progress_;
  limit_ = std::clamp(limit, Millis(0), kStepMax);
}

Status Heart::check() const {
  if (!is_fenced()) return done();
  return fenced(id_.str() + " was collected, or has left: register again", "epoch");
}

void Heart::end_as(End how) {
  auto lives = End::kNone;
  end_.compare_exchange_strong(lives, how);
}

LateWrites Heart::late() const {
  if (end_ != End::kCollected) return {};
  LateWrites late = refusals_.left();
  late["agent"] = 1;
  return late;
}

void Heart::end() {
  fence();
  const Result<ports::Object> object = store_.read(id_.beat());
  if (object.ok()) (void)store_.remove(id_.beat(), object.value().version);
}

}  // namespace reclaim::agents
