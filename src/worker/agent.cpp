#include "worker/agent.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "wire/json.hpp"

namespace reclaim::worker {
namespace {

constexpr Millis kBackoffMin{100};
constexpr Millis kBackoffMax{10'000};
constexpr Millis kOrdersTrusted{60'000};  // after the sync whose answer was the last
constexpr Millis kRefusedPause{3'000};    // a person has to do something first
constexpr std::size_t kObservedMax = 100'000;

bool is_a_persons_turn(const Error& error) {
  return error.kind == Error::Kind::kUnauthenticated || error.kind == Error::Kind::kForbidden || error.kind == Error::Kind::kNotFound;
}

}  // namespace

std::string to_text(const wire::Answered& answered) {
  return wire::to_text(wire::Json{{"lineage", answered.lineage}, {"session", answered.session}, {"sequence", answered.sequence}}) + "\n";
}

Result<wire::Answered> parse_answered(std::string_view text) {
  const wire::Json json = TRY(wire::parse_json(text));
  if (!json.is_object()) return corrupt("not a JSON object");
  wire::ObjectReader reader(json, "answered");
  wire::Answered answered{reader.required_text("lineage", 128), reader.required_text("session", 128),
                          reader.required_integer("sequence", 0, wire::kNumberMax)};
  TRY(reader.finish());
  return answered;
}

Agent::Agent(AgentOptions options, std::vector<ports::ResourceDriver*> drivers, Memory& memory, Random& random)
    : options_(std::move(options)),
      drivers_(std::move(drivers)),
      memory_(memory),
      random_(random),
      lists_(drivers_.size(), options_.list_patience),
      destroyer_(options_.limits),
      next_sync_(options_.sync_interval),
      troubles_(drivers_.size()) {
  for (std::size_t i = 0; i < drivers_.size(); ++i) places_[drivers_[i]->kind()].push_back(i);
  for (const ResourceKind kind : kResourceKinds) trackers_[kind] = InventoryTracker(places_[kind].size());
}

Status Agent::open() {
  answered_ = TRY(memory_.load());
  return done();
}

std::vector<std::size_t> Agent::begin(Instant now) {
  heard_ = high_water_;
  return lists_.start(high_water_, now);
}

void Agent::listed(std::size_t driver, Listing listing, Instant now) {
  const ResourceKind kind = drivers_[driver]->kind();
  lists_.finished(driver, listing.ok() ? done() : Status(listing.error()), now);
  if (!listing.ok()) return;
  const auto place = std::ranges::find(places_[kind], driver) - places_[kind].begin();
  trackers_[kind].take(static_cast<std::size_t>(place), std::move(listing).value());
}

wire::SyncRequest Agent::prepare(std::optional<wire::Disk> disk, Instant now) {
  ++sequence_;
  wire::SyncRequest request;
  request.session = options_.identity.session;
  request.incarnation = options_.identity.incarnation;
  request.started = options_.identity.started;
  request.sequence = sequence_;
  request.as_of = heard_;
  request.answered = answered_;
  look(request, now);
  Report report = destroyer_.report(sequence_, request.as_of, now);
  request.in_hand = std::move(report.in_hand);
  request.results = std::move(report.results);
  add_disk(request, disk);
  held_ = may_hold() && next_sync_ > Millis(0);
  if (held_) request.wait_ms = std::min({next_sync_, options_.sync_interval, options_.hold_max, Millis(wire::kWaitMaxMs)}).count();
  const bool unchanged = std::ranges::all_of(kResourceKinds, [this](ResourceKind kind) { return trackers_[kind].is_unchanged(); });
  request.same = settled_ && unchanged && request.results.empty() && destroyer_.is_idle();
  add_inventories(request);
  if (!request.same) {
    request.boot = options_.boot;
    request.accepts_new_incarnation = options_.accepts_new_incarnation;
  }
  sent_ = now;
  settled_ = false;
  return request;
}

// What there is of listings goes into the view; a kind of which all are there goes into the sync, and takes its mark along.
void Agent::look(wire::SyncRequest& request, Instant now) {
  listing_notes_.clear();
  for (const ResourceKind kind : kResourceKinds) {
    if (places_[kind].empty()) continue;
    const bool complete = std::ranges::all_of(places_[kind], [this](std::size_t place) { return lists_.is_at_hand(place); });
    trackers_[kind].look(complete);
    std::string troubles = troubles_of(kind, now);
    if (complete) {
      request.as_of = std::min(request.as_of, lists_.carry(places_[kind]));
    } else if (!troubles.empty()) {
      request.unlisted.push_back({kind, std::move(troubles)});
    }
  }
}

std::string Agent::troubles_of(ResourceKind kind, Instant now) {
  std::string troubles;
  for (const std::size_t place : places_[kind]) {
    const std::optional<Error> found = lists_.trouble(place, now);
    const std::string trouble = found ? drivers_[place]->name() + ": " + found->message : "";
    if (found) troubles.append(troubles.empty() ? "" : "; ").append(trouble);
    if (trouble == troubles_[place]) continue;
    if (found) {
      listing_notes_.push_back({true, std::string(plural_of(kind)) + " are left out of the sync, for they cannot be listed: " + trouble});
    } else {
      listing_notes_.push_back({false, "lists " + drivers_[place]->name() + " again"});
    }
    troubles_[place] = trouble;
  }
  return troubles;
}

void Agent::add_inventories(wire::SyncRequest& request) {
  for (const ResourceKind kind : kResourceKinds) {
    if (!request.same) request.inventories[kind] = trackers_[kind].frame(sequence_);
    for (const std::string& name : trackers_[kind].malformed()) {
      if (request.malformed.size() < wire::kResultsMax) request.malformed.push_back({kind, name});
    }
  }
}

// Disk use moves all the time; only a change of a hundredth is news.
void Agent::add_disk(wire::SyncRequest& request, std::optional<wire::Disk> disk) {
  if (!disk) return;
  const bool is_news = !settled_ || !disk_sent_ || disk->total_bytes != disk_sent_->total_bytes ||
                       std::abs(disk->used_bytes - disk_sent_->used_bytes) > disk->total_bytes / 100;
  if (!is_news) return;
  request.disk = disk;
  disk_sent_ = disk;
}

// While anything is in hand results may become ready, and a held exchange could not carry them.
bool Agent::may_hold() const { return options_.hold_max > Millis(0) && settled_ && !options_.observe && destroyer_.is_idle(); }

Turn Agent::take(const Result<wire::SyncAnswer>& answer, Instant now) {
  Turn turn;
  turn.notes = std::exchange(listing_notes_, {});
  if (!answer.ok()) {
    refuse(answer.error(), turn);
  } else if (answer.value().sequence != sequence_) {
    refuse(corrupt("the answer is to sync " + std::to_string(answer.value().sequence) + ", not to the latest"), turn);
  } else {
    accept(answer.value(), now, turn);
  }
  return turn;
}

void Agent::accept(const wire::SyncAnswer& answer, Instant now, Turn& turn) {
  if (!last_failure_.empty()) turn.notes.push_back({false, "syncing again"});
  last_failure_.clear();
  failures_ = 0;
  if (!follow_lineage(answer, turn)) return;
  remember({answer.lineage, options_.identity.session, answer.sequence}, turn);
  high_water_ = answer.high_water;
  destroyer_.answered(sequence_);
  destroyer_.trust_until(sent_ + std::max(kOrdersTrusted, 2 * options_.sync_interval));
  for (const ResourceKind kind : kResourceKinds) {
    const bool accepted = std::ranges::find(answer.resync, kind) == answer.resync.end();
    trackers_[kind].answered(sequence_, accepted);
  }
  settled_ = std::ranges::all_of(answer.resync, [this](ResourceKind kind) { return places_[kind].empty(); });
  accept_orders(answer, turn);
  next_sync_ = std::min(Millis(answer.next_sync_ms), options_.sync_interval);
  // Instead of waiting at home with nothing in hand, wait at the server, which then answers as soon as there is work.
  if (!held_ && may_hold()) return;
  turn.pause = std::max(Millis(0), next_sync_ - (now - sent_));
}

void Agent::accept_orders(const wire::SyncAnswer& answer, Turn& turn) {
  std::set<std::string> observed;
  for (const ResourceKind kind : kResourceKinds) {
    if (!options_.observe) {
      destroyer_.accept(kind, answer.destroy[kind], answer.high_water);
      continue;
    }
    for (const std::string& handle : answer.destroy[kind]) {
      if (observed.size() == kObservedMax) break;
      const std::string what = std::string(name_of(kind)) + " " + handle;
      if (!observed_.contains(what)) turn.notes.push_back({false, "would destroy " + what});
      observed.insert(what);
    }
  }
  observed_ = std::move(observed);
}

// A restored backup answers under another lineage than the one this worker knows. It is followed once it names ours as replaced,
// but what it says now was judged by what it asked under the old one: the conversation begins anew first.
bool Agent::follow_lineage(const wire::SyncAnswer& answer, Turn& turn) {
  if (!answered_ || answered_->lineage == answer.lineage) return true;
  begin_anew();
  if (std::ranges::find(answer.replaces, answered_->lineage) == answer.replaces.end()) {
    turn.notes.push_back({true, "the server answers under lineage " + answer.lineage + ", which does not replace the known " +
                                    answered_->lineage + ": nothing is destroyed until an operator accepts it"});
    turn.pause = options_.sync_interval;
    return false;
  }
  remember({answer.lineage, options_.identity.session, answer.sequence}, turn);
  turn.notes.push_back({false, "follows lineage " + answer.lineage});
  return false;
}

void Agent::remember(wire::Answered answered, Turn& turn) {
  const Status stored = memory_.store(answered);
  answered_ = std::move(answered);
  const std::string failure = stored.ok() ? "" : "cannot write down the last answer: " + stored.error().message;
  if (!failure.empty() && failure != last_store_failure_) turn.notes.push_back({true, failure});
  last_store_failure_ = failure;
}

void Agent::refuse(const Error& error, Turn& turn) {
  const bool is_fence = error.kind == Error::Kind::kFenced;
  if (is_fence && error.field == "session") {
    destroyer_.drop_queued();
    turn.verdict = Turn::Verdict::kSuperseded;
    turn.notes.push_back({true, "another session of this worker has taken over: " + error.message});
    return;
  }
  if (error.message != last_failure_) turn.notes.push_back({true, "sync failed: " + error.message});
  last_failure_ = error.message;
  if (is_fence && error.field == "lineage") {
    begin_anew();
    turn.pause = options_.sync_interval;
  } else if (is_a_persons_turn(error)) {
    turn.pause = kRefusedPause + Millis(static_cast<std::int64_t>(random_.next() % 1000));
  } else {
    turn.pause = backoff();
  }
}

void Agent::begin_anew() {
  destroyer_.drop_queued();
  destroyer_.forget_marks();
  lists_.forget_marks();
  for (const ResourceKind kind : kResourceKinds) trackers_[kind].begin_anew();
  high_water_ = 0;
}

Millis Agent::backoff() {
  Millis bound = kBackoffMin;
  for (int i = 0; i < failures_ && bound < kBackoffMax; ++i) bound *= 2;
  ++failures_;
  bound = std::min(bound, kBackoffMax);
  return bound / 2 + Millis(static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(bound.count() / 2 + 1)));
}

std::vector<ports::ResourceDriver*> Agent::drivers_of(ResourceKind kind, const std::string& handle) const {
  std::vector<ports::ResourceDriver*> found;
  for (const std::size_t place : trackers_[kind].drivers_of(handle)) found.push_back(drivers_[places_[kind][place]]);
  return found;
}

}  // namespace reclaim::worker
