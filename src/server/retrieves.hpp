// The desk where requests come in and are decided on: one agent of the store for all threads of this process.
//
// Submissions that come at the same time go together: the thread that finds nobody at work works for all that wait meanwhile, itself
// included, so that many small ones share the calls to the store and nobody waits for a timer. What an operator or requester decides about
// one request takes its turn at the same place.
// (Hendler et al., "Flat combining and the synchronization-parallelism tradeoff", SPAA 2010.)
//
// Errors: kUnavailable also where too many wait already; otherwise those of the use cases. A crash leaves the desk's agent to its
// collector. Who may call: any thread; beat() by the app's heart, every `--agent-heartbeat`.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/membership.hpp"
#include "archive/cancel.hpp"
#include "archive/enqueue.hpp"
#include "archive/failed.hpp"
#include "archive/requests.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"
#include "ports/object_store.hpp"

namespace reclaim::server {

inline constexpr std::size_t kDeskWaitingMax = 50'000;   // submissions and decisions that wait
inline constexpr std::size_t kDeskTogetherMax = 10'000;  // submissions that go together
inline constexpr int kIdleBeats = 20;

class RetrieveDesk {
 public:
  // `name` is the agent's; those of several processes may be equal.
  RetrieveDesk(ports::Database& database, ports::ObjectStore& store, const Clock& clock, std::string name);

  // One answer for each, in their order (archive/enqueue.hpp).
  std::vector<Result<archive::Enqueued>> submit(std::vector<archive::Submission> submissions);
  Result<archive::Cancelling> cancel(const std::string& actor, const archive::RequestId& id);
  Result<archive::ShownRequest> retry(const std::string& actor, const archive::RequestId& id);
  Result<archive::ShownRequest> remove(const std::string& actor, const archive::RequestId& id);

  // Reads, which wait for nobody.
  Result<archive::ShownRequest> show(const archive::RequestId& id) const;
  Result<archive::RequestPage> list(const archive::RequestFilter& filter, const std::string& after, std::size_t limit) const;
  Result<archive::RequestPage> list_failed(const std::optional<archive::Vid>& vid, const std::string& after, std::size_t limit) const;

  // As agents::Membership. Besides, a desk that nobody has come to for kIdleBeats of them closes what it has open: as long as a name is on
  // a living agent's list, no sweep looks at what became of it.
  Status beat();
  // What a former agent of the desk was refused after it had been collected, told once. Any thread.
  agents::LateWrites take_late();
  // The graceful end, after the last call of anybody. Where it fails, others collect the agent.
  Status leave();

 private:
  struct Session;  // what is made for one registration of the agent
  struct Job;

  archive::Context context(std::string actor) const { return {database_, clock_.wall(), std::move(actor)}; }
  void do_all(std::span<Job* const> jobs);
  void submit_together(std::span<Job* const> jobs);
  void wait_for(Job& job);
  Status decide(const std::function<Status(Session&)>& decision);
  void close_when_idle();
  Result<Session*> join();

  ports::Database& database_;
  ports::ObjectStore& store_;
  const Clock& clock_;
  agents::Membership membership_;
  std::shared_ptr<Session> session_;  // of the thread at work

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Job*> waiting_;
  std::size_t weight_ = 0;  // of those that wait
  bool is_at_work_ = false;
  int idle_beats_ = 0;
  agents::LateWrites late_;  // not told yet
};

}  // namespace reclaim::server
