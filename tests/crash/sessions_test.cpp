// Workflows of the fleet in which every word of a sync counts: a second worker that says what the machine of the first would not.
#include <gtest/gtest.h>

#include "crash/universe.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using sim::Teller;

const std::string kKey = "ssh-ed25519 " + std::string(68, 'A');
const WorkerName kTold("w2");

// w2 is enrolled, has synced, and has a container that is to go and one that is to stay.
void told(Universe& universe) {
  universe.world.enroll(kTold.str());
  must(fleet::put_worker(universe.world.context(), {.name = kTold, .keys = std::vector<std::string>{kKey}}));
  universe.world.own("elsewhere");
  universe.world.add_container("x", "", kTold.str());
  universe.world.add_container("y", "elsewhere", kTold.str());
  universe.teller.tell("x y");
  universe.world.collect();
  universe.teller.tell("x y");
}

// What w2 says next, with a change to it. Whether it is heard or refused, the worker goes on.
template <class Change>
auto saying(Change change) {
  return [change](Universe& universe) {
    wire::SyncRequest request = universe.teller.frame("x y");
    change(request);
    (void)universe.teller.send(request).ok();
  };
}

void boot(Universe& universe, std::int64_t started, const std::string& id) {
  Teller next(universe.world, kTold.str(), started);
  wire::SyncRequest request = next.frame("y");
  request.boot = id;
  (void)next.send(request).ok();
}

std::vector<Workflow> of_words() {
  return {
      {"a destroy that failed, another in hand", told, saying([](wire::SyncRequest& request) {
         request.results = {sim::failed(kContainer, "x", "busy")};
         request.in_hand.containers = {"x"};
       })},
      {"a handle under two roots", told, saying([](wire::SyncRequest& request) {
         request.inventories.containers->added = {"x"};
         request.malformed = {{kContainer, "y"}};
       })},
      {"one root again",
       [](Universe& universe) {
         told(universe);
         saying([](wire::SyncRequest& request) { request.malformed = {{kContainer, "y"}}; })(universe);
       },
       saying([](wire::SyncRequest&) {})},
      {"a kind that is not listed", told, saying([](wire::SyncRequest& request) {
         request.inventories.containers.reset();
         request.unlisted = {{kContainer, "the runtime does not answer"}};
       })},
      {"a machine that has rebooted",
       [](Universe& universe) {
         told(universe);
         boot(universe, 2, "first");
       },
       [](Universe& universe) { boot(universe, 3, "second"); }},
      {"a stranger where there is no grace",
       [](Universe& universe) {
         told(universe);
         universe.world.policy().unknown_grace = 0min;
       },
       saying([](wire::SyncRequest& request) {
         request.inventories.containers->added = {"x", "y", "stranger"};
       })},
  };
}

// One that started before the present session of w2 did, and comes by.
void earlier_session(Universe& universe) {
  Teller earlier(universe.world, kTold.str(), 0);
  (void)earlier.send(earlier.frame("x y")).ok();
}

std::vector<Workflow> of_fences() {
  return {
      {"a worker that was answered by a database that nobody knows", told, saying([](wire::SyncRequest& request) {
         request.answered = wire::Answered{"forgotten", request.session, 77};
         request.inventories.containers->added = {"x", "y", "stranger"};
       })},
      {"a session from before", told, earlier_session},
      {"a session from before is accepted",
       [](Universe& universe) {
         told(universe);
         earlier_session(universe);
       },
       [](Universe& universe) {
         (void)fleet::accept_worker(universe.world.context(), kTold, fleet::Accept::kSession, std::nullopt).ok();
         earlier_session(universe);
       }},
      {"a worker known by its key", told,
       [](Universe& universe) {
         wire::SyncRequest request = universe.teller.frame("x y");
         (void)fleet::worker_of_key(universe.world.database(), kKey).ok();
         (void)fleet::sync(universe.world.context("worker"), {.key = kKey, .worker = ""}, request).ok();
       }},
      {"enrolled again, with another key", told,
       [](Universe& universe) {
         const std::vector<std::string> keys{"ssh-ed25519 " + std::string(68, 'B'), kKey};
         (void)fleet::put_worker(universe.world.context(), {.name = kTold, .keys = keys, .tags = std::vector<std::string>{"big"}}).ok();
       }},
      {"orders for a sync that is held", told,
       [](Universe& universe) {
         (void)fleet::orders_for_held(universe.world.context(), kTold, "session-w2-1", universe.teller.sequence).ok();
       }},
      {"a database that was put back from a backup",
       [](Universe& universe) {
         told(universe);
         universe.live("kept", "elsewhere");
         universe.settle();
       },
       [](Universe& universe) { (void)fleet::restore_lineage(universe.world.context(), make_uuid(universe.random)).ok(); }},
  };
}

std::vector<Workflow> workflows() {
  std::vector<Workflow> all;
  for (const auto& some : {of_words(), of_fences()}) all.insert(all.end(), some.begin(), some.end());
  return all;
}

TEST(CrashAtEveryStep, OfEverySessionKeepsTheInvariants) { crash_at_every_step("sessions", workflows()); }

TEST(CrashTwice, InEverySessionKeepsTheInvariants) { crash_twice("sessions", workflows()); }

}  // namespace
}  // namespace reclaim::test
