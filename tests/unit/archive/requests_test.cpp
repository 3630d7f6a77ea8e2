// What people see of requests and decide on them: show, list, cancel, and the failed queue.
#include "archive/requests.hpp"

#include <gtest/gtest.h>

#include "archive/cancel.hpp"
#include "archive/ended.hpp"
#include "archive/failed.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using samples::Desk;
using samples::kFailedQueue;
using samples::kReports;
using stored::Request;
using Strings = std::vector<std::string>;

void delivered(Request& request) { request.set_state(Request::TRANSFERRED); }
void failed(Request& request) {
  request.set_state(Request::FAILED);
  request.mutable_attempts()->set_total(6);
  request.set_final_attempt(6);
  request.mutable_copies(0)->set_failed(true);
  add_error(request, "V1: no such file");
}

struct Counter : Desk {
  Counter() : Desk({"V1", "V2"}) {
    add_file("f1", {"V1"});
    add_file("f2", {"V1", "V2"});
  }

  RequestId submit(const std::string& file) { return enqueue(file).value().id; }
  Result<ShownRequest> show(const RequestId& id) { return show_request(context, memory, id); }
  std::string state(const RequestId& id) {
    const Result<ShownRequest> found = show(id);
    return std::string(found.ok() ? name_of(found.value().state) : name_of(found.error().kind));
  }
  Result<Cancelling> cancel(const RequestId& id) {
    return cancel_request(hand, context, id, [&](const SegmentId& segment) { enqueuer.close(segment); });
  }
  void end(const RequestId& id, Ending how, bool reported) {
    const Ended ended{.id = id, .how = how, .reported = reported, .request = show(id).value().request};
    record_ended(context, std::span(&ended, 1)).value();
    const Located located = locate(memory, id).value().value();
    Dispersal dispersal{.from = *located.segment, .ways = {}};
    dispersal.ways.assign(static_cast<std::size_t>(located.segment->segment.requests_size()), Stay{});
    dispersal.ways.at(static_cast<std::size_t>(located.place)) = End{};
    enqueuer.close(located.segment->id);
    disperse(hand, std::span(&dispersal, 1)).value();
  }
  // All pages, each of at most `limit`, in words.
  Strings list(const RequestFilter& filter, std::size_t limit) {
    Strings ids;
    std::string after;
    do {
      const RequestPage page = list_requests(context, memory, filter, after, limit).value();
      EXPECT_LE(page.requests.size(), limit);
      for (const ShownRequest& request : page.requests) ids.push_back(text_of(request.id) + " " + std::string(name_of(request.state)));
      after = page.next;
    } while (!after.empty());
    return ids;
  }
};

std::string refusal(const Error& error) { return std::string(name_of(error.kind)) + ": " + error.message; }

TEST(Requests, AreShownInTheStateThatTheirPlaceSays) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  EXPECT_EQ(desk.state(id), "queued");
  desk.send(id, kReports, delivered);
  EXPECT_EQ(desk.state(id), "reporting");
  desk.send(id, kFailedQueue, [](Request&) {});
  EXPECT_EQ(desk.state(id), "failed");
  const RequestId taken = desk.submit("f1");
  desk.take_all("V1");
  EXPECT_EQ(desk.state(taken), "transferring");
  EXPECT_EQ(desk.state({.origin = id.origin, .ordinal = 99}), "not-found");
}

TEST(Requests, ThatHaveEndedAreShownUnlessSomebodyDidAwayWithThem) {
  Counter desk;
  const RequestId served = desk.submit("f1");
  const RequestId told = desk.submit("f1");
  const RequestId removed = desk.submit("f1");
  desk.send(served, kReports, delivered);
  desk.end(served, Ending::kDone, false);
  desk.send(told, kReports, failed);
  desk.end(told, Ending::kDone, true);
  desk.end(removed, Ending::kRemoved, false);
  EXPECT_EQ(desk.state(served), "done");
  EXPECT_FALSE(desk.show(served).value().reported);
  EXPECT_EQ(desk.state(told), "failed");
  EXPECT_TRUE(desk.show(told).value().reported);
  EXPECT_EQ(desk.state(removed), "not-found");
}

TEST(Requests, AreFoundInFewReadsHoweverOftenTheyMoved) {
  Counter desk;
  const RequestId id = desk.submit("f2");
  for (int i = 0; i < 3; ++i) desk.submit("f2");
  desk.send(id, kReports, failed);
  desk.send(id, kFailedQueue, [](Request&) {});
  retry_failed(desk.hand, desk.context, id, samples::kNow).value();
  desk.store.take();
  EXPECT_EQ(show_request(desk.context, desk.store, id).value().state, RequestState::kQueued);
  EXPECT_LE(desk.store.take().count("read"), 3);
}

TEST(Requests, AreListedPageByPageTheEndedLast) {
  Counter desk;
  const RequestId first = desk.submit("f1");
  const RequestId second = desk.submit("f1");
  const RequestId third = desk.submit("f1");
  desk.send(first, kReports, delivered);
  desk.end(first, Ending::kDone, true);
  desk.send(second, kReports, failed);
  const Strings all{text_of(third) + " queued", text_of(second) + " reporting", text_of(first) + " done"};
  for (const std::size_t limit : {1U, 2U, 3U, 100U}) EXPECT_EQ(desk.list({}, limit), all) << limit;
  EXPECT_EQ(desk.list({.state = RequestState::kDone}, 1), Strings({all[2]}));
  EXPECT_EQ(desk.list({.file = FileId("f2")}, 10), Strings());
  EXPECT_EQ(desk.list({.vid = Vid("V1"), .state = RequestState::kQueued}, 10), Strings({all[0]}));
  EXPECT_EQ(list_requests(desk.context, desk.memory, {}, "s.1.x", 10).error().field, "after");
}

TEST(Requests, NameTheirFileAndTheTapesOfAllItsCopies) {
  Counter desk;
  desk.add_tape("V3");
  EXPECT_FALSE(tape_has_requests(desk.memory, Vid("V2")).value());
  const RequestId id = desk.submit("f2");
  EXPECT_TRUE(tape_has_requests(desk.memory, Vid("V1")).value());
  EXPECT_TRUE(tape_has_requests(desk.memory, Vid("V2")).value());
  EXPECT_FALSE(tape_has_requests(desk.memory, Vid("V3")).value());
  EXPECT_TRUE(file_has_requests(desk.memory, FileId("f2")).value());
  EXPECT_FALSE(file_has_requests(desk.memory, FileId("f1")).value());
  desk.cancel(id).value();
  EXPECT_FALSE(file_has_requests(desk.memory, FileId("f2")).value());
}

TEST(Cancel, OfOneThatWaitsRemovesItAndCountsIt) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  const RequestId other = desk.submit("f1");
  EXPECT_EQ(desk.cancel(id).value().how, Cancelled::kRemoved);
  EXPECT_EQ(desk.state(id), "not-found");
  EXPECT_EQ(desk.state(other), "queued");
  EXPECT_EQ(desk.shown("V1"), 1U) << "lists show it at once";
  EXPECT_EQ(count_ended(desk.context).value().cancelled, 1);
  EXPECT_EQ(refusal(desk.cancel(id).error()), "not-found: no retrieve " + text_of(id));
  EXPECT_EQ(desk.findings(), Strings());

  desk.cancel(other).value();
  EXPECT_EQ(desk.memory.list_all("segment").value(), Strings()) << "nothing of them is left";
  EXPECT_EQ(desk.memory.list_all("queue").value(), Strings());
  EXPECT_NE(desk.submit("f1").origin, id.origin) << "and what was the tail is none";
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Cancel, OfOneInADrivesHandsFlagsIt) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  desk.take_all("V1");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(desk.cancel(id).value().how, Cancelled::kFlagged);
  EXPECT_EQ(desk.state(id), "transferring");
  EXPECT_TRUE(desk.show(id).value().request.cancel_asked());
  EXPECT_EQ(count_ended(desk.context).value().cancelled, 0);
  EXPECT_EQ(desk.findings(), Strings());
}

TEST(Cancel, IsTooLateForWhatIsDeliveredOrHasFailed) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  desk.send(id, kReports, delivered);
  EXPECT_EQ(desk.cancel(id).error().kind, Error::Kind::kConflict);
  desk.end(id, Ending::kDone, true);
  EXPECT_EQ(desk.cancel(id).error().kind, Error::Kind::kConflict);
}

TEST(Failed, AreListedByTapePageByPage) {
  Counter desk;
  Strings all;
  for (const char* vid : {"V1", "V2"}) {
    for (int i = 0; i < 3; ++i) {
      const RequestId id = desk.submit("f2");
      desk.send(id, {Vid(vid), QueueType::kFailed}, failed);
      all.push_back(text_of(id));
    }
  }
  const auto list = [&](const std::optional<Vid>& vid, std::size_t limit) {
    Strings ids;
    std::string after;
    do {
      const RequestPage page = list_failed(desk.memory, vid, after, limit).value();
      for (const ShownRequest& request : page.requests) ids.push_back(text_of(request.id));
      after = page.next;
    } while (!after.empty());
    return ids;
  };
  for (const std::size_t limit : {1U, 2U, 6U, 100U}) EXPECT_EQ(list(std::nullopt, limit), all) << limit;
  EXPECT_EQ(list(Vid("V2"), 2), Strings(all.begin() + 3, all.end()));
  EXPECT_EQ(list_failed(desk.memory, std::nullopt, "V1/x/3", 10).error().field, "after");
}

TEST(Failed, RetriedWaitAnewWithAllTheirCopies) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  const std::int64_t created = desk.show(id).value().request.created_ms();
  desk.send(id, kFailedQueue, failed);
  const ShownRequest begun = retry_failed(desk.hand, desk.context, id, samples::kNow + 99).value();
  EXPECT_EQ(begun.state, RequestState::kQueued);
  const ShownRequest found = desk.show(id).value();
  EXPECT_EQ(found.state, RequestState::kQueued);
  EXPECT_EQ(found.request.round(), 2U);
  EXPECT_EQ(found.request.attempts().total(), 0U);
  EXPECT_EQ(found.request.final_attempt(), 0U);
  EXPECT_FALSE(found.request.copies(0).failed());
  EXPECT_EQ(found.request.created_ms(), created);
  EXPECT_EQ(desk.shown("V1"), 1U);
  EXPECT_EQ(desk.findings(), Strings());
  EXPECT_EQ(refusal(retry_failed(desk.hand, desk.context, id, samples::kNow).error()),
            "conflict: retrieve " + text_of(id) + " is queued, it is not in the failed queue");
}

TEST(Failed, StayWhereTheyAreWhileNoTapeCanServeThem) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  desk.send(id, kFailedQueue, failed);
  ask_tape_state(desk.context, Vid("V1"), TapeState::kBroken, "torn").value();
  EXPECT_EQ(refusal(retry_failed(desk.hand, desk.context, id, samples::kNow).error()),
            "conflict: no tape can serve file f1: V1 is BROKEN_PENDING: \"torn\"");
  EXPECT_EQ(desk.show(id).value().request.round(), 1U);
  EXPECT_EQ(desk.state(id), "failed");
}

TEST(Failed, ThatWereDeliveredAreOnlyReportedOnceMore) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  desk.send(id, kFailedQueue, [](Request& request) {
    delivered(request);
    request.set_final_attempt(2);
    request.mutable_attempts()->set_report(12);
  });
  retry_failed(desk.hand, desk.context, id, samples::kNow).value();
  const ShownRequest found = desk.show(id).value();
  EXPECT_EQ(found.state, RequestState::kReporting);
  EXPECT_EQ(found.request.state(), Request::TRANSFERRED);
  EXPECT_EQ(found.request.round(), 2U);
  EXPECT_EQ(found.request.attempts().report(), 0U);
  EXPECT_EQ(found.request.final_attempt(), 2U);
  EXPECT_TRUE(locate(desk.memory, id).value().value().segment->is_owned_by(kReports));
}

TEST(Failed, RemovedAreCountedAndGone) {
  Counter desk;
  const RequestId id = desk.submit("f1");
  EXPECT_EQ(remove_failed(desk.hand, desk.context, id).error().kind, Error::Kind::kConflict);
  desk.send(id, kFailedQueue, failed);
  EXPECT_EQ(remove_failed(desk.hand, desk.context, id).value().state, RequestState::kFailed);
  EXPECT_EQ(desk.state(id), "not-found");
  EXPECT_EQ(remove_failed(desk.hand, desk.context, id).error().kind, Error::Kind::kNotFound);
  EXPECT_EQ(count_ended(desk.context).value().removed, 1);
  EXPECT_EQ(desk.findings(), Strings());
}

}  // namespace
}  // namespace reclaim::archive
