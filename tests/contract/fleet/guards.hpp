// What the tests of the guards share: one owner, short graces, and what an operator sees and does.
#pragma once

#include <optional>
#include <string>

#include "contract/fleet/engines.hpp"
#include "fleet/events.hpp"

namespace reclaim::test {

inline std::string handles(int count, const std::string& prefix = "c") {
  std::string text;
  for (int i = 0; i < count; ++i) text += " " + prefix + std::to_string(i);
  return text;
}

class Guarded : public FleetTest {
 protected:
  void SetUp() override {
    world.policy().unknown_grace = std::chrono::seconds(60);
    world.policy().missing_grace = std::chrono::seconds(60);
    world.own("build");
  }

  fleet::Worker worker(const std::string& name = "w1") { return sim::must(fleet::find_worker(world.context(), WorkerName(name))); }
  std::string holds() {
    std::string text;
    for (const fleet::Hold& hold : worker().holds) text += (text.empty() ? "" : " ") + std::string(name_of(hold.what));
    return text;
  }
  void accept(fleet::Accept what, std::optional<fleet::Existing> strangers = std::nullopt) {
    sim::must(fleet::accept_worker(world.context(), WorkerName("w1"), what, strangers));
  }
  int events(const std::string& action) {
    int count = 0;
    for (const fleet::RecordedEvent& recorded : sim::must(fleet::read_events(world.database(), 0, 10'000))) {
      if (recorded.event.action == action) ++count;
    }
    return count;
  }
  std::string fenced_by(const Result<fleet::SyncOutcome>& outcome) { return outcome.ok() ? "" : outcome.error().field; }
  void pass_graces() {
    world.advance(std::chrono::seconds(61));
    world.collect();
  }
  void add_many(int count) {
    for (int i = 0; i < count; ++i) world.add_container("c" + std::to_string(i), "build");
  }
};

}  // namespace reclaim::test
