#include "agents/membership.hpp"

#include <utility>

namespace reclaim::agents {

std::shared_ptr<Agent> Membership::current() {
  const std::lock_guard lock(mutex_);
  return agent_;
}

Result<Membership::Joined> Membership::join() {
  std::shared_ptr<Agent> agent = current();
  if (agent && !agent->heart().is_fenced()) return Joined{std::move(agent), false};
  const std::shared_ptr<Agent> former = std::exchange(agent, TRY(Agent::register_as(store_, name_, kind_)));
  const std::lock_guard lock(mutex_);
  agent_ = agent;
  return Joined{std::move(agent), true, former ? former->heart().late() : LateWrites()};
}

Status Membership::beat() {
  const std::shared_ptr<Agent> agent = current();
  return agent ? agent->heart().beat() : done();
}

Status Membership::leave() {
  const std::shared_ptr<Agent> agent = current();
  if (!agent || agent->heart().is_fenced()) return done();
  TRY(agent->leave());
  const std::lock_guard lock(mutex_);
  agent_.reset();
  return done();
}

}  // namespace reclaim::agents
