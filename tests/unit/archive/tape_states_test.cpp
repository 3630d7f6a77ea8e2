// The whole life of a tape, cell by cell: the table written down once more, in the words of those who operate tapes.
#include "archive/tape_states.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace reclaim::archive {
namespace {

// `-` is refused, `P` the pending state of what was asked for, anything else what the tape becomes.
constexpr const char* kTable = R"(
                    ACTIVE DISABLED REPACKING REPACKING_DISABLED BROKEN EXPORTED
ACTIVE              ACTIVE DISABLED P         -                  P      P
DISABLED            ACTIVE DISABLED P         -                  P      P
BROKEN              ACTIVE DISABLED P         -                  BROKEN P
EXPORTED            ACTIVE DISABLED P         -                  P      EXPORTED
REPACKING           ACTIVE DISABLED REPACKING REPACKING_DISABLED BROKEN EXPORTED
REPACKING_DISABLED  -      -        REPACKING REPACKING_DISABLED BROKEN EXPORTED
REPACKING_PENDING   -      -        P         -                  -      -
BROKEN_PENDING      -      -        -         -                  P      -
EXPORTED_PENDING    -      -        -         -                  -      P
)";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream text(line);
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

std::string becomes(const std::string& from, const std::string& asked) {
  const std::optional<TapeEvent> event = asking_for(tape_state_of(asked).value());
  const std::optional<TapeState> state = next(tape_state_of(from).value(), event.value());
  return state ? std::string(name_of(*state)) : "-";
}

TEST(TapeStates, EveryAskIsAnsweredAsTheTableSays) {
  std::istringstream text(kTable);
  std::string line;
  std::getline(text, line);
  std::getline(text, line);
  const std::vector<std::string> asked = words_of(line);
  int cells = 0;
  while (std::getline(text, line)) {
    const std::vector<std::string> row = words_of(line);
    ASSERT_EQ(row.size(), asked.size() + 1);
    for (std::size_t i = 0; i < asked.size(); ++i, ++cells) {
      const std::string expected = row[i + 1] == "P" ? asked[i] + "_PENDING" : row[i + 1];
      EXPECT_EQ(becomes(row[0], asked[i]), expected) << row[0] << " asked for " << asked[i];
    }
  }
  EXPECT_EQ(cells, 9 * 6);
}

TEST(TapeStates, NobodyAsksForAPendingState) {
  for (const TapeState state : kTapeStates) {
    EXPECT_EQ(asking_for(state).has_value(), !name_of(state).ends_with("_PENDING")) << name_of(state);
    EXPECT_EQ(is_pending(state), name_of(state).ends_with("_PENDING")) << name_of(state);
  }
}

TEST(TapeStates, CleaningUpEndsAPendingStateAndNoOther) {
  for (const TapeState state : kTapeStates) {
    const std::string name(name_of(state));
    const std::optional<TapeState> after = once_cleaned(state);
    EXPECT_EQ(after ? std::string(name_of(*after)) + "_PENDING" : "-", is_pending(state) ? name : "-") << name;
  }
}

TEST(TapeStates, ADriveThatFailsTakesItsTapeOutOfServiceForItsOwnKindOfRequests) {
  const std::map<TapeState, TapeState> after{{TapeState::kActive, TapeState::kDisabled},
                                             {TapeState::kRepacking, TapeState::kRepackingDisabled}};
  for (const TapeState state : kTapeStates) {
    const auto expected = after.find(state);
    EXPECT_EQ(next(state, TapeEvent::kDriveFailed), expected == after.end() ? std::nullopt : std::optional(expected->second))
        << name_of(state);
  }
}

TEST(TapeStates, RequestsQueueAndTapesAreMountedOnlyWhereTheyShould) {
  for (const TapeState state : kTapeStates) {
    const std::string name(name_of(state));
    const auto expected = [&](const char* first, const char* second) {
      if (name == first) return Queueing::kFirst;
      return name == second ? Queueing::kSecond : Queueing::kNever;
    };
    EXPECT_EQ(queueing_of_users(state), expected("ACTIVE", "DISABLED")) << name;
    EXPECT_EQ(queueing_of_repacks(state), expected("REPACKING", "REPACKING_DISABLED")) << name;
    EXPECT_EQ(may_be_mounted(state), name == "ACTIVE" || name == "REPACKING") << name;
    EXPECT_EQ(needs_reason(state), name != "ACTIVE") << name;
  }
}

TEST(TapeStates, NamesAreReadBackAsTheyAreWritten) {
  for (const TapeState state : kTapeStates) EXPECT_EQ(tape_state_of(name_of(state)), state);
  for (const char* name : {"", "active", "ACTIVE ", "PENDING", "kActive"}) EXPECT_EQ(tape_state_of(name), std::nullopt) << name;
}

}  // namespace
}  // namespace reclaim::archive
