#include "server/retrieves.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace reclaim::server {
namespace {

constexpr Millis kStep{30'000};    // a call to the store, or a few
constexpr int kRegistrations = 2;  // an agent that was collected begins anew, once

bool is_fenced(const Status& status) { return !status.ok() && status.error().kind == Error::Kind::kFenced; }

// What was collected in between has done nothing: the caller may ask again.
Error as_away(const Error& error) {
  if (error.kind != Error::Kind::kFenced && error.kind != Error::Kind::kContended) return error;
  return unavailable("the desk was interrupted: " + error.message);
}

}  // namespace

struct RetrieveDesk::Session {
  Session(ports::ObjectStore& store, std::shared_ptr<agents::Agent> of) : agent(std::move(of)), hand(store, *agent), enqueuer(hand) {}

  std::shared_ptr<agents::Agent> agent;
  archive::Hand hand;
  archive::Enqueuer enqueuer;
};

// Submissions, or something else that takes its turn.
struct RetrieveDesk::Job {
  std::vector<archive::Submission> submissions = {};
  std::vector<Result<archive::Enqueued>> answers = {};
  std::function<Status(Session&)> decision = {};
  Status decided = {};
  bool is_done = false;

  std::size_t weight() const { return std::max<std::size_t>(submissions.size(), 1); }
};

RetrieveDesk::RetrieveDesk(ports::Database& database, ports::ObjectStore& store, const Clock& clock, std::string name)
    : database_(database), store_(store), clock_(clock), membership_(store, std::move(name), "desk") {}

Result<RetrieveDesk::Session*> RetrieveDesk::join() {
  agents::Membership::Joined joined = TRY(membership_.join());
  if (!joined.late.empty()) {
    const std::lock_guard lock(mutex_);
    for (const auto& [what, count] : joined.late) late_[what] += count;
  }
  if (joined.is_new || !session_) session_ = std::make_shared<Session>(store_, std::move(joined.agent));
  session_->hand.progress(kStep);
  return session_.get();
}

// Puts the job among those that wait, and works or waits until it is done.
void RetrieveDesk::wait_for(Job& job) {
  std::unique_lock lock(mutex_);
  if (weight_ + job.weight() > kDeskWaitingMax) {
    const Error busy = unavailable("too many requests wait to be taken: try again later");
    job.answers.assign(job.submissions.size(), Result<archive::Enqueued>(busy));
    job.decided = busy;
    return;
  }
  weight_ += job.weight();
  waiting_.push_back(&job);
  while (!job.is_done) {
    if (is_at_work_) {
      changed_.wait(lock);
      continue;
    }
    is_at_work_ = true;
    const std::vector<Job*> jobs = std::exchange(waiting_, {});
    lock.unlock();
    do_all(jobs);
    lock.lock();
    is_at_work_ = false;
    idle_beats_ = 0;
    for (Job* each : jobs) {
      weight_ -= each->weight();
      each->is_done = true;
    }
    changed_.notify_all();
  }
}

// In the order in which they came; submissions that follow each other go together.
void RetrieveDesk::do_all(std::span<Job* const> jobs) {
  for (std::size_t at = 0; at < jobs.size();) {
    if (jobs[at]->decision) {
      jobs[at]->decided = decide(jobs[at]->decision);
      ++at;
      continue;
    }
    std::size_t end = at;
    for (std::size_t sum = 0; end < jobs.size() && !jobs[end]->decision; ++end) {
      sum += jobs[end]->weight();
      if (end > at && sum > kDeskTogetherMax) break;
    }
    submit_together(jobs.subspan(at, end - at));
    at = end;
  }
  if (!session_) return;
  // A list that still names what was let go costs a collector a look; the next write makes it good.
  (void)session_->hand.rest();
  session_->hand.progress(Millis{0});
}

Status RetrieveDesk::decide(const std::function<Status(Session&)>& decision) {
  Status decided;
  for (int i = 0; i < kRegistrations; ++i) {
    Session* session = TRY(join());
    decided = decision(*session);
    if (!is_fenced(decided)) break;
  }
  return decided.ok() ? decided : Status(as_away(decided.error()));
}

void RetrieveDesk::submit_together(std::span<Job* const> jobs) {
  std::vector<archive::Submission> all;
  std::vector<std::size_t> open;  // those that have no answer yet
  for (Job* job : jobs) {
    std::move(job->submissions.begin(), job->submissions.end(), std::back_inserter(all));
  }
  std::vector<Result<archive::Enqueued>> answers(all.size(), Result<archive::Enqueued>(unavailable("")));
  open.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) open.push_back(i);
  for (int i = 0; i < kRegistrations && !open.empty(); ++i) {
    std::vector<archive::Submission> some;
    some.reserve(open.size());
    for (const std::size_t each : open) some.push_back(all[each]);
    const Result<Session*> session = join();
    std::vector<Result<archive::Enqueued>> got(some.size(), session.ok() ? unavailable("") : session.error());
    if (session.ok()) got = session.value()->enqueuer.enqueue(context("desk"), some, clock_.wall().ms);
    std::vector<std::size_t> again;
    for (std::size_t j = 0; j < open.size(); ++j) {
      const bool was_fenced = !got[j].ok() && got[j].error().kind == Error::Kind::kFenced;
      if (was_fenced) again.push_back(open[j]);
      answers[open[j]] = got[j].ok() ? std::move(got[j]) : Result<archive::Enqueued>(as_away(got[j].error()));
    }
    open = std::move(again);
  }
  auto next = answers.begin();
  for (Job* job : jobs) {
    const auto end = next + static_cast<std::ptrdiff_t>(job->submissions.size());
    job->answers.assign(std::make_move_iterator(next), std::make_move_iterator(end));
    next = end;
  }
}

std::vector<Result<archive::Enqueued>> RetrieveDesk::submit(std::vector<archive::Submission> submissions) {
  if (submissions.empty()) return {};
  Job job{.submissions = std::move(submissions)};
  wait_for(job);
  return std::move(job.answers);
}

Result<archive::Cancelling> RetrieveDesk::cancel(const std::string& actor, const archive::RequestId& id) {
  std::optional<archive::Cancelling> cancelled;
  Job job{.decision = [&](Session& session) -> Status {
    const archive::Closing close = [&](const archive::SegmentId& segment) { session.enqueuer.close(segment); };
    cancelled = TRY(archive::cancel_request(session.hand, context(actor), id, close));
    return done();
  }};
  wait_for(job);
  TRY(job.decided);
  return *std::move(cancelled);
}

Result<archive::ShownRequest> RetrieveDesk::retry(const std::string& actor, const archive::RequestId& id) {
  std::optional<archive::ShownRequest> retried;
  Job job{.decision = [&](Session& session) -> Status {
    retried = TRY(archive::retry_failed(session.hand, context(actor), id, clock_.wall().ms));
    return done();
  }};
  wait_for(job);
  TRY(job.decided);
  return *std::move(retried);
}

Result<archive::ShownRequest> RetrieveDesk::remove(const std::string& actor, const archive::RequestId& id) {
  std::optional<archive::ShownRequest> removed;
  Job job{.decision = [&](Session& session) -> Status {
    removed = TRY(archive::remove_failed(session.hand, context(actor), id));
    return done();
  }};
  wait_for(job);
  TRY(job.decided);
  return *std::move(removed);
}

Result<archive::ShownRequest> RetrieveDesk::show(const archive::RequestId& id) const {
  return archive::show_request(context("desk"), store_, id);
}

Result<archive::RequestPage> RetrieveDesk::list(const archive::RequestFilter& filter, const std::string& after, std::size_t limit) const {
  return archive::list_requests(context("desk"), store_, filter, after, limit);
}

Result<archive::RequestPage> RetrieveDesk::list_failed(const std::optional<archive::Vid>& vid, const std::string& after,
                                                       std::size_t limit) const {
  return archive::list_failed(store_, vid, after, limit);
}

agents::LateWrites RetrieveDesk::take_late() {
  const std::lock_guard lock(mutex_);
  return std::exchange(late_, {});
}

Status RetrieveDesk::beat() {
  close_when_idle();
  return membership_.beat();
}

// Takes its turn only where nobody has it: a beat waits for no work.
void RetrieveDesk::close_when_idle() {
  std::unique_lock lock(mutex_);
  if (is_at_work_ || !session_ || idle_beats_ == kIdleBeats || ++idle_beats_ < kIdleBeats) return;
  is_at_work_ = true;
  lock.unlock();
  session_->enqueuer.rest();
  (void)session_->hand.rest();
  lock.lock();
  is_at_work_ = false;
  changed_.notify_all();
}

Status RetrieveDesk::leave() {
  if (!session_) return membership_.leave();
  Job job{.decision = [](Session& session) -> Status {
    session.enqueuer.rest();
    return session.hand.rest();
  }};
  wait_for(job);
  TRY(job.decided);
  return membership_.leave();
}

}  // namespace reclaim::server
