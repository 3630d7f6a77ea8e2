#include "archive/store_list.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace reclaim::archive {
namespace {

constexpr std::size_t kBatch = 16;  // objects in memory at once: up to 16 MiB each

Status read_some(ports::ObjectStore& store, std::span<const ports::StoreCall> calls, std::vector<ListedObject>& objects) {
  const std::vector<ports::StoreAnswer> answers = store.run(calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const ports::StoreAnswer& answer = answers[i];
    if (answer.ok()) {
      objects.push_back({.name = calls[i].name, .version = answer.value().version, .size = answer.value().bytes.size()});
    } else if (answer.error().kind == Error::Kind::kCorrupt) {
      objects.push_back({.name = calls[i].name, .version = {}, .unreadable = answer.error().message});
    } else if (answer.error().kind != Error::Kind::kNotFound) {
      return answer.error();
    }
  }
  return done();
}

}  // namespace

Result<std::vector<ListedObject>> list_objects(ports::ObjectStore& store, const std::string& kind) {
  std::vector<ports::StoreCall> calls;
  for (std::string& key : TRY(store.list_all(kind))) calls.push_back(ports::read_call({kind, std::move(key)}));
  std::vector<ListedObject> objects;
  objects.reserve(calls.size());
  const std::span<const ports::StoreCall> all(calls);
  for (std::size_t at = 0; at < all.size(); at += kBatch) {
    TRY(read_some(store, all.subspan(at, std::min(kBatch, all.size() - at)), objects));
  }
  return objects;
}

}  // namespace reclaim::archive
