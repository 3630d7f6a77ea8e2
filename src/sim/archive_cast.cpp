#include "sim/archive_cast.hpp"

#include <array>
#include <initializer_list>
#include <span>
#include <utility>

#include "archive/cancel.hpp"
#include "archive/drives.hpp"
#include "archive/enqueue.hpp"
#include "archive/files.hpp"
#include "archive/reporter.hpp"
#include "base/adler32.hpp"
#include "drive/session.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::sim {
namespace {

using namespace archive;  // NOLINT(google-build-using-namespace): this file plays that room

constexpr std::array kPossible = {
    Likely{FaultKind::kStoreAway, 8},     Likely{FaultKind::kStoreSilent, 8},     Likely{FaultKind::kStoreLate, 8},
    Likely{FaultKind::kDatabaseAway, 10}, Likely{FaultKind::kDatabaseSilent, 10}, Likely{FaultKind::kDiskFull, 3},
    Likely{FaultKind::kDeath, 3},         Likely{FaultKind::kPause, 4},           Likely{FaultKind::kWallJump, 3},
    Likely{FaultKind::kNoReceipt, 150},   Likely{FaultKind::kRefusal, 150},
};
constexpr const char* kFlaky = "http://flaky.example/done";
constexpr const char* kGood = "http://good.example/done";
constexpr ReporterOptions kReporting{.tries_max = 4, .backoff = Millis{5'000}};
constexpr int kTurns = 5;  // of one incarnation
constexpr std::size_t kAcceptedMost = 60;
constexpr std::uint32_t kLeavesPermille = 500;

report_memory::Reaction react(Faults& faults) {
  using Kind = ports::ReportOutcome::Kind;
  if (faults.strikes(FaultKind::kRefusal)) return {{.kind = Kind::kRefused, .status = 500, .reason = "answered 500"}};
  if (faults.strikes(FaultKind::kNoReceipt)) return {{.kind = Kind::kUnanswered, .reason = "timed out"}};
  return {{.kind = Kind::kReceipt, .status = 200}};
}

// Registers, works some turns under one agent, leaves or is left for dead; and again.
template <class Work>
void live(ArchiveScene& scene, const char* name, const char* kind, Work&& work) {
  while (!scene.is_over) {
    try {
      const auto agent = agents::Agent::register_as(scene.staged_store, name, kind);
      if (!agent.ok()) continue;
      Hand hand(scene.staged_store, *agent.value());
      ArchiveEstate estate(hand, [&scene] { return scene.now(); });
      for (int turn = 0; turn < kTurns && !scene.is_over && hand.check().ok(); ++turn) {
        (void)agent.value()->heart().beat().ok();
        work(hand, estate);
      }
      if (scene.run.dice.happens(kLeavesPermille) && give_back(hand, estate, "segment").ok() && hand.rest().ok()) {
        (void)agent.value()->leave().ok();
      }
    } catch (const Crash&) {
      scene.stage.note("another takes its place");
    }
  }
}

void clean(ArchiveScene& scene, const char* name) {
  live(scene, name, "maintenance", [&scene](Hand& hand, ArchiveEstate& estate) {
    const auto cleaned = clean_up(scene.now(), hand, estate, 1 + scene.run.dice.below(8));
    if (!cleaned.ok()) scene.stage.note(cleaned.error().message);
  });
}

drive::Drive drive_of(const std::string& name, Hand& hand, ArchiveEstate& estate, ArchiveScene& scene, std::function<Context()> context) {
  return {.name = DriveName(name),
          .hand = hand,
          .estate = estate,
          .context = std::move(context),
          .library = scene.library,
          .buffer = scene.buffer,
          .load = [](const Vid&) { return done(); },
          .unload = [](const Vid&) { return done(); },
          .is_stopping = [] { return false; }};
}

std::string text_of(const Result<drive::MountReport>& mounted) {
  if (!mounted.ok()) return mounted.error().message;
  const drive::MountReport& one = mounted.value();
  if (!one.vid) return "finds no tape worth a mount" + (one.why.empty() ? "" : ": " + one.why);
  return "had " + one.vid->str() + " mounted: " + std::to_string(one.delivered) + " delivered, " + std::to_string(one.failed) + " failed" +
         (one.why.empty() ? "" : ", " + one.why) + (one.problems.empty() ? "" : ", " + one.problems.front());
}

std::string text_of(const Result<ReporterReport>& told) {
  if (!told.ok()) return told.error().message;
  const ReporterReport& one = told.value();
  return std::to_string(one.receipts) + " reported, " + std::to_string(one.untold) + " with nobody to tell, " + std::to_string(one.again) +
         " to no avail" + (one.problems.empty() ? "" : ", " + one.problems.front());
}

void drive_tapes(ArchiveScene& scene, const char* name) {
  live(scene, name, "drive", [&scene, name](Hand& hand, ArchiveEstate& estate) {
    drive::Drive one = drive_of(name, hand, estate, scene, [&scene] { return scene.now(); });
    const auto mounted = drive::serve_one_mount(one);
    if (!mounted.ok()) scene.stage.note(mounted.error().message);
    (void)drive::give_everything_back(one).ok();
  });
}

void tell(ArchiveScene& scene) {
  live(scene, "reporter", "maintenance", [&scene](Hand& hand, ArchiveEstate& estate) {
    (void)report([&scene] { return scene.now(); }, hand, estate, scene.sink, kReporting, 8).ok();
  });
}

void collect(ArchiveScene& scene, const char* name) {
  while (!scene.is_over) {
    try {
      const auto agent = agents::Agent::register_as(scene.staged_store, name, "maintenance");
      if (!agent.ok()) continue;
      Hand hand(scene.staged_store, *agent.value());
      ArchiveEstate estate(hand, [&scene] { return scene.now(); });
      agents::Takeover takeover(scene.staged_store, *agent.value(), estate, Process::kTimeout);
      Sweep sweep(hand, estate);
      Instant now{1'000};
      for (int look = 0; look < 3 * kTurns && !scene.is_over && hand.check().ok(); ++look) {
        now = now + Process::kTimeout / 3;
        (void)agent.value()->heart().beat().ok();
        (void)takeover.run(now, Process::kBudget).ok();
        if (look % 4 == 3) (void)sweep.run(Process::kBudget).ok();
      }
    } catch (const Crash&) {
      scene.stage.note("another takes its place");
    }
  }
}

Submission any_submission(ArchiveScene& scene) {
  const int number = 1 + static_cast<int>(scene.run.dice.below(ArchiveScene::kFiles));
  Submission asked{.file = FileId(ArchiveScene::file_of(number)), .destination = "out/" + std::to_string(++scene.submitted)};
  if (scene.run.dice.happens(700)) asked.report_to = scene.run.dice.happens(500) ? kFlaky : kGood;
  return asked;
}

void submit(ArchiveScene& scene) {
  live(scene, "desk", "desk", [&scene](Hand& hand, ArchiveEstate&) {
    Enqueuer enqueuer(hand);
    for (int batch = 0; batch < 2 && scene.accepted.size() < kAcceptedMost; ++batch) {
      std::vector<Submission> asked;
      for (std::size_t i = 0; i <= scene.run.dice.below(3); ++i) asked.push_back(any_submission(scene));
      scene.unanswered += asked.size();  // until an answer is there
      for (const auto& answer : enqueuer.enqueue(scene.now(), asked, scene.wall_ms)) {
        const bool is_open = !answer.ok() && answer.error().kind == Error::Kind::kUnavailable;
        if (answer.ok()) scene.accepted.push_back(answer.value().id);
        if (answer.ok()) scene.stage.note("accepted: " + text_of(answer.value().id) + " for " + answer.value().vid.str());
        if (!is_open) --scene.unanswered;
      }
    }
    enqueuer.rest();
    (void)hand.rest().ok();
  });
}

void cancel(ArchiveScene& scene) {
  live(scene, "canceller", "desk", [&scene](Hand& hand, ArchiveEstate&) {
    if (scene.accepted.empty()) return;
    const RequestId id = scene.accepted[scene.run.dice.below(scene.accepted.size())];
    const auto cancelled = cancel_request(hand, scene.now(), id, [](const SegmentId&) {});
    scene.stage.note("cancel " + text_of(id) + ": " + (cancelled.ok() ? "done" : cancelled.error().message));
  });
}

void operate(ArchiveScene& scene) {
  constexpr std::array kAsked = {TapeState::kBroken,    TapeState::kExported, TapeState::kDisabled,
                                 TapeState::kRepacking, TapeState::kActive,   TapeState::kActive};
  while (!scene.is_over) {
    try {
      const Vid vid("V" + std::to_string(1 + scene.run.dice.below(3)));
      const TapeState asked = kAsked[scene.run.dice.below(kAsked.size())];
      const auto changed = ask_tape_state(scene.now(), vid, asked, asked == TapeState::kActive ? "" : "torn");
      scene.stage.note(vid.str() + " to " + std::string(archive::name_of(asked)) + ": " +
                       (changed.ok() ? "done" : changed.error().message));
    } catch (const Crash&) {
      scene.stage.note("another takes its place");
    }
  }
}

}  // namespace

ArchiveScene::ArchiveScene(Run& the_run)
    : run(the_run),
      faults(run.dice, kPossible),
      unreliable_store(store, store, faults, run.dice, [this](const std::string& what) { stage.note(what); }),
      unreliable_database(*database, faults, run.dice, [this](const std::string& what) { stage.note(what); }),
      staged_store(unreliable_store, stage),
      staged_database(unreliable_database, stage) {
  faults.calm(true);
  sink.set_target("flaky.example|80", [this](const ports::Report&) { return react(faults); });
  std::vector<FileSpec> files;
  for (const char* vid : {"V1", "V2", "V3", kQuiet}) library.bring(vid);
  for (int number = 1; number <= kFiles; ++number) {
    const std::string content = "content of " + std::to_string(number);
    Adler32 sum;
    sum.add(content);
    FileSpec spec{FileId(file_of(number)), static_cast<std::int64_t>(content.size()), sum.text(), {}};
    const std::size_t first = run.dice.below(3);
    const std::size_t copies = number <= kQuietFiles ? 0 : 1 + run.dice.below(3);
    for (std::size_t i = 0; i < copies; ++i) spec.copies.push_back({Vid("V" + std::to_string(1 + (first + i) % 3)), number});
    if (copies == 0) spec.copies.push_back({Vid(kQuiet), number});
    for (const Copy& copy : spec.copies) library.put(copy.vid.str(), static_cast<std::uint64_t>(number), content);
    files.push_back(std::move(spec));
  }
  for (const auto& added : must(add_files(plainly(), files))) (void)must(added);
  for (const char* drive : {"D1", "D2", "D3"}) must(register_drive(plainly(), DriveName(drive)));
}

std::vector<Role> archive_roles() {
  return {
      {"cleaner", [](ArchiveScene& scene) { clean(scene, "cleaner"); }},
      {"second cleaner", [](ArchiveScene& scene) { clean(scene, "second"); }},
      {"drive D1", [](ArchiveScene& scene) { drive_tapes(scene, "D1"); }},
      {"drive D2", [](ArchiveScene& scene) { drive_tapes(scene, "D2"); }},
      {"reporter", tell},
      {"collector", [](ArchiveScene& scene) { collect(scene, "collector"); }},
      {"second collector", [](ArchiveScene& scene) { collect(scene, "watcher"); }},
      {"submitter", submit},
      {"canceller", cancel},
      {"operator", operate},
  };
}

void serve_plainly(ArchiveScene& scene, const std::string& name, int mounts) {
  const auto agent = must(agents::Agent::register_as(scene.store, name, "drive"));
  Hand hand(scene.store, *agent);
  const auto context = [&scene] { return scene.plainly(); };
  ArchiveEstate estate(hand, context);
  drive::Drive one = drive_of(name, hand, estate, scene, context);
  for (int i = 0; i < mounts; ++i) {
    const auto mounted = drive::serve_one_mount(one);
    scene.run.story.say("drive " + name, text_of(mounted));
    scene.wall_ms += 60'000;  // no tape rests any more
  }
  if (drive::give_everything_back(one).ok()) (void)agent->leave().ok();
}

void report_plainly(ArchiveScene& scene, Process& process) {
  const auto told = report([&scene] { return scene.plainly(); }, process.hand, process.estate, scene.sink, kReporting, Process::kBudget);
  scene.run.story.say("reporter", text_of(told));
  scene.wall_ms += 3'600'000;  // no report waits any more
}

std::optional<RequestId> submit_plainly(ArchiveScene& scene, const std::string& file) {
  const auto agent = must(agents::Agent::register_as(scene.store, "last-desk", "desk"));
  Hand hand(scene.store, *agent);
  Enqueuer enqueuer(hand);
  const Submission asked{.file = FileId(file), .destination = "out/" + std::to_string(++scene.submitted), .report_to = kGood};
  const auto answers = enqueuer.enqueue(scene.plainly(), std::span(&asked, 1), scene.wall_ms);
  enqueuer.rest();
  must(hand.rest());
  must(agent->leave());
  if (!answers.front().ok()) return std::nullopt;
  scene.accepted.push_back(answers.front().value().id);
  return answers.front().value().id;
}

}  // namespace reclaim::sim
