#include "sim/fleet_crew.hpp"

#include <algorithm>
#include <utility>

#include "sim/teller.hpp"

namespace reclaim::sim {
namespace {

using fleet::Resource;
using fleet::ResourceState;

constexpr std::size_t kHungMost = 8;  // fewer than the pen of any worker holds
constexpr std::size_t kLateMost = 32;
constexpr std::uint32_t kTurnsPermille = 500;
constexpr std::uint32_t kSlowAnswerPermille = 300;

std::string key_of(std::size_t worker) { return "ssh-ed25519 " + std::string(67, 'A') + static_cast<char>('A' + worker); }

std::string text_of(const wire::SyncRequest& request) {
  std::string text = "sync " + std::to_string(request.sequence) + " of " + request.session + ", as of " + std::to_string(request.as_of);
  for (const wire::DestroyResult& result : request.results)
    text += (result.succeeded ? ", destroyed " : ", could not destroy ") + result.handle;
  return text;
}

std::string text_of(const wire::SyncAnswer& answer) {
  std::string text = "answered at " + std::to_string(answer.high_water);
  for (const ResourceKind kind : kResourceKinds) {
    if (!answer.destroy[kind].empty()) text += ", destroy " + joined(answer.destroy[kind]);
  }
  return text;
}

}  // namespace

FleetCrew::FleetCrew(FleetScene& scene) : scene_(scene) {
  for (std::size_t i = 0; i < kWorkers; ++i) {
    const std::string name = "w" + std::to_string(i + 1);
    Crew& crew = crew_[name];
    crew.key = key_of(i);
    crew.machine = new_machine(name, "disk");
    crew.machine->on_destroy([this, name](ResourceKind kind, const std::string& handle) { watch(name, kind, handle); });
  }
}

void FleetCrew::enroll() {
  for (const auto& [name, crew] : crew_) {
    must(fleet::put_worker(scene_.plainly(),
                           {.name = WorkerName(name), .keys = std::vector{crew.key}, .existing = fleet::Existing::kDestroy}));
  }
}

std::unique_ptr<Machine> FleetCrew::new_machine(const std::string& name, const std::string& disk) {
  auto machine = std::make_unique<Machine>(scene_.world, name, disk);
  machine->on_carry([this, name](ResourceKind kind, const std::string& handle) {
    if (hung_.size() < kHungMost && scene_.faults.strikes(FaultKind::kHang)) {
      hung_.insert({name, kind, handle});
      scene_.say(name, "its destroy of " + handle + " hangs");
      return Machine::Carried::kHangs;
    }
    if (!scene_.faults.strikes(FaultKind::kPoison)) return Machine::Carried::kDone;
    scene_.say(name, "cannot destroy " + handle);
    return Machine::Carried::kFails;
  });
  return machine;
}

void FleetCrew::watch(const std::string& worker, ResourceKind kind, const std::string& handle) {
  const ThingName name{worker, kind, handle};
  scene_.say(worker, "destroys " + handle);
  const Thing* thing = scene_.truth.find(name);
  if (thing != nullptr && scene_.truth.is_wanted(*thing))
    scene_.run.breach("F1", name.str() + " is destroyed although somebody counts on it");
  scene_.truth.gone(name);
}

std::vector<std::string> FleetCrew::names() const {
  std::vector<std::string> names;
  for (const auto& [name, crew] : crew_) names.push_back(name);
  return names;
}

std::vector<std::string> FleetCrew::things(const std::string& worker, ResourceKind kind) { return words(machine(worker).all(kind)); }

void FleetCrew::act() {
  deliver_late(false);
  for (auto& [name, crew] : crew_) {
    trouble(name, crew);
    trouble_things(name, crew);
    if (scene_.run.dice.happens(kTurnsPermille)) turn(name, crew);
    if (crew.twin) twin_turn(name, crew);
  }
  if (!hung_.empty() && scene_.run.dice.happens(80)) end_hung();
  if (scene_.run.dice.happens(60)) accept_all();
}

void FleetCrew::turn(const std::string& name, Crew& crew) {
  if (scene_.step < crew.away_until) return;
  if (!crew.answer) return send(name, crew);
  if (scene_.step < crew.answer_at) return;
  crew.machine->hear(*std::exchange(crew.answer, std::nullopt));
  if (!crew.machine->superseded()) return;
  // It has ended, and nobody restarts it but an operator.
  scene_.say(name, "ends: another session has taken over");
  crew.machine->crash();
  crew.away_until = scene_.step + 20;
}

void FleetCrew::send(const std::string& name, Crew& crew) {
  const wire::SyncRequest request = crew.machine->speak();
  const auto goes_wrong = [&](FaultKind kind, const char* how) {
    if (!scene_.faults.strikes(kind)) return false;
    scene_.say(name, text_of(request) + how);
    crew.answer = Result<wire::SyncAnswer>(unavailable("no answer"));
    crew.answer_at = scene_.step + 1;
    return true;
  };
  if (goes_wrong(FaultKind::kMessageLost, ": lost on its way")) return;
  const bool is_twice = late_.size() < kLateMost && scene_.faults.strikes(FaultKind::kMessageTwice);
  if (is_twice) late_.push_back({name, request, scene_.step + 1 + scene_.run.dice.below(15)});
  if (late_.size() < kLateMost && goes_wrong(FaultKind::kMessageLate, ": delayed on its way, its sender gives it up")) {
    late_.push_back({name, request, scene_.step + 1 + scene_.run.dice.below(15)});
    return;
  }
  Result<wire::SyncAnswer> answer = deliver(name, request);
  if (goes_wrong(FaultKind::kAnswerLost, ": its answer is lost")) return;
  crew.answer = std::move(answer);
  crew.answer_at = scene_.run.dice.happens(kSlowAnswerPermille) ? scene_.step + 1 + scene_.run.dice.below(4) : scene_.step;
  if (crew.answer_at == scene_.step) turn(name, crew);
}

Result<wire::SyncAnswer> FleetCrew::deliver(const std::string& name, const wire::SyncRequest& request) {
  std::vector<Resource> marked;
  for (const ResourceKind kind : kResourceKinds)
    std::ranges::move(scene_.rows(name, kind, ResourceState::kDestroying), std::back_inserter(marked));
  const std::map<std::string, std::string> others = scene_.step % 4 == 0 ? rows_of_others(name) : std::map<std::string, std::string>();
  Result<fleet::SyncOutcome> outcome = scene_.ask("worker:" + name, [&](const fleet::Context& context) {
    return fleet::sync(context, {.key = crew_.at(name).key, .worker = ""}, request);
  });
  scene_.say(name, text_of(request) + ": " + (outcome.ok() ? text_of(outcome.value().answer) : outcome.error().message));
  ask_after(name, marked, others);
  return outcome.ok() ? Result<wire::SyncAnswer>(std::move(outcome.value().answer)) : outcome.error();
}

void FleetCrew::ask_after(const std::string& name, const std::vector<Resource>& marked, const std::map<std::string, std::string>& others) {
  std::set<std::int64_t> left;
  if (!marked.empty()) {
    for (const ResourceKind kind : kResourceKinds) {
      for (const Resource& row : scene_.rows(name, kind, ResourceState::kDestroying)) left.insert(row.id);
    }
  }
  // What its client made after its creating deadline is a stranger. Of two machines with one key each has things of its own; what the one
  // confirms the other may have.
  for (const Resource& row : marked) {
    const ThingName thing{name, row.name.kind, row.name.handle.str()};
    const bool is_there = machine(name).has(thing.kind, thing.handle);
    const Thing* known = scene_.truth.find(thing);
    const bool is_late = known != nullptr && known->stage == Thing::Stage::kMade;
    if (left.contains(row.id) || !is_there || is_late || crew_.at(name).had_twin) continue;
    scene_.run.breach("F3", "the row of " + thing.str() + " is forgotten, and it is there");
  }
  if (!others.empty() && others != rows_of_others(name))
    scene_.run.breach("F4", "a sync of " + name + " has changed rows of another worker");
}

std::map<std::string, std::string> FleetCrew::rows_of_others(const std::string& name) const {
  std::map<std::string, std::string> rows;
  for (const auto& [other, crew] : crew_) {
    if (other == name) continue;
    for (const ResourceKind kind : kResourceKinds) {
      for (const Resource& row : scene_.rows(other, kind)) {
        rows[other] += row.name.handle.str() + " " + std::string(fleet::name_of(row.state)) + (row.missing_since ? " missing, " : ", ");
      }
    }
  }
  return rows;
}

void FleetCrew::deliver_late(bool all) {
  for (std::size_t i = 0; i < late_.size();) {
    if (!all && late_[i].at > scene_.step) {
      ++i;
      continue;
    }
    const Late late = late_[i];
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
    scene_.say("network", "delivers sync " + std::to_string(late.request.sequence) + " of " + late.request.session + ", late");
    (void)deliver(late.worker, late.request).ok();
  }
}

void FleetCrew::trouble(const std::string& name, Crew& crew) {
  Machine& machine = *crew.machine;
  if (scene_.faults.strikes(FaultKind::kDeath)) {
    scene_.say(name, "its worker dies and is started again");
    machine.crash();
    crew.answer.reset();
    std::erase_if(hung_, [&](const ThingName& thing) { return thing.worker == name; });
  }
  if (scene_.faults.strikes(FaultKind::kDeafWorker)) {
    crew.away_until = scene_.step + 5 + scene_.run.dice.below(40);
    scene_.say(name, "is away for " + std::to_string(crew.away_until - scene_.step) + " steps");
  }
  if (scene_.faults.strikes(FaultKind::kListFails)) {
    const ResourceKind kind = kResourceKinds[scene_.run.dice.below(2)];
    machine.hold_lists(kind);
    scene_.say(name, "its lists of " + std::string(plural_of(kind)) + " take long");
  } else if (scene_.run.dice.happens(250)) {
    machine.release_lists();
  }
  if (scene_.faults.strikes(FaultKind::kStateFull)) {
    machine.fill_disk(true);
    scene_.say(name, "cannot write down what it is told");
  } else if (scene_.run.dice.happens(100)) {
    machine.fill_disk(false);
  }
  if (!crew.twin && scene_.faults.strikes(FaultKind::kTwin)) bring_twin(name, crew);
}

void FleetCrew::trouble_things(const std::string& name, Crew& crew) {
  Machine& machine = *crew.machine;
  if (scene_.faults.strikes(FaultKind::kStranger)) {
    const std::string handle = "stranger-" + std::to_string(++strangers_);
    machine.put(kResourceKinds[scene_.run.dice.below(2)], handle);
    scene_.say(name, "somebody puts " + handle + " there");
  }
  const ResourceKind kind = kResourceKinds[scene_.run.dice.below(2)];
  const std::vector<std::string> present = things(name, kind);
  if (!present.empty() && scene_.faults.strikes(FaultKind::kVanish)) {
    const std::string& handle = present[scene_.run.dice.below(present.size())];
    machine.take(kind, handle);
    scene_.truth.gone({name, kind, handle});
    scene_.say(name, "somebody takes " + handle + " away");
  }
  if (scene_.faults.strikes(FaultKind::kDiskWiped)) {
    scene_.say(name, "its disk is wiped");
    machine.wipe();
    scene_.truth.all_gone(name);
    crew.answer.reset();
    std::erase_if(hung_, [&](const ThingName& thing) { return thing.worker == name; });
  }
}

// Either a machine of another disk that was given the same key, or one that was copied with all that it has.
void FleetCrew::bring_twin(const std::string& name, Crew& crew) {
  crew.twin = new_machine(name, "other");
  const bool is_copy = scene_.run.dice.happens(500);
  if (is_copy) crew.twin->clone(*crew.machine);
  if (!is_copy) crew.twin->put(ResourceKind::kContainer, "of-the-twin-" + std::to_string(++strangers_));
  crew.twin_until = scene_.step + 10 + scene_.run.dice.below(30);
  crew.had_twin = true;
  scene_.say(name, is_copy ? "a copy of the machine is started" : "another machine is started with its key");
}

void FleetCrew::twin_turn(const std::string& name, Crew& crew) {
  if (scene_.step >= crew.twin_until) {
    scene_.say("operator", "takes the second " + name + " away");
    crew.twin.reset();
    std::erase_if(hung_, [&](const ThingName& thing) { return thing.worker == name; });
    crew.machine->end_hung();
    crew.machine->crash();
    crew.answer.reset();
    crew.away_until = 0;
    return;
  }
  if (scene_.run.dice.happens(kTurnsPermille) && !crew.twin->superseded()) crew.twin->hear(deliver(name, crew.twin->speak()));
}

void FleetCrew::accept(const std::string& name, fleet::Accept what) {
  // After a restore nobody knows what was forgotten.
  const fleet::Existing strangers = scene_.restores > 0 ? fleet::Existing::kAdopt : fleet::Existing::kDestroy;
  const auto accepted = scene_.ask(
      "operator", [&](const fleet::Context& context) { return fleet::accept_worker(context, WorkerName(name), what, strangers); });
  if (accepted.ok()) scene_.say("operator", "accepts what " + name + " waits for");
}

void FleetCrew::accept_all() {
  for (const auto& [name, crew] : crew_) {
    // Which of two machines is meant is not clear while both speak.
    if (crew.twin) continue;
    const WorkerName asked(name);
    const auto worker = scene_.ask("operator", [&](const fleet::Context& context) { return fleet::find_worker(context, asked); });
    if (!worker.ok()) continue;
    for (const fleet::Hold& hold : worker.value().holds) {
      if (hold.what == fleet::Hold::What::kBrake) accept(name, fleet::Accept::kBrake);
      if (hold.what == fleet::Hold::What::kExisting) accept(name, fleet::Accept::kExisting);
      if (hold.what == fleet::Hold::What::kIncarnation) accept(name, fleet::Accept::kIncarnation);
    }
    if (crew.machine->superseded()) accept(name, fleet::Accept::kSession);
  }
}

void FleetCrew::mend() {
  deliver_late(true);
  for (auto& [name, crew] : crew_) {
    if (crew.twin) {
      crew.twin_until = 0;
      twin_turn(name, crew);
    }
    crew.away_until = 0;
    crew.machine->release_lists();
    crew.machine->fill_disk(false);
  }
}

void FleetCrew::sync_all() {
  accept_all();
  for (auto& [name, crew] : crew_) {
    crew.away_until = 0;
    turn(name, crew);
  }
}

void FleetCrew::end_hung() {
  hung_.clear();
  for (auto& [name, crew] : crew_) {
    crew.machine->end_hung();
    if (crew.twin) crew.twin->end_hung();
  }
}

void FleetCrew::stop_all() {
  late_.clear();
  hung_.clear();
  for (auto& [name, crew] : crew_) {
    crew.answer.reset();
    crew.machine->crash();
  }
}

}  // namespace reclaim::sim
