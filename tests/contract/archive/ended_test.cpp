// Requests that have ended, on both engines: on record once, counted once, forgotten in time and by number.
#include "archive/ended.hpp"

#include "contract/archive/engines.hpp"
#include "sim/counting_database.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::test {
namespace {

using archive::Ended;
using archive::EndedCounts;
using archive::Ending;
using archive::RequestId;

RequestId id(std::uint64_t number, std::uint32_t ordinal = 1) { return {.origin = {.epoch = 7, .number = number}, .ordinal = ordinal}; }

Ended ended(const RequestId& id, Ending how, bool reported = false) {
  return {.id = id, .how = how, .reported = reported, .request = archive::samples::request(id.ordinal)};
}

std::vector<std::int64_t> counts(const archive::Context& context) {
  const EndedCounts counted = must(archive::count_ended(context));
  return {counted.done, counted.cancelled, counted.removed};
}

class EndedRequests : public CatalogueTest {
 protected:
  archive::Context context() { return catalogue.context(); }
  Status record(const std::vector<Ended>& list) { return archive::record_ended(context(), list); }
  // Requests of number `number`, one a millisecond.
  void record_in_turn(int count) {
    for (int i = 1; i <= count; ++i) {
      ASSERT_TRUE(record({ended(id(1, static_cast<std::uint32_t>(i)), Ending::kDone)}).ok());
      ++catalogue.wall.ms;
    }
  }
};
ON_BOTH_ENGINES(EndedRequests);

TEST_P(EndedRequests, AreFoundAsTheyWereAtTheEnd) {
  Ended one = ended(id(1), Ending::kDone, true);
  one.request.set_state(archive::stored::Request::TRANSFERRED);
  one.request.add_errors(std::string("a\xff\0z", 4));  // bytes are bytes
  ASSERT_TRUE(record({one, ended(id(2), Ending::kCancelled)}).ok());
  const std::vector<RequestId> asked{id(2), id(9), id(1)};
  const auto found = must(archive::find_ended(context(), asked));
  ASSERT_EQ(found.size(), 3U);
  ASSERT_TRUE(found[0] && !found[1] && found[2]);
  EXPECT_EQ(found[0]->ended.how, Ending::kCancelled);
  EXPECT_FALSE(found[0]->ended.reported);
  EXPECT_EQ(found[2]->ended.id, id(1));
  EXPECT_EQ(found[2]->ended.how, Ending::kDone);
  EXPECT_TRUE(found[2]->ended.reported);
  EXPECT_EQ(found[2]->at.ms, catalogue.wall.ms);
  EXPECT_EQ(found[2]->ended.request.SerializeAsString(), one.request.SerializeAsString());
}

TEST_P(EndedRequests, RecordedAgainAreAsTheyWereAndCountedOnce) {
  ASSERT_TRUE(record({ended(id(1), Ending::kDone), ended(id(2), Ending::kRemoved), ended(id(2), Ending::kDone)}).ok());
  EXPECT_EQ(counts(context()), (std::vector<std::int64_t>{1, 0, 1})) << "of two of one call the first counts";
  const WallTime before = catalogue.wall;
  catalogue.wall.ms += 1000;
  ASSERT_TRUE(record({ended(id(1), Ending::kCancelled), ended(id(3), Ending::kCancelled)}).ok());
  EXPECT_EQ(counts(context()), (std::vector<std::int64_t>{1, 1, 1}));
  const std::vector<RequestId> asked{id(1)};
  const auto found = must(archive::find_ended(context(), asked));
  EXPECT_EQ(found[0]->ended.how, Ending::kDone);
  EXPECT_EQ(found[0]->at.ms, before.ms);
}

TEST_P(EndedRequests, TellOfWhatPeopleDecidedAndNotOfWhatWasServed) {
  const std::int64_t last = catalogue.last_event();
  ASSERT_TRUE(record({ended(id(1), Ending::kDone), ended(id(2, 2), Ending::kCancelled), ended(id(3, 3), Ending::kRemoved)}).ok());
  ASSERT_TRUE(record({ended(id(2, 2), Ending::kCancelled)}).ok());
  EXPECT_EQ(catalogue.events(last),
            (std::vector<std::string>{"retrieve-cancelled f2 (request 7-2-2)", "retrieve-removed f3 (request 7-3-3)"}));
}

TEST_P(EndedRequests, AreListedByIdPageByPage) {
  ASSERT_TRUE(record({ended(id(3), Ending::kDone), ended(id(1), Ending::kDone), ended(id(2), Ending::kDone)}).ok());
  const auto first = must(archive::list_ended(context(), "", 2));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].ended.id, id(2));
  const auto rest = must(archive::list_ended(context(), archive::text_of(first[1].ended.id), 2));
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].ended.id, id(3));
}

TEST_P(EndedRequests, AreForgottenByTimeByNumberAndWithinABudgetAndTheCountsStay) {
  record_in_turn(10);
  const WallTime start{catalogue.wall.ms - 10};
  EXPECT_EQ(must(archive::prune_ended(context(), {start.ms + 2}, 100, 100)), 2) << "those that ended before";
  EXPECT_EQ(must(archive::prune_ended(context(), start, 5, 2)), 2) << "three are too many, two may go at once";
  EXPECT_EQ(must(archive::prune_ended(context(), start, 5, 2)), 1);
  EXPECT_EQ(must(archive::prune_ended(context(), start, 5, 2)), 0);
  const auto left = must(archive::list_ended(context(), "", 100));
  ASSERT_EQ(left.size(), 5U);
  for (const auto& one : left) EXPECT_GE(one.ended.id.ordinal, 6U) << "the oldest went";
  EXPECT_EQ(must(archive::prune_ended(context(), {start.ms + 100}, 0, 100)), 5) << "both at once";
  EXPECT_EQ(counts(context()), (std::vector<std::int64_t>{10, 0, 0}));
}

TEST_P(EndedRequests, CostAsManyStatementsHoweverManyTheyAre) {
  sim::CountingDatabase counting(catalogue.database());
  std::vector<Ended> many;
  for (std::uint32_t ordinal = 1; ordinal <= 2000; ++ordinal) many.push_back(ended(id(4, ordinal), Ending::kDone));
  ASSERT_TRUE(archive::record_ended(catalogue.through(counting), many).ok());
  EXPECT_LE(counting.take().statements, 3);
  std::vector<RequestId> ids;
  for (const Ended& one : many) ids.push_back(one.id);
  EXPECT_EQ(must(archive::find_ended(catalogue.through(counting), ids)).size(), 2000U);
  EXPECT_EQ(must(archive::prune_ended(catalogue.through(counting), {catalogue.wall.ms + 1}, 0, 5000)), 2000);
  EXPECT_LE(counting.take().statements, 4);
}

}  // namespace
}  // namespace reclaim::test
