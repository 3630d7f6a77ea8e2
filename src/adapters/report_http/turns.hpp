// Whose report is next: fairness between the targets of one batch.
//
// A target has at most `per_target` reports under way, and of those that wait the target with the fewest under way is next, the one whose
// last turn is longest ago first. So targets that hang keep their share and no more. Reports that a target has left unanswered in a row
// count as if they were under way still; once there are `per_target` of them it has no further turn.
//
// Who may call: one thread. All of it is in memory and decides the same for the same calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace reclaim::report_http {

class Turns {
 public:
  explicit Turns(std::size_t per_target) : per_target_(per_target) {}

  void add(std::size_t report, const std::string& target);
  // The next report to be begun; nothing while none may be.
  std::optional<std::size_t> begin();
  // A report that was begun has come to its end. Answers those that will not be begun any more, because its target is silent.
  std::vector<std::size_t> end(std::size_t report, bool is_answered);

 private:
  struct Target {
    std::deque<std::size_t> waiting;
    std::size_t under_way = 0;
    std::size_t unanswered = 0;  // in a row
    std::uint64_t last_turn = 0;
  };
  using Place = std::tuple<std::size_t, std::uint64_t, std::string>;  // under way, last turn, target

  static Place place_of(const std::string& name, const Target& target) { return {target.under_way, target.last_turn, name}; }
  void line_up(const std::string& name, const Target& target);

  const std::size_t per_target_;
  std::map<std::string, Target> targets_;
  std::set<Place> line_;  // the targets that may have a turn
  std::map<std::size_t, std::string> begun_;
  std::uint64_t turns_ = 0;
};

}  // namespace reclaim::report_http
