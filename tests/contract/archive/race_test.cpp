// Two servers over one PostgreSQL, statement against statement: one stops just before a statement, the other acts or is seen waiting
// for a lock, the first goes on.
#include <future>
#include <thread>

#include "contract/archive/engines.hpp"
#include "ports/statements.hpp"
#include "support/pausing_database.hpp"

namespace reclaim::test {
namespace {

class CatalogueRace : public testing::Test {
 protected:
  // By the other server, until it has reached the statement at which it pauses.
  template <class Work>
  auto start(PausingDatabase& pausing, Work work) {
    auto working = std::async(std::launch::async, [this, &pausing, work] { return work(catalogue.through(pausing)); });
    pausing.wait_until_reached();
    return working;
  }
  // What `work` answers once it is through; returns when it waits for a lock that another transaction holds.
  template <class Work>
  auto start_and_see_it_wait(Work work) {
    auto working = std::async(std::launch::async, [this, work] { return work(catalogue.context()); });
    const std::string waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while (catalogue.store().execute(waiting) == "0") {
      check(working.wait_for(std::chrono::seconds(0)) != std::future_status::ready, "it waits for a lock");
      std::this_thread::yield();
    }
    return working;
  }

  Catalogue catalogue{FleetEngine::kPostgres};
  std::unique_ptr<ports::Database> second_ = must(catalogue.store().open());
};

auto asking(TapeState state, const char* reason = "why") {
  return [state, reason](const archive::Context& context) { return archive::ask_tape_state(context, Vid("V1"), state, reason); };
}
auto adding(const FileSpec& spec) {
  return [spec](const archive::Context& context) { return must(archive::add_files(context, {spec})).at(0); };
}

TEST_F(CatalogueRace, TheSecondOfTwoChangesOfStateIsJudgedByWhatTheFirstHasMade) {
  PausingDatabase pausing(*second_, sql::tape_set_state);
  auto breaking = start(pausing, asking(TapeState::kBroken));
  auto activating = start_and_see_it_wait(asking(TapeState::kActive));
  pausing.go_on();
  EXPECT_EQ(must(breaking.get()).spec.state, TapeState::kBrokenPending);
  EXPECT_EQ(refusal(activating.get()), "conflict") << "ACTIVE was there when it was asked for";
  EXPECT_EQ(catalogue.state("V1"), TapeState::kBrokenPending);
}

TEST_F(CatalogueRace, TwoWhoAskForTheSameAreBothAnswered) {
  PausingDatabase pausing(*second_, sql::tape_set_state);
  auto first = start(pausing, asking(TapeState::kBroken, "torn"));
  auto second = start_and_see_it_wait(asking(TapeState::kBroken, "torn in two"));
  pausing.go_on();
  EXPECT_EQ(must(first.get()).spec.reason, "torn");
  EXPECT_EQ(must(second.get()).spec.state, TapeState::kBrokenPending);
  EXPECT_EQ(must(archive::pending_tapes(catalogue.context())).at(0).reason, "torn in two");
}

TEST_F(CatalogueRace, APendingTapeIsFinishedByOneOfTwo) {
  must(catalogue.ask("V1", TapeState::kExported));
  const archive::PendingTape seen = must(archive::pending_tapes(catalogue.context())).at(0);
  const auto finishing = [seen](const archive::Context& context) { return archive::finish_pending(context, seen); };
  PausingDatabase pausing(*second_, sql::events_append);
  auto first = start(pausing, finishing);
  auto second = start_and_see_it_wait(finishing);
  pausing.go_on();
  EXPECT_TRUE(must(first.get()));
  EXPECT_FALSE(must(second.get()));
  EXPECT_EQ(catalogue.state("V1"), TapeState::kExported);
}

TEST_F(CatalogueRace, AReasonGivenWhileATapeIsFinishedIsNotLost) {
  must(catalogue.ask("V1", TapeState::kExported, "to the vault"));
  const archive::PendingTape seen = must(archive::pending_tapes(catalogue.context())).at(0);
  PausingDatabase pausing(*second_, sql::tape_set_reason);
  auto asking_again = start(pausing, asking(TapeState::kExported, "to the other vault"));
  auto finishing = start_and_see_it_wait([seen](const archive::Context& context) { return archive::finish_pending(context, seen); });
  pausing.go_on();
  EXPECT_EQ(must(asking_again.get()).spec.state, TapeState::kExportedPending);
  EXPECT_TRUE(must(finishing.get()));
  const archive::Tape exported = must(archive::find_tape(catalogue.context(), Vid("V1")));
  EXPECT_EQ(exported.spec.state, TapeState::kExported);
  EXPECT_EQ(exported.spec.reason, "to the other vault");
}

TEST_F(CatalogueRace, ATapeIsAddedOnce) {
  const auto adding_tape = [](const char* pool) {
    return [pool](const archive::Context& context) {
      archive::TapeSpec spec = tape("V4");
      spec.pool = archive::PoolName(pool);
      return archive::add_tape(context, spec);
    };
  };
  PausingDatabase pausing(*second_, sql::events_append);
  auto first = start(pausing, adding_tape("p"));
  auto second = start_and_see_it_wait(adding_tape("q"));
  pausing.go_on();
  EXPECT_TRUE(must(first.get()).created);
  EXPECT_EQ(refusal(second.get()), "conflict");
}

TEST_F(CatalogueRace, AFileIsAddedOnce) {
  PausingDatabase pausing(*second_, sql::copies_insert);
  auto first = start(pausing, adding(file("f", {{Vid("V1"), 1}})));
  auto same = start_and_see_it_wait(adding(file("f", {{Vid("V1"), 1}})));
  pausing.go_on();
  EXPECT_TRUE(must(first.get()).created);
  EXPECT_FALSE(must(same.get()).created);
}

TEST_F(CatalogueRace, AFileAddedBetweenTheReadsOfAnotherBatchIsTheSameFile) {
  std::int64_t fseq = 0;
  for (const ports::Statement& read : {sql::files_find, sql::copies_at}) {
    ++fseq;
    const FileSpec spec = file("f" + std::to_string(fseq), {{Vid("V1"), fseq}});
    PausingDatabase pausing(*second_, read);
    auto first = start(pausing, adding(spec));
    EXPECT_TRUE(must(catalogue.add(spec)).created);
    pausing.go_on();
    EXPECT_FALSE(must(first.get()).created) << "stopped before " << read.name;
  }
}

TEST_F(CatalogueRace, APlaceOnATapeIsTakenOnce) {
  PausingDatabase pausing(*second_, sql::events_append);
  auto first = start(pausing, adding(file("f", {{Vid("V1"), 1}})));
  auto other = start_and_see_it_wait(adding(file("g", {{Vid("V2"), 1}, {Vid("V1"), 1}})));
  pausing.go_on();
  EXPECT_TRUE(must(first.get()).created);
  EXPECT_EQ(refusal(other.get()), "conflict");
  EXPECT_EQ(refusal(archive::find_file(catalogue.context(), FileId("g"))), "not-found");
}

TEST_F(CatalogueRace, ATapeIsNotRemovedUnderACopyThatIsBeingAdded) {
  PausingDatabase pausing(*second_, sql::copies_insert);
  auto adding_file = start(pausing, adding(file("f", {{Vid("V1"), 1}})));
  auto removing =
      start_and_see_it_wait([](const archive::Context& context) { return archive::remove_tape(context, Vid("V1"), nobody_asks); });
  pausing.go_on();
  EXPECT_TRUE(must(adding_file.get()).created);
  EXPECT_EQ(refusal(removing.get()), "conflict");
}

TEST_F(CatalogueRace, ACopyOnATapeThatIsBeingRemovedIsOnAnUnknownTape) {
  PausingDatabase pausing(*second_, sql::tape_delete);
  auto removing = start(pausing, [](const archive::Context& context) { return archive::remove_tape(context, Vid("V1"), nobody_asks); });
  auto adding_file = start_and_see_it_wait(adding(file("f", {{Vid("V1"), 1}})));
  pausing.go_on();
  must(removing.get());
  EXPECT_EQ(refusal(adding_file.get()), "invalid copies[0].vid");
}

TEST_F(CatalogueRace, BatchesInOppositeOrdersAreBothDone) {
  std::vector<FileSpec> up;
  for (int i = 1; i <= 500; ++i) up.push_back(file("f" + std::to_string(i), {{Vid("V1"), i}}));
  const std::vector<FileSpec> down(up.rbegin(), up.rend());
  auto one = std::async(std::launch::async, [&] { return archive::add_files(catalogue.through(*second_), up); });
  auto two = std::async(std::launch::async, [&] { return archive::add_files(catalogue.context(), down); });
  std::size_t created = 0;
  for (const auto& outcomes : {must(one.get()), must(two.get())}) {
    for (const auto& outcome : outcomes) created += must(outcome).created ? 1 : 0;
  }
  EXPECT_EQ(created, 500U);
}

}  // namespace
}  // namespace reclaim::test
