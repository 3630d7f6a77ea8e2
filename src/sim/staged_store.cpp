#include "sim/staged_store.hpp"

namespace reclaim::sim {
namespace {

std::string told(const ports::StoreCall& call, const ports::StoreAnswer& answer) {
  return std::string(name_of(call.op)) + ' ' + call.name.str() + ": " +
         (answer.ok() ? "version " + std::to_string(answer.value().version.number) : answer.error().message);
}

void touch(std::vector<Touch>& touches, const ports::StoreCall& call) {
  const bool only_reads = call.op == ports::StoreCall::Op::kRead;
  const bool may_change_names = call.op == ports::StoreCall::Op::kCreate || call.op == ports::StoreCall::Op::kRemove;
  touches.push_back({call.name.str(), only_reads ? Touch::How::kRead : Touch::How::kWrite});
  if (may_change_names) touches.push_back({call.name.kind, Touch::How::kChange});
}

}  // namespace

std::vector<ports::StoreAnswer> StagedStore::run(std::span<const ports::StoreCall> calls) {
  Call all{calls.size() == 1 ? "to the store" : "to the store, at once"};
  for (const ports::StoreCall& call : calls) touch(all.touches, call);
  stage_.arrive(all);
  std::vector<ports::StoreAnswer> answers = inner_.run(calls);
  for (std::size_t i = 0; i < calls.size(); ++i) stage_.note(told(calls[i], answers[i]));
  return answers;
}

Result<std::vector<std::string>> StagedStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  stage_.arrive({"list " + kind, {{kind, Touch::How::kList}}});
  return inner_.list(kind, after, limit);
}

}  // namespace reclaim::sim
