// What the clients of a simulated fleet know, whatever the database says: which things exist, who needs them, and what was asked about
// them. It says of each thing whether it must live, or must go in the end.
//
// A question without an answer may have been heard or not: until it is asked again and answered, it counts for whichever protects less.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace reclaim::sim {

struct ClientOwner {
  std::int64_t put_ms = 0;  // when it was last renewed
  std::int64_t ttl_ms = 0;  // 0: endless
  bool is_release_asked = false;
  bool is_lease_unsure = false;  // it was renewed, and nobody heard whether
};

struct ThingName {
  std::string worker;
  ResourceKind kind = ResourceKind::kContainer;
  std::string handle;
  auto operator<=>(const ThingName&) const = default;
  std::string str() const;  // `container c7 of w1`
};

struct Thing {
  enum class Stage { kAsked, kRecorded, kMade, kConfirmed };

  ThingName name;
  std::vector<std::string> owners = {};  // it belongs to one of these; empty: to nobody
  std::string container = {};            // handles, of volumes
  std::string parent = {};
  Stage stage = Stage::kAsked;
  bool is_end_asked = false;  // destroyed by name, or said to have failed
  bool is_pinned = false;     // and nobody has asked to unpin it
  bool is_unsure = false;     // nobody can say what it should be
  bool may_leak = false;      // made when its record was gone already: a stranger like others
  std::int64_t touched_ms = 0;
  std::int64_t recorded_ms = 0;
  std::int64_t changed_ms = 0;  // when its owner or pin was asked to change
  bool is_gone = false;         // not on the machine any more
};

class FleetTruth {
 public:
  std::map<std::string, ClientOwner> owners;
  std::map<ThingName, Thing> things;  // the last bearer of each name
  std::set<ThingName> lost;           // its row was, and has not come back
  std::int64_t now_ms = 0;
  std::int64_t touch_grace_ms = 0;
  std::int64_t tolerance_ms = 0;  // by which leases may run out early: clocks leapt

  bool is_live(const std::string& owner) const;
  // Its end was asked for. Of nobody (a gift without an answer: still nobody's, perhaps) that is not known.
  bool is_released(const std::string& owner) const;
  // Somebody with a right to it counts on it.
  bool is_wanted(const Thing& thing) const;
  // Nobody would be wrong to keep it.
  bool may_stay(const Thing& thing) const;
  const Thing* find(const ThingName& name) const;
  void gone(const ThingName& name);
  // It was marked. Where what it is there for was lost by then, with a machine that another one took the place of, nobody was wrong.
  void marked(const ThingName& name);
  void all_gone(const std::string& worker);
};

}  // namespace reclaim::sim
