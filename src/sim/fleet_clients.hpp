// The clients of a simulated fleet: they record, make, say so, count on what they have, and let go of it. What an answer leaves open they
// ask again at the end. What they know goes into the truth (fleet_truth.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/fleet_crew.hpp"
#include "sim/fleet_scene.hpp"

namespace reclaim::sim {

class FleetClients {
 public:
  FleetClients(FleetScene& scene, FleetCrew& crew) : scene_(scene), crew_(crew) {}

  // One of them does something.
  void act();
  // All are new: what was being made stays as it is.
  void forget_work() { making_.clear(); }
  // The database is older than some of what they were answered.
  void live_with_restore();
  // Everything that was asked, and may not have been heard, is asked again.
  void finish();

 private:
  void put_owner();
  void renew_owner();
  void release_owner();
  void record();
  void make();
  void say_it_is_there(Thing& thing);
  void say_it_failed(Thing& thing);
  void destroy_by_name();
  void pin();
  void unpin(Thing& thing);
  void touch();
  void own();

  fleet::ResourceName name_of(const Thing& thing) const;
  std::string any_owner();
  // One that is there and that nobody has asked to end; nullptr: none.
  Thing* any_thing();
  void link_volume(Thing& thing);
  // How it ended, in words; whether the answer leaves nothing open.
  bool tell(const std::string& what, const Error* error);

  FleetScene& scene_;
  FleetCrew& crew_;
  std::vector<ThingName> making_;
  int drawn_ = 0;
};

}  // namespace reclaim::sim
