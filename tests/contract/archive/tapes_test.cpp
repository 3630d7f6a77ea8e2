// Tapes and policies in the catalogue, and what becomes of what is asked of them.
#include "contract/archive/engines.hpp"

namespace reclaim::test {
namespace {

using Strings = std::vector<std::string>;

class Tapes : public CatalogueTest {};
class Policies : public CatalogueTest {};

TEST_P(Tapes, TheSameAgainIsThereAndOtherContentIsAConflict) {
  archive::TapeSpec broken = tape("V4");
  broken.state = TapeState::kBroken;
  broken.reason = "torn";
  broken.full = true;
  EXPECT_TRUE(must(archive::add_tape(catalogue.context(), broken)).created);
  EXPECT_FALSE(must(archive::add_tape(catalogue.context(), broken)).created);
  EXPECT_EQ(must(archive::find_tape(catalogue.context(), Vid("V4"))).spec, broken);
  archive::TapeSpec other = broken;
  other.pool = archive::PoolName("q");
  EXPECT_EQ(refusal(archive::add_tape(catalogue.context(), other)), "conflict");
  EXPECT_EQ(refusal(archive::add_tape(catalogue.context(), tape("V4"))), "conflict") << "it is not ACTIVE";
}

TEST_P(Tapes, ATapeIsAddedInNoStateThatNobodyMayAskForAndNotOutOfServiceWithoutAReason) {
  archive::TapeSpec spec = tape("V4");
  spec.reason = "why";
  spec.state = TapeState::kBrokenPending;
  EXPECT_EQ(refusal(archive::add_tape(catalogue.context(), spec)), "invalid state");
  spec.state = TapeState::kExported;
  spec.reason = "";
  EXPECT_EQ(refusal(archive::add_tape(catalogue.context(), spec)), "invalid reason");
  EXPECT_EQ(refusal(archive::find_tape(catalogue.context(), Vid("V4"))), "not-found");
}

TEST_P(Tapes, AreListedByVidPageByPage) {
  const std::vector<archive::Tape> first = must(archive::list_tapes(catalogue.context(), "", 2));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].spec.vid.str(), "V2");
  EXPECT_EQ(must(archive::list_tapes(catalogue.context(), "V2", 2)).size(), 1U);
}

// Brings a tape of its own into the state, as operators and the pass would.
Vid tape_in(Catalogue& catalogue, TapeState state) {
  const std::string vid = "T" + std::to_string(static_cast<int>(state));
  must(archive::add_tape(catalogue.context(), tape(vid)));
  if (archive::is_pending(state)) {
    must(catalogue.ask(vid, archive::once_cleaned(state).value(), "before"));
  } else if (state != TapeState::kActive) {
    must(archive::remove_tape(catalogue.context(), Vid(vid), nobody_asks));
    archive::TapeSpec spec = tape(vid);
    spec.state = state;
    spec.reason = "before";
    must(archive::add_tape(catalogue.context(), spec));
  }
  EXPECT_EQ(catalogue.state(vid), state);
  return Vid(vid);
}

TEST_P(Tapes, EveryCellOfTheTableIsWhatTheDatabaseSaysAfterwards) {
  int cells = 0;
  for (const TapeState from : archive::kTapeStates) {
    for (const TapeState asked : archive::kTapeStates) {
      const Vid vid = tape_in(catalogue, from);
      const std::int64_t before = catalogue.last_event();
      const auto event = archive::asking_for(asked);
      const auto expected = event ? archive::next(from, *event) : std::nullopt;
      const auto answer = archive::ask_tape_state(catalogue.context(), vid, asked, "after");
      const std::string cell = std::string(name_of(from)) + " asked for " + std::string(name_of(asked));
      EXPECT_EQ(catalogue.state(vid.str()), expected.value_or(from)) << cell;
      const std::string reason = must(archive::find_tape(catalogue.context(), vid)).spec.reason;
      if (!expected) {
        EXPECT_EQ(refusal(answer), event ? "conflict" : "invalid state") << cell;
        EXPECT_EQ(reason, from == TapeState::kActive ? "" : "before") << cell;
        EXPECT_EQ(catalogue.events(before), Strings{}) << cell;
      } else {
        const bool comes_back = *expected == TapeState::kActive && from != TapeState::kActive;
        const std::string step = std::string(name_of(from)) + ">" + std::string(name_of(*expected));
        EXPECT_EQ(must(answer).spec.state, *expected) << cell;
        EXPECT_EQ(reason, comes_back ? "" : "after") << cell;
        EXPECT_EQ(catalogue.events(before),
                  Strings{(*expected == from ? "tape-reason " : "tape-state ") + vid.str() + " " + step + " (after)"})
            << cell;
      }
      must(archive::remove_tape(catalogue.context(), vid, nobody_asks));
      ++cells;
    }
  }
  EXPECT_EQ(cells, 81);
}

TEST_P(Tapes, ErrorsComeInTheOrderOfTheContract) {
  EXPECT_EQ(refusal(catalogue.ask("V9", TapeState::kBrokenPending, "")), "not-found");
  EXPECT_EQ(refusal(catalogue.ask("V1", TapeState::kBrokenPending, "")), "invalid state");
  EXPECT_EQ(refusal(catalogue.ask("V1", TapeState::kRepackingDisabled, " \t")), "invalid reason");
  EXPECT_EQ(refusal(catalogue.ask("V1", TapeState::kRepackingDisabled, "why")), "conflict");
}

TEST_P(Tapes, OnlyChangesOfStateMoveItsTimeAndOnlyChangesAreTold) {
  const WallTime began = catalogue.wall;
  must(catalogue.ask("V1", TapeState::kDisabled, "noise"));
  const std::int64_t before = catalogue.last_event();
  catalogue.wall = catalogue.wall + Millis(5'000);
  EXPECT_EQ(must(catalogue.ask("V1", TapeState::kDisabled, "noise")).state_since, began);
  EXPECT_EQ(catalogue.events(before), Strings{}) << "nothing has changed";
  EXPECT_EQ(must(catalogue.ask("V1", TapeState::kDisabled, "more noise")).state_since, began);
  EXPECT_EQ(must(catalogue.ask("V1", TapeState::kActive, "")).state_since, catalogue.wall);
}

TEST_P(Tapes, PendingOnesAreFoundAndFinishedOnceWithTheirReason) {
  must(catalogue.ask("V3", TapeState::kBroken, "torn"));
  must(catalogue.ask("V1", TapeState::kRepacking, "half empty"));
  must(catalogue.ask("V2", TapeState::kDisabled, "noise"));
  const std::vector<archive::PendingTape> pending = must(archive::pending_tapes(catalogue.context()));
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].vid.str(), "V1");
  EXPECT_EQ(pending[0].state, TapeState::kRepackingPending);
  EXPECT_EQ(pending[1].reason, "torn");
  const std::int64_t before = catalogue.last_event();
  catalogue.wall = catalogue.wall + Millis(5'000);
  EXPECT_TRUE(must(archive::finish_pending(catalogue.context(), pending[1])));
  EXPECT_FALSE(must(archive::finish_pending(catalogue.context(), pending[1]))) << "done by another";
  const archive::Tape broken = must(archive::find_tape(catalogue.context(), Vid("V3")));
  EXPECT_EQ(broken.spec.state, TapeState::kBroken);
  EXPECT_EQ(broken.spec.reason, "torn");
  EXPECT_EQ(broken.state_since, catalogue.wall);
  EXPECT_EQ(catalogue.events(before), Strings{"tape-state V3 BROKEN_PENDING>BROKEN (torn)"});
  EXPECT_EQ(must(archive::pending_tapes(catalogue.context())).size(), 1U);
}

TEST_P(Tapes, AReasonGivenWhilePendingIsTheOneThatStays) {
  must(catalogue.ask("V1", TapeState::kExported, "to the vault"));
  const archive::PendingTape seen = must(archive::pending_tapes(catalogue.context())).at(0);
  must(catalogue.ask("V1", TapeState::kExported, "to the other vault"));
  EXPECT_TRUE(must(archive::finish_pending(catalogue.context(), seen))) << "it is still the same stay";
  EXPECT_EQ(must(archive::find_tape(catalogue.context(), Vid("V1"))).spec.reason, "to the other vault");
}

TEST_P(Tapes, WhatWasSeenDuringOneStayDoesNotEndALaterOne) {
  must(catalogue.ask("V1", TapeState::kBroken));
  const archive::PendingTape seen = must(archive::pending_tapes(catalogue.context())).at(0);
  ASSERT_TRUE(must(archive::finish_pending(catalogue.context(), seen)));
  must(catalogue.ask("V1", TapeState::kActive));
  must(catalogue.ask("V1", TapeState::kBroken));
  EXPECT_FALSE(must(archive::finish_pending(catalogue.context(), seen))) << "its queue was empty then, and need not be now";
  EXPECT_EQ(catalogue.state("V1"), TapeState::kBrokenPending);
  must(archive::remove_tape(catalogue.context(), Vid("V1"), nobody_asks));
  EXPECT_FALSE(must(archive::finish_pending(catalogue.context(), seen)));
}

TEST_P(Tapes, AreRemovedOnlyWhenNoCopyAndNoRequestNamesThem) {
  must(catalogue.add(file("f1", {{Vid("V1"), 1}})));
  EXPECT_EQ(refusal(archive::remove_tape(catalogue.context(), Vid("V1"), nobody_asks)), "conflict");
  EXPECT_EQ(refusal(archive::remove_tape(catalogue.context(), Vid("V2"), somebody_asks)), "conflict");
  const auto away = []() -> Result<bool> { return unavailable("the store is away"); };
  EXPECT_EQ(refusal(archive::remove_tape(catalogue.context(), Vid("V2"), away)), "unavailable");
  EXPECT_EQ(must(archive::list_tapes(catalogue.context(), "", 10)).size(), 3U);
  must(archive::remove_file(catalogue.context(), FileId("f1"), nobody_asks));
  EXPECT_EQ(must(archive::remove_tape(catalogue.context(), Vid("V1"), nobody_asks)).spec, tape("V1"));
  EXPECT_EQ(refusal(archive::remove_tape(catalogue.context(), Vid("V1"), nobody_asks)), "not-found");
}

TEST_P(Policies, AreMadeReplacedListedAndRemoved) {
  const archive::Policy bulk{.name = archive::PolicyName("bulk"), .priority = -3, .min_age_s = 60, .min_files = 5, .min_bytes = 7};
  archive::Policy more = bulk;
  more.min_files = 6;
  const std::int64_t before = catalogue.last_event();
  EXPECT_TRUE(must(archive::put_policy(catalogue.context(), bulk)).created);
  EXPECT_FALSE(must(archive::put_policy(catalogue.context(), bulk)).created);
  EXPECT_FALSE(must(archive::put_policy(catalogue.context(), more)).created);
  EXPECT_EQ(must(archive::find_policy(catalogue.context(), bulk.name)), more);
  must(archive::put_policy(catalogue.context(), {.name = archive::PolicyName("one")}));
  EXPECT_EQ(must(archive::list_policies(catalogue.context(), "bulk", 10)).at(0).name.str(), "one");
  EXPECT_EQ(must(archive::remove_policy(catalogue.context(), bulk.name)), more);
  EXPECT_EQ(refusal(archive::remove_policy(catalogue.context(), bulk.name)), "not-found");
  EXPECT_EQ(refusal(archive::find_policy(catalogue.context(), bulk.name)), "not-found");
  EXPECT_EQ(catalogue.events(before), (Strings{"policy-set bulk (priority -3, from 60 s, 5 files or 7 bytes)",
                                               "policy-set bulk (priority -3, from 60 s, 6 files or 7 bytes)",
                                               "policy-set one (priority 0, from 0 s, 0 files or 0 bytes)", "policy-removed bulk"}));
}

ON_BOTH_ENGINES(Tapes);
ON_BOTH_ENGINES(Policies);

}  // namespace
}  // namespace reclaim::test
