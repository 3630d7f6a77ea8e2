// A desk that is collected while it makes a segment, between any two of its calls, and goes on: a submitter who is told that his request is
// nowhere can rely on it, and no request is there twice (A1, C1).
//
// What happened twice. The collector had put the new segment into a queue, and the desk went on with it: told by the queue that the segment
// could not go there, it could not take it back any more either, and still said that it was nowhere, or put its requests elsewhere as well
// (`reclaim simulate --workload archive --seed 65`). And, told late that its segment had been made, it took what had become of that
// for what it had made, and wrote over the record of where its requests had gone (`--seed 20904 --steps 1200`).
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "archive/enqueue.hpp"
#include "archive/files.hpp"
#include "support/archive_world.hpp"
#include "support/interrupted_store.hpp"

namespace reclaim::archive {
namespace {

using test::Ids;
using test::Process;
using test::to_transfer;

// The answers to the call with that number are lost, and somebody acts before the caller hears of that.
class SilencedStore : public ports::ObjectStore {
 public:
  SilencedStore(ports::ObjectStore& inner, int at, std::function<void()> act) : inner_(inner), at_(at), act_(std::move(act)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);
    if (calls_++ != at_) return answers;
    act_();
    return {calls.size(), ports::StoreAnswer(unavailable("the answer was lost"))};
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }
  bool has_happened() const { return calls_ > at_; }

 private:
  ports::ObjectStore& inner_;
  int at_;
  std::function<void()> act_;
  int calls_ = 0;
};

// Two files on V1, and each on another tape, which takes requests only if V1 does not.
struct Submitted : test::ArchiveWorld {
  Submitted() {
    std::vector<FileSpec> files;
    for (const char* vid : {"V2", "V3"}) {
      files.push_back({.id = FileId(vid), .size = 1000, .checksum = "adler32:0123abcd", .copies = {{Vid("V1"), ++fseq}, {Vid(vid), 1}}});
      ask(vid, TapeState::kDisabled, "slow");
    }
    for (const auto& added : sim::must(add_files(context(), files))) EXPECT_TRUE(added.ok());
  }

  // What others do, who collect the desk; afterwards all comes to rest without it. False: there is no such call.
  template <class Store>
  bool submit(int at, const std::function<void(Process&)>& act) {
    Process desk(*database, store, "desk");
    Process others(*database, store, "others");
    Store seen(store, at, [&] { act(others); });
    Hand hand(seen, *desk.agent);
    Enqueuer enqueuer(hand);
    const std::vector<Submission> wanted{{.file = FileId("V2"), .destination = "out/1"}, {.file = FileId("V3"), .destination = "out/2"}};
    for (const Result<Enqueued>& answer : enqueuer.enqueue(context(), wanted, 1'764'000'000'000)) {
      in_a_queue += answer.ok() ? 1 : 0;
      nobody_knows += !answer.ok() && answer.error().kind == Error::Kind::kUnavailable ? 1 : 0;
    }
    (void)others.run_all();
    return seen.has_happened();
  }

  void expect_final(const std::string& where) {
    const Ids all = all_requests();
    EXPECT_EQ(all.size(), std::set<RequestId>(all.begin(), all.end()).size()) << where << ": a request is there twice";
    EXPECT_GE(all.size(), in_a_queue) << where << ": a request is lost";
    EXPECT_LE(all.size(), in_a_queue + nobody_knows) << where << ": a request is there that was said to be nowhere";
    test::expect_clean(*this, where);
  }

  std::int64_t fseq = 0;
  std::size_t in_a_queue = 0;  // that is what their submitters were told
  std::size_t nobody_knows = 0;
};

// A cleaner has the queue by then.
void collect_and_reserve(Process& others) {
  (void)others.run_all();
  edit_queue(others.hand.store(), to_transfer("V1"), [&](stored::Queue& queue) -> Result<Edited> {
    queue.mutable_reservation()->set_agent(others.hand.id().str());
    return Edited::kWrite;
  }).value();
}

TEST(CollectedDesks, SayOfNoRequestThatACollectorQueuedThatItIsNowhere) {
  int at = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++at) {
    Submitted world;
    is_reached = world.submit<test::InterruptedStore>(at, collect_and_reserve);
    world.expect_final("before call " + std::to_string(at));
  }
  std::printf("crash points: collected desks: %d\n", at);
}

TEST(CollectedDesks, DoNotWriteASegmentAgainOfWhoseCreationTheyHearLate) {
  int at = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++at) {
    Submitted world;
    is_reached = world.submit<SilencedStore>(at, [&](Process& others) {
      world.ask("V1", TapeState::kBroken);
      (void)others.run_all();
    });
    world.expect_final("after call " + std::to_string(at) + ", whose answer was lost");
  }
  std::printf("crash points: collected desks that hear late: %d\n", at);
}

}  // namespace
}  // namespace reclaim::archive
