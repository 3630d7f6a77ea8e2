#include "sim/staged_store.hpp"

namespace reclaim::sim {
namespace {

std::string told(const ports::StoreCall& call, const ports::StoreAnswer& answer) {
  return std::string(name_of(call.op)) + ' ' + call.name.str() + ": " +
         (answer.ok() ? "version " + std::to_string(answer.value().version.number) : answer.error().message);
}

}  // namespace

std::vector<ports::StoreAnswer> StagedStore::run(std::span<const ports::StoreCall> calls) {
  stage_.arrive(calls.size() == 1 ? "to the store" : "to the store, at once");
  std::vector<ports::StoreAnswer> answers = inner_.run(calls);
  for (std::size_t i = 0; i < calls.size(); ++i) stage_.note(told(calls[i], answers[i]));
  return answers;
}

Result<std::vector<std::string>> StagedStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  stage_.arrive("list " + kind);
  return inner_.list(kind, after, limit);
}

}  // namespace reclaim::sim
