#include "drive/session.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>

#include "archive/estate.hpp"
#include "archive/mounts.hpp"
#include "archive/placement.hpp"
#include "archive/take.hpp"
#include "archive/tapes.hpp"
#include "drive/choice.hpp"
#include "drive/in_hand.hpp"
#include "drive/transfer.hpp"
#include "drive/verdict.hpp"

namespace reclaim::drive {
namespace {

using archive::stored::Queue;
using archive::stored::Request;

constexpr std::size_t kProblemsMax = 100;
constexpr std::size_t kBatchResults = 100;
constexpr std::int64_t kBatchMs = 1000;

// Entries of what the tape accepts as it is now, the most urgent first, then in the order of the tape.
std::vector<Queue::Pointer> choose_entries(const Queue& queue, archive::TapeState state) {
  std::vector<Queue::Pointer> entries;
  for (const Queue::Pointer& entry : queue.pointers()) {
    if (archive::accepts(state, entry.repack() ? Request::REPACK : Request::USER)) entries.push_back(entry);
  }
  std::ranges::sort(entries, {}, [](const Queue::Pointer& entry) { return std::tuple(-entry.priority_max(), entry.fseq_min()); });
  if (entries.size() > archive::kTakeMax) entries.resize(archive::kTakeMax);
  return entries;
}

class Session {
 public:
  Session(Drive& drive, const archive::Vid& vid, MountReport& report)
      : drive_(drive), vid_(vid), report_(report), in_hand_(drive, vid, report) {}

  // Until nothing is left, or something ends the mount.
  Status serve() {
    while (TRY(may_go_on())) {
      drive_.hand.progress(kStoreStep);
      archive::TakenSegments taken = TRY(take_some());
      if (taken.segments.empty()) break;
      in_hand_.add(std::move(taken.segments));
      TRY(serve_taken());
      if (report_.is_in_doubt) break;
    }
    drive_.hand.progress(kStoreStep);
    return in_hand_.hand_over(InHand::Now::kEverything);
  }

  // Something waits, and nothing of it could be had.
  bool is_in_vain() const { return is_in_vain_; }

 private:
  Result<archive::TakenSegments> take_some() {
    const archive::Tape tape = TRY(archive::find_tape(drive_.context(), vid_));
    const auto choose = [&](const Queue& queue) { return choose_entries(queue, tape.spec.state); };
    archive::TakenSegments taken = TRY(archive::take(drive_.hand, {vid_, archive::QueueType::kToTransfer}, choose));
    has_taken_ = has_taken_ || !taken.segments.empty();
    is_in_vain_ = !has_taken_ && !taken.problems.empty();
    for (std::string& problem : taken.problems) {
      if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(problem));
    }
    report_.is_in_doubt = report_.is_in_doubt || taken.is_in_doubt;
    return taken;
  }

  Status serve_taken() {
    std::int64_t since_ms = drive_.context().wall.ms;
    for (const Place& place : in_hand_.in_tape_order()) {
      if (!TRY(may_go_on())) return done();
      TRY(serve_one(place));
      const std::int64_t now_ms = drive_.context().wall.ms;
      const bool is_due = in_hand_.results() >= kBatchResults || now_ms - since_ms >= kBatchMs || now_ms < since_ms;
      if (!is_due) continue;
      since_ms = now_ms;
      drive_.hand.progress(kStoreStep);
      TRY(in_hand_.hand_over(InHand::Now::kWhatIsFinal));
    }
    drive_.hand.progress(kStoreStep);
    return in_hand_.hand_over(InHand::Now::kWhatIsFinal);
  }

  Status serve_one(const Place& place) {
    std::optional<Request> request = TRY(in_hand_.look_at(place));
    if (!request) return done();
    for (;;) {
      const Try tried = transfer(drive_, vid_, place.id, *request);
      if (drive_.told) drive_.told(tried);
      if (tried.came == Came::kFenced) return fenced("the drive's agent was collected", "epoch");
      if (tried.came == Came::kStopped) return end("the drive is stopping"), done();
      if (tried.came == Came::kTapeAway) return end("tape " + vid_.str() + " is away: " + tried.why), done();
      if (tried.came == Came::kBufferFailed) return go_down("buffer " + drive_.buffer.name() + ": " + tried.why);
      const Next next = judge(*request, tried);
      if (next == Next::kAgain) continue;
      in_hand_.record(place, std::move(*request), next);
      return done();
    }
  }

  void end(std::string why) { report_.why = std::move(why); }

  Status go_down(const std::string& why) {
    end(why);
    TRY(archive::set_drive(drive_.context(), drive_.name, archive::Desired::kDown, why));
    return done();
  }

  Result<bool> may_go_on() {
    TRY(drive_.hand.check());
    if (!report_.why.empty()) return false;
    if (drive_.is_stopping()) return end("the drive is stopping"), false;
    const archive::Drive wanted = TRY(archive::find_drive(drive_.context(), drive_.name));
    if (wanted.desired == archive::Desired::kDown) return end("the drive is wanted down: " + wanted.reason), false;
    const archive::Tape tape = TRY(archive::find_tape(drive_.context(), vid_));
    if (archive::may_mount(tape.spec.state)) return true;
    return end("tape " + vid_.str() + " is " + std::string(archive::name_of(tape.spec.state))), false;
  }

  Drive& drive_;
  const archive::Vid& vid_;
  MountReport& report_;
  InHand in_hand_;
  bool has_taken_ = false;
  bool is_in_vain_ = false;
};

Status put_down(Drive& drive, const archive::Vid& vid, MountReport& report, const Error& error) {
  report.why = "tape " + vid.str() + " could not be loaded: " + error.message;
  const archive::Context context = drive.context();
  TRY(archive::set_drive(context, drive.name, archive::Desired::kDown, report.why));
  const archive::Tape tape = TRY(archive::find_tape(context, vid));
  const bool is_repacking = tape.spec.state == archive::TapeState::kRepacking;
  if (tape.spec.state != archive::TapeState::kActive && !is_repacking) return done();
  const auto asked = is_repacking ? archive::TapeState::kRepackingDisabled : archive::TapeState::kDisabled;
  const auto changed = archive::ask_tape_state(context, vid, asked, "drive " + drive.name.str() + ": " + error.message);
  return changed.ok() ? done() : Status(changed.error());
}

// The tape is in the drive as far as others see.
Status serve_mounted(Drive& drive, const archive::Vid& vid, MountReport& report) {
  drive.hand.progress(kHookStep);
  const Status loaded = drive.load(vid);
  TRY(drive.hand.check());
  if (!loaded.ok()) return put_down(drive, vid, report, loaded.error());
  Session session(drive, vid, report);
  Status served = session.serve();
  if (!served.ok() || session.is_in_vain()) {
    drive.resting->begin(vid, drive.context().wall.ms);
  } else {
    drive.resting->end(vid);
  }
  return served;
}

Status end_mount(Drive& drive, const archive::Vid& vid, MountReport& report) {
  drive.hand.progress(kStoreStep);
  const Status given_back = archive::give_back(drive.hand, drive.estate, "segment");
  if (!given_back.ok()) report.problems.push_back("what was in hand: " + given_back.error().message);
  drive.hand.progress(kHookStep);
  const Status unloaded = drive.unload(vid);
  if (!unloaded.ok()) report.problems.push_back("tape " + vid.str() + " could not be unloaded: " + unloaded.error().message);
  drive.hand.progress(kStoreStep);
  TRY(archive::unmount(drive.hand, vid));
  return drive.hand.rest();
}

}  // namespace

Result<MountReport> serve_one_mount(Drive& drive) {
  TRY(drive.hand.check());
  drive.hand.progress(kStoreStep);
  MountReport report;
  // What an error left of the last mount.
  TRY(give_everything_back(drive));
  const archive::Drive wanted = TRY(archive::find_drive(drive.context(), drive.name));
  if (wanted.desired == archive::Desired::kDown) {
    report.why = "the drive is wanted down: " + wanted.reason;
    return report;
  }
  const std::optional<archive::Vid> vid = TRY(choose_tape(drive, report.problems));
  if (!vid) return report;
  const Status mounted = archive::mount(drive.hand, *vid, drive.name.str(), drive.context().wall.ms);
  if (!mounted.ok() && mounted.error().kind == Error::Kind::kConflict) return report;
  TRY(mounted);
  report.vid = vid;
  const Status served = serve_mounted(drive, *vid, report);
  const bool is_fenced = !drive.hand.check().ok() || (!served.ok() && served.error().kind == Error::Kind::kFenced);
  if (is_fenced) {
    // The tape is out of the drive all the same; in the store it is the collector's.
    (void)drive.unload(*vid);
    return fenced("the drive's agent was collected", "epoch");
  }
  const Status ended = end_mount(drive, *vid, report);
  TRY(served);
  TRY(ended);
  return report;
}

Status give_everything_back(Drive& drive) {
  TRY(archive::give_back(drive.hand, drive.estate, "segment"));
  TRY(archive::give_back(drive.hand, drive.estate, "mount"));
  return drive.hand.rest();
}

}  // namespace reclaim::drive
