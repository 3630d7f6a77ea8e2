// Takeover: what dead agents leave is settled and their records go, one collector to each.
//
// Collecting an agent, in this order; a crash or a lost answer between any two is resumed by the next pass, of whichever process:
//   1. read its object; record that object as one's own
//   2. remove its beat at the version that was judged: an agent that has beaten since lives, and is left alone. From here on it is dead for
//      everybody, and its own heart finds out
//   3. write oneself into its object as the collector, at the version read: no two collect, and whatever it or a former collector
//      still wants to write is refused
//   4. settle everything on its list (the estate), dropping names only when they are settled
//   5. remove its object when the list is empty
// A collector that dies is collected like any other. On its list are the agents that it collected; the next collector records them as its
// own, writes itself into them, and goes on with them. Their objects get a new version also where the dead one had not taken them yet:
// a paused collector that wakes can then no longer do it.
//
// The safety of all this rests on versions alone. To judge a living agent dead costs its work at hand: its writes are refused, it stops
// and registers again.
//
// Names that do not exist. A dead agent may have recorded a name, and create it later, when it wakes; nobody can ever know for sure that it
// will not, because nobody hears again of a process that was killed. So nothing rests on it: names are drawn by one agent each, a late
// creation meets nothing of anybody's, and it names an owner that does not exist as soon as the dead agent's object is gone. The sweep over
// objects whose owner does not exist settles it like anything on a list. An estate may keep the name taken until then, and need not.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agents/agent.hpp"
#include "agents/watcher.hpp"

namespace reclaim::agents {

// A name from a dead agent's list, and what was there a moment ago.
struct Bequest {
  ports::ObjectName name;
  std::optional<ports::Object> object;
};

// What can be owned, and what becomes of it when its owner dies. Implemented by the room that knows the objects.
class Estate {
 public:
  virtual ~Estate() = default;

  // Settles each, in whatever order; one answer for each. ok promises: since `dead` was taken, the object was
  //  * rewritten under a new version, whether or not it names `dead` as its owner: a paused owner that read it earlier is refused; if it
  //    names `dead`, it now belongs to somebody else, and so does all that hung on it;
  //  * or found absent, or removed: what is created under that name from now on is found by the sweep, once `dead` has no object any more.
  // It may be asked again for what it has settled: after a crash, and for names of a former collector. Writes are guarded by the version
  // that came along. Not ok: the name stays on the list and comes again with the next pass: kConflict: somebody wrote the object
  // meanwhile; kUnavailable; kCorrupt only where even setting it aside is impossible. kFenced ends the pass: the collector was collected.
  // What is created on the way is recorded as the collector's own first, like everything.
  virtual std::vector<Status> settle(const AgentId& dead, std::span<const Bequest> bequests) = 0;
};

struct TakeoverReport {
  std::size_t taken = 0;              // agents into which this collector wrote itself
  std::size_t collected = 0;          // agents that are gone
  std::size_t settled = 0;            // names
  std::size_t leftovers = 0;          // beats without an agent, removed
  bool more = false;                  // the budget ended before the work
  std::vector<std::string> problems;  // the first hundred
};

// The pass of one process. One thread at a time: that of `self`, which is registered; a new one needs a new Takeover.
class Takeover {
 public:
  Takeover(ports::ObjectStore& store, Agent& self, Estate& estate, Millis timeout)
      : store_(store, self.heart().refusals()), self_(self), estate_(estate), watcher_(self.id(), timeout) {}

  // Looks, judges, resumes what was begun, and collects the dead, until `budget` names are settled. What fails with one agent or name
  // is a problem in the report and hinders no other; the next pass tries again. To be called more often than twice in a timeout.
  // kUnavailable: it could not look; kFenced: self was collected.
  Result<TakeoverReport> run(Instant now, std::size_t budget);

  // What the last look showed of all others.
  const std::vector<Judgement>& judgements() const { return judgements_; }

 private:
  struct Taken {
    AgentId id;
    stored::Agent record;
    ports::Version version;
  };

  std::vector<Judgement> due() const;
  Status attend(const Judgement& judgement);
  Status remove_leftover(const Judgement& judgement);
  Result<std::optional<Taken>> take(const Judgement& judgement);
  Result<bool> is_due_to_self(const Judgement& judgement, const stored::Agent& record);
  Result<bool> remove_beat(const Judgement& judgement);
  Status settle(Taken taken);
  Status settle_slice(const Taken& taken, std::span<const ports::ObjectName> names, std::set<ports::ObjectName>& left);
  std::vector<Bequest> read_slice(const AgentId& dead, std::span<const ports::ObjectName> names);
  Status settled(const AgentId& dead, const ports::ObjectName& name, const Status& status, std::set<ports::ObjectName>& left);
  Status inherit(const AgentId& dead, const Bequest& agent);
  Status bury(const Taken& taken);
  void problem(const AgentId& id, const Error& error);
  bool is_collecting(const std::string& agent) const;
  std::optional<Taken> let_go(const AgentId& id);

  NotingStore store_;
  Agent& self_;
  Estate& estate_;
  Watcher watcher_;
  std::vector<Judgement> judgements_;
  TakeoverReport report_;
  std::size_t budget_ = 0;
};

}  // namespace reclaim::agents
