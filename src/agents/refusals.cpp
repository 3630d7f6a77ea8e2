#include "agents/refusals.hpp"

#include "agents/agent_id.hpp"
#include "agents/records.hpp"

namespace reclaim::agents {
namespace {

std::string_view what_of(const ports::ObjectName& name) {
  return name.kind == kAgentKind || name.kind == kBeatKind ? std::string_view("takeover") : std::string_view(name.kind);
}

bool is_refusal(const Error& error) { return error.kind == Error::Kind::kConflict || error.kind == Error::Kind::kNotFound; }

}  // namespace

void Refusals::refused(const ports::ObjectName& name, std::string_view what) {
  const std::lock_guard lock(mutex_);
  if (refused_.size() == kOwnedMax && !refused_.contains(name)) return;
  refused_.insert_or_assign(name, Refused{std::string(what), next_++});
}

void Refusals::written(const ports::ObjectName& name) {
  const std::lock_guard lock(mutex_);
  refused_.erase(name);
}

Refusals::Mark Refusals::mark() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

void Refusals::proven(Mark until) {
  const std::lock_guard lock(mutex_);
  std::erase_if(refused_, [until](const auto& each) { return each.second.at < until; });
}

LateWrites Refusals::left() const {
  const std::lock_guard lock(mutex_);
  LateWrites left;
  for (const auto& [name, refused] : refused_) ++left[refused.what];
  return left;
}

std::vector<ports::StoreAnswer> NotingStore::run(std::span<const ports::StoreCall> calls) {
  std::vector<ports::StoreAnswer> answers = store_.run(calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (calls[i].op == ports::StoreCall::Op::kRead) continue;
    if (answers[i].ok()) {
      refusals_.written(calls[i].name);
    } else if (is_refusal(answers[i].error())) {
      refusals_.refused(calls[i].name, what_of(calls[i].name));
    }
  }
  return answers;
}

}  // namespace reclaim::agents
