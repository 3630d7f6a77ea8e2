// The ledger on both engines: what was put in is known by origin, larger numbers count, and what is over becomes part of a sum.
#include "archive/ledger.hpp"

#include <map>

#include "archive/admission.hpp"
#include "archive/ended.hpp"
#include "archive/objects.hpp"
#include "contract/archive/engines.hpp"
#include "sim/counting_database.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::test {
namespace {

using archive::Ended;
using archive::Ending;
using archive::Ledger;
using archive::Origins;
using archive::SegmentId;

constexpr SegmentId kFirst{7, 1};
constexpr SegmentId kSecond{7, 2};
constexpr std::int64_t kDayMs = 86'400'000;

// One queue, and what a test says that is in it.
class Shelf final : public ports::ObjectStore {
 public:
  void hold(const SegmentId& origin, std::uint32_t first, std::uint32_t last) {
    archive::stored::Segment segment;
    segment.set_owner("queue/V1.t");
    segment.set_origin(archive::object_name(origin).str());
    for (std::uint32_t ordinal = first; ordinal <= last; ++ordinal) {
      *segment.add_requests() = archive::samples::request(ordinal);
      segment.mutable_requests()->rbegin()->set_cancel_asked(true);
    }
    objects_[archive::object_name(origin).key] = archive::encode(origin, segment);
  }
  void clear() { objects_.clear(); }

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers;
    for (const ports::StoreCall& call : calls)
      answers.emplace_back(ports::Object{.bytes = objects_.at(call.name.key), .version = {.number = 1}});
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    std::vector<std::string> keys;
    for (auto at = objects_.upper_bound(after); kind == "segment" && at != objects_.end() && keys.size() < limit; ++at) {
      keys.push_back(at->first);
    }
    return keys;
  }

 private:
  std::map<std::string, std::string> objects_;
};

class LedgerTest : public CatalogueTest {
 protected:
  void book(const Origins& highest) { must(archive::book_requests(catalogue.context(), highest, {"f"})); }
  void end(const SegmentId& origin, std::uint32_t ordinal, Ending how = Ending::kDone) {
    const Ended ended{.id = {origin, ordinal}, .how = how, .request = archive::samples::request(ordinal)};
    ASSERT_TRUE(archive::record_ended(catalogue.context(), std::span(&ended, 1)).ok());
  }
  Ledger take() {
    const archive::TakenLedger taken = must(archive::take_ledger(catalogue.context(), shelf));
    EXPECT_TRUE(taken.is_settled);
    return taken.ledger;
  }
  Ledger keep() {
    const archive::TakenLedger taken = must(archive::keep_ledger(catalogue.context(), shelf));
    EXPECT_TRUE(taken.is_settled);
    return taken.ledger;
  }

  Shelf shelf;
};
ON_BOTH_ENGINES(LedgerTest);

TEST_P(LedgerTest, OfNothingIsNothing) { EXPECT_EQ(keep(), Ledger()); }

TEST_P(LedgerTest, MissesWhatWasRecordedAndIsNowhere) {
  book({{kFirst, 3}, {kSecond, 2}});
  book({{kFirst, 2}});
  end(kSecond, 2, Ending::kCancelled);
  shelf.hold(kFirst, 1, 2);
  const Ledger ledger = take();
  EXPECT_EQ(ledger.enqueued, 5) << "no record is lowered";
  EXPECT_EQ(ledger.queued, 2);
  EXPECT_EQ(ledger.cancelled, 1);
  EXPECT_EQ(ledger.unaccounted(), 2) << "one of each";
}

TEST_P(LedgerTest, LearnsFromTheStoreAndFromWhatEndsWhatNobodyRecorded) {
  shelf.hold(kFirst, 1, 4);
  EXPECT_EQ(take().unaccounted(), 0);
  book({{kFirst, 2}});
  EXPECT_EQ(take().unaccounted(), 0);
  for (std::uint32_t ordinal = 1; ordinal <= 4; ++ordinal) {
    end(kFirst, ordinal);
    end(kFirst, ordinal, Ending::kRemoved);
    shelf.clear();
    if (ordinal < 4) shelf.hold(kFirst, ordinal + 1, 4);
    EXPECT_EQ(take().unaccounted(), 0) << ordinal << " ended, once";
  }
  EXPECT_EQ(take().enqueued, 4);
}

TEST_P(LedgerTest, CountsWhatIsOnRecordAndHasNotLeftWhereItIs) {
  book({{kFirst, 3}});
  end(kFirst, 1, Ending::kCancelled);
  end(kFirst, 2, Ending::kRemoved);
  end(kFirst, 3, Ending::kDone);
  shelf.hold(kFirst, 1, 3);
  const Ledger ledger = take();
  EXPECT_EQ(ledger.unaccounted(), 0);
  EXPECT_EQ(ledger.cancelled + ledger.removed + ledger.done, 0);
  shelf.hold(kFirst, 2, 3);
  EXPECT_EQ(take().cancelled, 1);
  EXPECT_EQ(take().unaccounted(), 0);
}

TEST_P(LedgerTest, FoldsAnOriginADayAfterItWasRaisedLast) {
  book({{kFirst, 2}});
  for (const std::uint32_t ordinal : {1U, 2U}) end(kFirst, ordinal);
  EXPECT_EQ(keep().enqueued, 2);
  catalogue.wall.ms += kDayMs;
  EXPECT_EQ(keep().enqueued, 2);
  book({{kFirst, 2}});
  EXPECT_EQ(keep().enqueued, 2) << "who is late finds the row";
  catalogue.wall.ms += 1;
  EXPECT_EQ(keep().enqueued, 2);
  EXPECT_EQ(keep().unaccounted(), 0);
  book({{kFirst, 2}});
  EXPECT_EQ(keep().enqueued, 4) << "who is later than that counts twice: the row was gone";
}

TEST_P(LedgerTest, MissesWhatIsLostBeforeAndAfterItIsFolded) {
  book({{kFirst, 3}});
  shelf.hold(kFirst, 1, 3);
  EXPECT_EQ(keep().unaccounted(), 0);
  catalogue.wall.ms += 2 * kDayMs;
  EXPECT_EQ(keep().unaccounted(), 0) << "what is there is not folded";
  shelf.clear();
  EXPECT_EQ(take().unaccounted(), 3);
  EXPECT_EQ(keep().unaccounted(), 3);
  EXPECT_EQ(keep().unaccounted(), 3);
  shelf.hold(kFirst, 1, 3);
  EXPECT_EQ(take().enqueued, 6) << "it was folded";
}

TEST_P(LedgerTest, IsReadPageByPage) {
  Origins many;
  for (std::uint64_t number = 1; number <= 10'001; ++number) many[{9, number}] = 1;
  book(many);
  for (const auto& [origin, last] : many) shelf.hold(origin, 1, last);
  EXPECT_EQ(take().unaccounted(), 0);
  catalogue.wall.ms += 2 * kDayMs;
  shelf.clear();
  EXPECT_EQ(keep().unaccounted(), 10'001);
  EXPECT_EQ(keep().unaccounted(), 10'001);
}

TEST_P(LedgerTest, CostsTheSubmitterTwoStatementsInOneTransaction) {
  sim::CountingDatabase counting(catalogue.database());
  Origins many;
  for (std::uint64_t number = 1; number <= 1000; ++number) many[{9, number}] = 5;
  must(archive::book_requests(catalogue.through(counting), many, {"f1", "f2"}));
  const sim::Cost cost = counting.take();
  EXPECT_LE(cost.statements, 2);
  EXPECT_EQ(cost.begins, 1);
}

}  // namespace
}  // namespace reclaim::test
