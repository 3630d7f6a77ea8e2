// Every change of the archive's catalogue, stopped at every call to the database, and asked for again by whoever had no answer: it is there
// as a whole or not at all, and once, with one event.
#include <gtest/gtest.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "archive/drives.hpp"
#include "archive/files.hpp"
#include "archive/policies.hpp"
#include "archive/tapes.hpp"
#include "audit/events.hpp"
#include "sim/crash.hpp"
#include "sim/fleet_world.hpp"
#include "sim/memory_database.hpp"
#include "support/told.hpp"

namespace reclaim::test {
namespace {

using archive::Context;
using archive::TapeState;
using archive::Vid;
using sim::must;

archive::TapeSpec tape(const char* vid) { return {.vid = Vid(vid), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")}; }
archive::FileSpec file(const char* id, std::vector<archive::Copy> copies) {
  return {.id = archive::FileId(id), .size = 12, .checksum = "adler32:1e0b0402", .copies = std::move(copies)};
}
Result<bool> nobody_asks() { return false; }

struct Change {
  const char* name;
  void (*arrange)(const Context& context);
  void (*ask)(const Context& context);  // may be asked again
};

void nothing(const Context&) {}
void one_tape(const Context& context) { must(archive::add_tape(context, tape("V1"))); }
void one_pending_tape(const Context& context) {
  one_tape(context);
  must(archive::ask_tape_state(context, Vid("V1"), TapeState::kBroken, "torn"));
}
void one_file(const Context& context) {
  one_tape(context);
  must(archive::add_tape(context, tape("V2")));
  must(must(archive::add_files(context, {file("f", {{Vid("V1"), 1}, {Vid("V2"), 1}})})).at(0));
}
void one_policy(const Context& context) { must(archive::put_policy(context, {.name = archive::PolicyName("bulk")})); }
void one_drive(const Context& context) { must(archive::register_drive(context, archive::DriveName("D1"))); }

const Change kChanges[] = {
    {"a tape is added", nothing, [](const Context& context) { (void)archive::add_tape(context, tape("V1")).ok(); }},
    {"a tape leaves service", one_tape,
     [](const Context& context) { (void)archive::ask_tape_state(context, Vid("V1"), TapeState::kBroken, "torn").ok(); }},
    {"another reason is given", one_pending_tape,
     [](const Context& context) { (void)archive::ask_tape_state(context, Vid("V1"), TapeState::kBroken, "worn").ok(); }},
    {"a pending tape is finished", one_pending_tape,
     [](const Context& context) {
       const auto pending = archive::pending_tapes(context);
       if (!pending.ok()) return;
       for (const archive::PendingTape& each : pending.value()) (void)archive::finish_pending(context, each).ok();
     }},
    {"a tape is removed", one_tape, [](const Context& context) { (void)archive::remove_tape(context, Vid("V1"), nobody_asks).ok(); }},
    {"files are added", one_tape,
     [](const Context& context) {
       (void)archive::add_files(context, {file("f", {{Vid("V1"), 1}}), file("g", {{Vid("V1"), 1}}), file("h", {{Vid("V1"), 2}})}).ok();
     }},
    {"copies change", one_file,
     [](const Context& context) {
       (void)archive::change_copies(context, archive::FileId("f"), {{Vid("V2"), 1}, {Vid("V1"), 7}}).ok();
     }},
    {"a file is removed", one_file,
     [](const Context& context) { (void)archive::remove_file(context, archive::FileId("f"), nobody_asks).ok(); }},
    {"a policy is made", nothing,
     [](const Context& context) { (void)archive::put_policy(context, {.name = archive::PolicyName("bulk")}).ok(); }},
    {"a policy changes", one_policy,
     [](const Context& context) { (void)archive::put_policy(context, {.name = archive::PolicyName("bulk"), .priority = 1}).ok(); }},
    {"a policy is removed", one_policy,
     [](const Context& context) { (void)archive::remove_policy(context, archive::PolicyName("bulk")).ok(); }},
    {"a drive registers itself", nothing,
     [](const Context& context) { (void)archive::register_drive(context, archive::DriveName("D1")).ok(); }},
    {"a drive is taken down", one_drive,
     [](const Context& context) {
       (void)archive::set_drive(context, archive::DriveName("D1"), archive::Desired::kDown, "head cleaning").ok();
     }},
};

// One catalogue, and the same through a port that fails.
class Subject {
 public:
  explicit Subject(const Change& change) : change_(change) { change.arrange({*database_, kWall, "test"}); }

  void ask(sim::Fault& fault) {
    sim::FaultyDatabase faulty(*database_, fault);
    try {
      change_.ask({faulty, kWall, "test"});
    } catch (const sim::Crash&) {
    }
  }

  std::string picture() const {
    const Context context{*database_, kWall, "test"};
    std::string text;
    for (const archive::Tape& each : must(archive::list_tapes(context, "", 10))) {
      text += each.spec.vid.str() + " " + std::string(name_of(each.spec.state)) + " " + each.spec.reason + "\n";
    }
    for (const archive::File& each : must(archive::list_files(context, "", 10))) {
      text += each.spec.id.str();
      for (const archive::Copy& copy : each.spec.copies) text += " " + copy.vid.str() + ":" + std::to_string(copy.fseq);
      text += "\n";
    }
    for (const archive::Policy& each : must(archive::list_policies(context, "", 10))) {
      text += each.name.str() + " " + std::to_string(each.priority) + "\n";
    }
    for (const archive::Drive& each : must(archive::list_drives(context, "", 10))) {
      text += each.name.str() + " " + std::string(name_of(each.desired)) + " " + each.reason + "\n";
    }
    for (const audit::RecordedEvent& each : must(audit::read_events(*database_, 0, 100))) {
      const audit::Event& event = each.event;
      text += event.action + " " + event.tape + event.file + event.policy + event.drive + " " + event.to + " " + event.reason + "\n";
    }
    return text;
  }

 private:
  static constexpr WallTime kWall{1'800'000'000'000};

  const Change& change_;
  std::unique_ptr<ports::Database> database_ = sim::memory_database();
};

TEST(CrashAtEveryStep, OfTheCatalogueIsAsAWholeAndOnce) {
  int calls = 0;
  int runs = 0;
  for (const Change& change : kChanges) {
    Subject whole(change);
    const std::string before = whole.picture();
    sim::Fault none;
    whole.ask(none);
    const std::string after = whole.picture();
    ASSERT_NE(before, after) << change.name;
    calls += none.calls;
    for (int at = 0; at < none.calls; ++at) {
      for (const sim::Outcome outcome : sim::kOutcomes) {
        Subject subject(change);
        sim::Fault fault{.at = at, .outcome = outcome};
        subject.ask(fault);
        EXPECT_TRUE(fault.happened) << change.name << ", call " << at;
        const std::string left = subject.picture();
        EXPECT_TRUE(left == before || left == after) << change.name << ", call " << at << ":\n" << left;
        sim::Fault again;
        subject.ask(again);
        EXPECT_EQ(subject.picture(), after) << change.name << ", call " << at;
        testing_support::tell_if_failed(std::string(change.name) + ": who does it", fault);
        ++runs;
      }
    }
  }
  std::printf("crash points: catalogue: %zu workflows, %d calls, %d runs\n", std::size(kChanges), calls, runs);
}

}  // namespace
}  // namespace reclaim::test
