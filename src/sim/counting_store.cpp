#include "sim/counting_store.hpp"

#include <utility>

namespace reclaim::sim {
namespace {

using ports::StoreAnswer;
using ports::StoreCall;

template <class Answer>
std::string words_of(std::string_view verb, std::string_view kind, const Answer& answer) {
  return std::string(verb) + ' ' + std::string(kind) + ' ' + std::string(answer.ok() ? "ok" : name_of(answer.error().kind));
}

bool writes(StoreCall::Op op) { return op == StoreCall::Op::kCreate || op == StoreCall::Op::kReplace; }

}  // namespace

std::int64_t StoreCost::count(std::string_view beginning) const {
  std::int64_t sum = 0;
  for (const auto& [call, times] : calls) sum += call.starts_with(beginning) ? times : 0;
  return sum;
}

std::vector<StoreAnswer> CountingStore::run(std::span<const StoreCall> calls) {
  std::vector<StoreAnswer> answers = inner_.run(calls);
  const std::lock_guard lock(mutex_);
  ++cost_.batches;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const StoreCall& call = calls[i];
    const StoreAnswer& answer = answers[i];
    ++cost_.calls[words_of(ports::name_of(call.op), call.name.kind, answer)];
    if (!answer.ok()) continue;
    cost_.bytes_read += static_cast<std::int64_t>(answer.value().bytes.size());
    if (writes(call.op)) cost_.bytes_written += static_cast<std::int64_t>(call.bytes.size());
  }
  return answers;
}

Result<std::vector<std::string>> CountingStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  Result<std::vector<std::string>> keys = inner_.list(kind, after, limit);
  const std::lock_guard lock(mutex_);
  ++cost_.batches;
  ++cost_.calls[words_of("list", kind, keys)];
  return keys;
}

StoreCost CountingStore::cost() const {
  const std::lock_guard lock(mutex_);
  return cost_;
}

StoreCost CountingStore::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(cost_, {});
}

}  // namespace reclaim::sim
