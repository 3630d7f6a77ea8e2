#include "adapters/report_http/turns.hpp"

namespace reclaim::report_http {

void Turns::line_up(const std::string& name, const Target& target) {
  if (!target.waiting.empty() && target.under_way + target.unanswered < per_target_) line_.insert(place_of(name, target));
}

void Turns::add(std::size_t report, const std::string& target) {
  Target& to = targets_[target];
  to.waiting.push_back(report);
  line_up(target, to);
}

std::optional<std::size_t> Turns::begin() {
  if (line_.empty()) return std::nullopt;
  const std::string name = std::get<std::string>(*line_.begin());
  line_.erase(line_.begin());
  Target& target = targets_.at(name);
  const std::size_t report = target.waiting.front();
  target.waiting.pop_front();
  ++target.under_way;
  target.last_turn = ++turns_;
  begun_.emplace(report, name);
  line_up(name, target);
  return report;
}

std::vector<std::size_t> Turns::end(std::size_t report, bool is_answered) {
  const auto begun = begun_.extract(report);
  const std::string& name = begun.mapped();
  Target& target = targets_.at(name);
  line_.erase(place_of(name, target));
  --target.under_way;
  target.unanswered = is_answered ? 0 : target.unanswered + 1;
  std::vector<std::size_t> given_up;
  if (target.unanswered >= per_target_) {
    given_up.assign(target.waiting.begin(), target.waiting.end());
    target.waiting.clear();
  }
  line_up(name, target);
  return given_up;
}

}  // namespace reclaim::report_http
