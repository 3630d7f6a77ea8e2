// The machines of a simulated fleet, the network between them and the server, and the operator who looks after them.
//
// Every sync goes through a network that loses, delays, repeats and reorders. What is asked of each sync that arrives: it forgets no row
// of a thing that is there (F3), and touches no row of another worker (F4); and of each destroy: nobody counts on the thing (F1).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/fleet_scene.hpp"
#include "sim/machine.hpp"

namespace reclaim::sim {

class FleetCrew {
 public:
  static constexpr std::size_t kWorkers = 3;

  explicit FleetCrew(FleetScene& scene);
  FleetCrew(const FleetCrew&) = delete;
  FleetCrew& operator=(const FleetCrew&) = delete;

  void enroll();
  // Something happens to workers, messages or machines.
  void act();
  // Everybody is back, nothing is held up but destroys that hang, and nobody else speaks with their keys.
  void mend();
  // A sync of each worker and its answer.
  void sync_all();
  void end_hung();
  // Nothing that was under way arrives any more, and all processes begin anew.
  void stop_all();
  // Lifts whatever waits for an operator.
  void accept_all();

  Machine& machine(const std::string& worker) { return *crew_.at(worker).machine; }
  std::vector<std::string> names() const;
  bool is_hung(const ThingName& name) const { return hung_.contains(name); }
  std::size_t hung() const { return hung_.size(); }
  // Of a machine, in order.
  std::vector<std::string> things(const std::string& worker, ResourceKind kind);

 private:
  struct Crew {
    std::string key;
    std::unique_ptr<Machine> machine;
    std::optional<Result<wire::SyncAnswer>> answer;  // under way to the worker
    std::size_t answer_at = 0;
    std::size_t away_until = 0;
    std::unique_ptr<Machine> twin;
    std::size_t twin_until = 0;
    bool had_twin = false;
    bool is_wiped = false;
  };
  struct Late {
    std::string worker;
    wire::SyncRequest request;
    std::size_t at = 0;
  };

  std::unique_ptr<Machine> new_machine(const std::string& name, const std::string& disk);
  void watch(const std::string& worker, ResourceKind kind, const std::string& handle);
  void turn(const std::string& name, Crew& crew);
  void twin_turn(const std::string& name, Crew& crew);
  void send(const std::string& name, Crew& crew);
  Result<wire::SyncAnswer> deliver(const std::string& name, const wire::SyncRequest& request);
  void ask_after(const std::string& name, const std::vector<fleet::Resource>& marked, const std::map<std::string, std::string>& others);
  std::map<std::string, std::string> rows_of_others(const std::string& name) const;
  void deliver_late(bool all);
  void trouble(const std::string& name, Crew& crew);
  void trouble_things(const std::string& name, Crew& crew);
  void bring_twin(const std::string& name, Crew& crew);
  void accept(const std::string& name, fleet::Accept what);

  FleetScene& scene_;
  std::map<std::string, Crew> crew_;
  std::vector<Late> late_;
  std::set<ThingName> hung_;
  int strangers_ = 0;
};

}  // namespace reclaim::sim
