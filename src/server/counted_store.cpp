#include "server/counted_store.hpp"

namespace reclaim::server {
namespace {

template <class T>
std::string result_of(const Result<T>& answer) {
  return answer.ok() ? "ok" : std::string(name_of(answer.error().kind));
}

}  // namespace

std::vector<ports::StoreAnswer> CountedStore::run(std::span<const ports::StoreCall> calls) {
  std::vector<ports::StoreAnswer> answers = store_->run(calls);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < answers.size(); ++i) ++calls_[{std::string(ports::name_of(calls[i].op)), result_of(answers[i])}];
  return answers;
}

Result<std::vector<std::string>> CountedStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  Result<std::vector<std::string>> answer = store_->list(kind, after, limit);
  const std::lock_guard lock(mutex_);
  ++calls_[{"list", result_of(answer)}];
  return answer;
}

StoreCalls CountedStore::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace reclaim::server
