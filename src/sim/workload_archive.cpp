#include "sim/workload_archive.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "archive/ended.hpp"
#include "archive/ledger.hpp"
#include "archive/mounts.hpp"
#include "archive/store_check.hpp"
#include "sim/archive_cast.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::sim {
namespace {

using archive::RequestId;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::uint32_t kSwitchPermille = 250;
constexpr int kMounts = 8;
constexpr int kRoundsAtRest = 3;
constexpr int kLooksMost = 60;  // until all who died one after the other, collectors among them, are collected

class ArchiveWorkload : public Workload {
 public:
  explicit ArchiveWorkload(Run& run) : run_(run), scene_(run) {}

  void setup() override {
    for (int i = 0; i < 6; ++i) {
      (void)submit_plainly(scene_, ArchiveScene::file_of(1 + static_cast<int>(run_.dice.below(ArchiveScene::kFiles))));
    }
  }

  void start() override {
    for (const Role& role : roles_) {
      scene_.stage.add(role.name, [this, &role] { role.part(scene_); });
    }
    scene_.faults.calm(false);
    const bool has_ended = scene_.stage.play([this](const Cue& cue) { return decide(cue); });
    scene_.faults.calm(true);
    for (const Line& line : scene_.stage.lines()) run_.story.say(scene_.stage.name_of(line.actor), line.what);
    if (!has_ended) run_.breach("A4", "somebody does not come to an end");
  }

  void check() override {
    expect_nobody_waits();
    for (int round = 0; round < kRoundsAtRest; ++round) come_to_rest();
    expect_each_in_one_place();
    expect_tapes_at_rest();
    expect_a_clean_store();
    expect_balance();
    expect_reports_alike();
  }

  // Segments vanish from the store.
  void harm() override {
    for (const std::string& key : must(scene_.store.list_all("segment"))) {
      const ports::ObjectName name{"segment", key};
      must(scene_.store.remove(name, must(scene_.store.read(name)).version));
    }
  }

  const Faults& faults() const override { return scene_.faults; }

 private:
  Decision decide(const Cue& cue) {
    scene_.wall_ms += 100;
    scene_.is_over = cue.step >= run_.steps;
    if (!scene_.is_over && scene_.faults.strikes(FaultKind::kWallJump)) {
      scene_.wall_ms += run_.dice.happens(500) ? kHourMs : -kHourMs;
    }
    std::vector<std::size_t> able;
    for (const std::size_t actor : cue.ready) {
      if (scene_.is_over || paused_until_[actor] <= cue.step) able.push_back(actor);
    }
    if (able.empty()) able = cue.ready;
    const bool can_go_on = cue.current && std::ranges::find(able, *cue.current) != able.end();
    if (can_go_on && able.size() > 1 && scene_.faults.strikes(FaultKind::kPause)) {
      paused_until_[*cue.current] = cue.step + run_.steps / 10 + run_.dice.below(run_.steps / 2 + 1);
      std::erase(able, *cue.current);
      return {.actor = able[run_.dice.below(able.size())]};
    }
    if (can_go_on && !run_.dice.happens(kSwitchPermille)) return {.actor = *cue.current};
    return {.actor = able[run_.dice.below(able.size())]};
  }

  // What comes after all faults: the dead are collected, tapes cleaned up, drives serve, requesters answer.
  void come_to_rest() {
    Process process(*scene_.database, scene_.store, "later");
    problems_ = process.run_all();
    for (const std::string& arrived : scene_.unreliable_store.deliver_late(run_.steps)) run_.story.say("the store", arrived);
    serve_plainly(scene_, "D3", kMounts);
    for (int i = 0; i < 5; ++i) report_plainly(scene_, process);
    problems_ = process.run_all();
    must(process.hand.rest());
    (void)process.agent->leave().ok();
  }

  // A6: while one tape's queue is reserved and its cleaner does nothing, another tape is read and reported.
  void expect_nobody_waits() {
    Process collector(*scene_.database, scene_.store, "collector-of-the-dead");
    for (int look = 0; look < kLooksMost && must(scene_.store.list_all("agent")).size() > 1; ++look) (void)collector.collect().ok();
    for (int i = 0; i < 3; ++i) (void)collector.sweep.run(Process::kBudget).ok();  // what the collected have made since
    Process cleaner(*scene_.database, scene_.store, "slow-cleaner");
    (void)clean_up(scene_.plainly(), cleaner.hand, cleaner.estate, 1).ok();
    const auto id = submit_plainly(scene_, ArchiveScene::file_of(1));
    if (!id) return run_.breach("A6", std::string("nothing can be asked of ") + ArchiveScene::kQuiet);
    serve_plainly(scene_, "D3", kMounts);
    for (int i = 0; i < 2; ++i) report_plainly(scene_, collector);
    const auto ended = must(find_ended(scene_.plainly(), std::vector{*id}));
    if (!ended.front())
      run_.breach("A6", "request " + text_of(*id) + " of " + ArchiveScene::kQuiet + " waits while other tapes are cleaned up");
  }

  void expect_each_in_one_place() {
    const std::multiset<RequestId> present = scene_.all_requests();
    std::set<RequestId> found(present.begin(), present.end());
    const auto files = scene_.buffer.files();
    for (const auto& one : must(list_ended(scene_.plainly(), "", 10'000))) {
      found.insert(one.ended.id);
      const bool is_delivered = one.ended.request.state() == archive::stored::Request::TRANSFERRED;
      if (one.ended.how == archive::Ending::kDone && is_delivered && !files.contains(one.ended.request.destination())) {
        run_.breach("A2", "request " + text_of(one.ended.id) + " is done, and its file was not delivered");
      }
    }
    for (const RequestId& id : scene_.accepted) {
      if (!found.contains(id)) run_.breach("A2", "request " + text_of(id) + " was accepted and is nowhere");
    }
    for (const RequestId& id : std::set<RequestId>(present.begin(), present.end())) {
      if (present.count(id) > 1) run_.breach("A1", "request " + text_of(id) + " is in " + std::to_string(present.count(id)) + " places");
    }
    if (found.size() > scene_.accepted.size() + scene_.unanswered) {
      run_.breach("A2", std::to_string(found.size()) + " requests are there, and no more than " +
                            std::to_string(scene_.accepted.size() + scene_.unanswered) + " were ever asked for");
    }
  }

  void expect_tapes_at_rest() {
    const auto contents = scene_.contents();
    for (const char* vid : {"V1", "V2", "V3", "V4"}) {
      const archive::TapeState state = scene_.state_of(vid);
      const std::string name = std::string(vid) + " is " + std::string(archive::name_of(state));
      const auto queued = contents.find(to_transfer(vid));
      const std::size_t waiting = queued == contents.end() ? 0 : queued->second.size();
      const bool accepts = state == archive::TapeState::kActive || state == archive::TapeState::kDisabled;
      if (name.ends_with("_PENDING")) run_.breach("A4", name + " at rest" + (problems_.empty() ? "" : ": " + problems_.front()));
      if (waiting > 0 && !accepts) run_.breach("A5", name + ", and " + std::to_string(waiting) + " requests wait there");
      if (waiting > 0 && state == archive::TapeState::kActive)
        run_.breach("A2", name + ", and drives leave " + std::to_string(waiting) + " requests there");
    }
    for (const archive::Mount& mount : must(archive::list_mounts(scene_.store))) {
      run_.breach("A4", mount.vid.str() + " is mounted at rest, in " + mount.drive);
    }
  }

  void expect_a_clean_store() {
    const archive::StoreReport report = must(archive::check_store(scene_.store));
    for (const archive::Finding& finding : report.findings) {
      if (is_left_for_later(finding)) continue;
      const std::string invariant(archive::invariant_of(finding.kind));
      run_.breach(invariant.empty() ? "A1" : invariant, (invariant.empty() ? "left over at rest: " : "") + finding.sentence);
    }
  }

  // Who takes from a queue, or empties it, drops the entries that lead to nothing; nobody does of a tape that is DISABLED.
  bool is_left_for_later(const archive::Finding& finding) {
    if (finding.kind != archive::Finding::Kind::kDeadPointer) return false;
    return std::ranges::any_of(std::array{"V1", "V2", "V3"}, [&](const char* vid) {
      return finding.objects.front() == object_name(to_transfer(vid)) && scene_.state_of(vid) == archive::TapeState::kDisabled;
    });
  }

  void expect_balance() {
    const archive::TakenLedger taken = must(archive::take_ledger(scene_.plainly(), scene_.store));
    const std::int64_t unaccounted = taken.ledger.unaccounted();
    if (!taken.is_settled || unaccounted != 0) run_.breach("C1", std::to_string(unaccounted) + " requests are unaccounted for");
  }

  void expect_reports_alike() {
    std::map<std::string, std::string> bodies;
    for (const report_memory::Arrival& arrival : scene_.sink.ledger()) {
      const auto& first = bodies.emplace(arrival.report.key, arrival.report.body).first->second;
      if (first != arrival.report.body) run_.breach("A2", "report " + arrival.report.key + " came with another body");
    }
  }

  Run& run_;
  ArchiveScene scene_;
  const std::vector<Role> roles_ = archive_roles();
  std::map<std::size_t, std::size_t> paused_until_;
  std::vector<std::string> problems_;
};

}  // namespace

std::unique_ptr<Workload> make_archive_workload(Run& run) { return std::make_unique<ArchiveWorkload>(run); }

}  // namespace reclaim::sim
