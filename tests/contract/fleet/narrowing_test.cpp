// mark-orphans finds its candidates by index. Whatever the world, what it marks is what a look at every resource with the definition in
// hand would mark.
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "contract/fleet/engines.hpp"

namespace reclaim::test {
namespace {

using namespace std::chrono_literals;
using sim::FleetWorld;

using Name = std::pair<std::string, std::string>;  // worker, handle; containers are `c...`, volumes `v...`

struct ModelOwner {
  ServiceTime renewed;
  std::optional<Millis> ttl;
  std::optional<ServiceTime> released;
  Millis keep{0};
};

struct ModelResource {
  std::string owner;
  std::string container;
  std::string parent;
  std::string state = "creating";
  std::optional<ServiceTime> pinned;
  std::optional<Millis> pin_ttl;
  std::optional<ServiceTime> touched;
};

// The world as the design describes it, beside the one in the database.
class Model {
 public:
  std::map<std::string, ModelOwner> owners;
  std::map<Name, ModelResource> resources;

  // Orphan container: no live owner, no pin, not touched within the touch grace. Orphan volume: the same, and no row of its container,
  // and no row has it as parent, rows that are on their way out not counted; leaf first, all levels in one run.
  std::set<Name> orphans(const fleet::Moment& moment, const fleet::Policy& policy) const {
    std::set<Name> marked;
    for (std::size_t before = marked.size() + 1; before != marked.size();) {
      before = marked.size();
      for (const auto& [name, resource] : resources) {
        if (resource.state == "created" && !is_kept(name, resource, moment, policy, marked)) marked.insert(name);
      }
    }
    return marked;
  }

  bool is_live(const std::string& name, const fleet::Moment& moment) const {
    const auto found = owners.find(name);
    if (found == owners.end()) return false;
    const ModelOwner& owner = found->second;
    if (owner.released) return owner.keep > 0ms && !moment.has_run_out(*owner.released, owner.keep);
    return !owner.ttl || !moment.has_run_out(owner.renewed, *owner.ttl);
  }

 private:
  bool is_kept(const Name& name, const ModelResource& resource, const fleet::Moment& moment, const fleet::Policy& policy,
               const std::set<Name>& marked) const {
    if (is_live(resource.owner, moment)) return true;
    if (resource.pinned && (!resource.pin_ttl || !moment.has_run_out(*resource.pinned, *resource.pin_ttl))) return true;
    if (resource.touched && policy.touch_grace > 0ms && !moment.has_run_out(*resource.touched, policy.touch_grace)) return true;
    const auto stays = [&](const Name& other) {
      const auto found = resources.find(other);
      return found != resources.end() && found->second.state != "destroying" && !marked.contains(other);
    };
    if (!resource.container.empty() && stays({name.first, resource.container})) return true;
    for (const auto& [other, child] : resources) {
      if (other.first == name.first && child.parent == name.second && stays(other)) return true;
    }
    return false;
  }
};

class RandomWorld {
 public:
  RandomWorld(ports::Database& database, unsigned seed) : world_(database), random_(seed) {
    for (const char* worker : {"w1", "w2"}) world_.enroll(worker);
    if (one_in(4)) world_.policy().touch_grace = 0ms;
  }

  void live_through(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }
  std::set<Name> expected() const { return model_.orphans(world_.context().moment, world_.context().policy); }
  std::set<Name> marked() {
    const std::set<Name> before = destroying();
    world_.run("mark-orphans");
    std::set<Name> now = destroying();
    for (const Name& name : before) now.erase(name);
    return now;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool one_in(int n) { return below(n) == 0; }
  Millis duration() { return std::chrono::seconds(10 * (1 + below(12))); }
  ServiceTime now() const { return world_.context().moment.now; }
  std::string owner_or_none() { return one_in(4) ? "" : "o" + std::to_string(below(6)); }

  static fleet::ResourceName resource_name(const Name& name) {
    return {WorkerName(name.first), name.second[0] == 'c' ? ResourceKind::kContainer : ResourceKind::kVolume, Handle(name.second)};
  }

  std::optional<Name> any() {
    if (model_.resources.empty()) return std::nullopt;
    return std::next(model_.resources.begin(), below(static_cast<int>(model_.resources.size())))->first;
  }
  std::string any_on(const std::string& worker, char kind) {
    std::vector<std::string> handles;
    for (const auto& [name, resource] : model_.resources) {
      if (name.first == worker && name.second[0] == kind) handles.push_back(name.second);
    }
    return handles.empty() ? "" : handles[static_cast<std::size_t>(below(static_cast<int>(handles.size())))];
  }

  void step() {
    switch (below(12)) {
      case 0: return put_owner();
      case 1: return one_in(2) ? release() : put_owner();
      case 2: return world_.advance(duration());
      case 3: return one_in(10) ? world_.distrust_clocks() : world_.advance(5s);
      case 4: return pin();
      case 5: return touch();
      case 6: return own();
      case 7: return one_in(3) ? destroy() : change_state();
      case 8: return change_state();
      default: return add();
    }
  }

  void put_owner() {
    const std::string name = "o" + std::to_string(below(6));
    const std::optional<Millis> ttl = one_in(2) ? std::optional<Millis>(duration()) : std::nullopt;
    if (!fleet::put_owner(world_.context(), {.id = OwnerId(name), .kind = "build", .ttl = ttl}).ok()) return;
    model_.owners[name] = {.renewed = now(), .ttl = ttl};
  }

  void release() {
    const std::string name = "o" + std::to_string(below(6));
    const Millis keep = one_in(2) ? duration() : 0ms;
    const bool live = model_.is_live(name, world_.context().moment);
    if (!fleet::release_owner(world_.context(), OwnerId(name), keep).ok()) return;
    ModelOwner& owner = model_.owners.at(name);
    if (!live && (owner.released || keep > 0ms)) return;  // it is over
    owner.released = now();
    owner.keep = keep;
  }

  void add() {
    const std::string worker = one_in(3) ? "w2" : "w1";
    const bool is_container = one_in(3);
    const Name name{worker, (is_container ? "c" : "v") + std::to_string(++handles_)};
    ModelResource resource{.owner = owner_or_none()};
    if (!is_container && one_in(2)) resource.container = any_on(worker, 'c');
    if (!is_container && one_in(2)) resource.parent = any_on(worker, 'v');
    if (one_in(3)) resource.owner = "";
    fleet::ResourceSpec spec{.name = resource_name(name)};
    if (!resource.owner.empty()) spec.owner = OwnerId(resource.owner);
    if (!resource.container.empty()) spec.container = Handle(resource.container);
    if (!resource.parent.empty()) spec.parent = Handle(resource.parent);
    if (!fleet::register_resource(world_.context(), spec).ok()) return;
    model_.resources[name] = resource;
    if (one_in(5)) return;
    sim::must(fleet::resource_created(world_.context(), spec.name));
    model_.resources[name].state = "created";
  }

  void pin() {
    const std::optional<Name> name = any();
    const std::optional<Millis> ttl = one_in(3) ? std::nullopt : std::optional<Millis>(duration());
    if (!name || !fleet::pin_resource(world_.context(), resource_name(*name), "because", ttl).ok()) return;
    model_.resources[*name].pinned = now();
    model_.resources[*name].pin_ttl = ttl;
  }

  void touch() {
    const std::optional<Name> name = any();
    if (name && fleet::touch_resource(world_.context(), resource_name(*name)).ok()) model_.resources[*name].touched = now();
  }

  void own() {
    const std::optional<Name> name = any();
    const std::string owner = "o" + std::to_string(below(6));
    if (name && fleet::own_resource(world_.context(), resource_name(*name), OwnerId(owner)).ok()) model_.resources[*name].owner = owner;
  }

  void destroy() {
    const std::optional<Name> name = any();
    if (name && fleet::destroy_resource(world_.context(), resource_name(*name)).ok()) model_.resources[*name].state = "destroying";
  }

  void change_state() {
    const std::optional<Name> name = any();
    if (!name || model_.resources[*name].state != "creating") return;
    const bool fails = one_in(3);
    sim::must(fails ? fleet::resource_failed(world_.context(), resource_name(*name))
                    : fleet::resource_created(world_.context(), resource_name(*name)));
    model_.resources[*name].state = fails ? "failed" : "created";
  }

  std::set<Name> destroying() const {
    std::set<Name> names;
    for (const ResourceKind kind : kResourceKinds) {
      const auto rows = sim::must(fleet::list_resources(
          world_.context(), {.kind = kind, .worker = "", .state = fleet::ResourceState::kDestroying, .owner = "", .limit = 10'000}));
      for (const fleet::Resource& row : rows) names.emplace(row.name.worker.str(), row.name.handle.str());
    }
    return names;
  }

  FleetWorld world_;
  std::mt19937 random_;
  Model model_;
  int handles_ = 0;
};

class Narrowing : public testing::TestWithParam<FleetEngine> {};

TEST_P(Narrowing, MarksExactlyWhatTheDefinitionNames) {
  const unsigned seeds = GetParam() == FleetEngine::kSqlite ? 400 : 15;
  std::size_t marked_in_all = 0;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    const std::unique_ptr<ports::Database> database = open_fresh(GetParam());
    RandomWorld world(*database, seed);
    world.live_through(120);
    const std::set<Name> expected = world.expected();
    EXPECT_EQ(world.marked(), expected) << "seed " << seed;
    EXPECT_EQ(world.marked(), std::set<Name>{}) << "seed " << seed << ": a second run finds nothing";
    marked_in_all += expected.size();
  }
  std::cout << "seeds 1 to " << seeds << ", " << marked_in_all << " orphans\n";
  EXPECT_GT(marked_in_all, 2 * seeds) << "the worlds have something to mark";
}

ON_BOTH_ENGINES(Narrowing);

}  // namespace
}  // namespace reclaim::test
