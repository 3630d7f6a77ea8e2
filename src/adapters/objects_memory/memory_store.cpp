#include "adapters/objects_memory/memory_store.hpp"

#include <algorithm>

namespace reclaim::objects_memory {

using ports::Object;
using ports::StoreAnswer;
using ports::StoreCall;

std::vector<StoreAnswer> MemoryStore::run(std::span<const StoreCall> calls) {
  const Status whole = ports::check_batch(calls);
  if (!whole.ok()) return std::vector<StoreAnswer>(calls.size(), whole.error());
  std::vector<StoreAnswer> answers;
  answers.reserve(calls.size());
  const std::lock_guard lock(mutex_);
  for (const StoreCall& call : calls) answers.push_back(apply(call));
  return answers;
}

StoreAnswer MemoryStore::apply(const StoreCall& call) {
  TRY(ports::check_call(call));
  const auto found = objects_.find(call.name);
  TRY(ports::check_guard(call, found == objects_.end() ? std::nullopt : std::optional(found->second.version)));
  switch (call.op) {
    case StoreCall::Op::kRead: return found->second;
    case StoreCall::Op::kRemove: objects_.erase(found); return Object{};
    case StoreCall::Op::kCreate:
    case StoreCall::Op::kReplace: break;
  }
  const ports::Version version{++last_version_};
  objects_.insert_or_assign(call.name, Object{call.bytes, version});
  return Object{"", version};
}

Result<std::vector<std::string>> MemoryStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  TRY(ports::check_list(kind, after));
  std::vector<std::string> keys;
  const std::lock_guard lock(mutex_);
  for (auto next = objects_.upper_bound({kind, after}); next != objects_.end() && next->first.kind == kind; ++next) {
    if (keys.size() == std::min(limit, ports::kStoreListMax)) break;
    keys.push_back(next->first.key);
  }
  return keys;
}

}  // namespace reclaim::objects_memory
