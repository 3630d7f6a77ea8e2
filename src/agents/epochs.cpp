#include "agents/epochs.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "agents/records.hpp"

namespace reclaim::agents {
namespace {

constexpr int kAttempts = 1000;  // each that fails gave somebody else an epoch

// The epoch drawn, or nothing where somebody else was faster.
Result<std::optional<std::uint64_t>> settle(const Result<ports::Version>& written, std::uint64_t epoch) {
  if (written.ok()) return std::optional(epoch);
  if (written.error().kind == Error::Kind::kConflict) return std::optional<std::uint64_t>{};
  return written.error();
}

Result<std::optional<std::uint64_t>> draw_first(ports::ObjectStore& store) {
  const std::vector<std::string> agents = TRY(store.list(std::string(kAgentKind), "", 1));
  stored::Root root;
  root.set_store_format(kStoreFormat);
  root.set_next_epoch(2);
  if (agents.empty()) return settle(store.create(root_name(), encode(root)), 1);
  const Result<ports::Object> again = store.read(root_name());  // it may have been made together with its first agent meanwhile
  if (!again.ok() && again.error().kind == Error::Kind::kNotFound) {
    return corrupt("object " + root_name().str() + " is missing from a store that has agents: nobody can say which epochs are free");
  }
  if (!again.ok()) return again.error();
  return std::optional<std::uint64_t>{};
}

Result<std::optional<std::uint64_t>> try_draw(ports::ObjectStore& store) {
  const Result<ports::Object> object = store.read(root_name());
  if (!object.ok() && object.error().kind == Error::Kind::kNotFound) return draw_first(store);
  if (!object.ok()) return object.error();
  stored::Root root = TRY(decode_root(object.value().bytes));
  const std::uint64_t epoch = root.next_epoch();
  root.set_next_epoch(epoch + 1);
  return settle(store.replace(root_name(), object.value().version, encode(root)), epoch);
}

}  // namespace

Result<std::uint64_t> draw_epoch(ports::ObjectStore& store) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::optional<std::uint64_t> epoch = TRY(try_draw(store));
    if (epoch) return *epoch;
  }
  return contended("others were faster at every one of " + std::to_string(kAttempts) + " draws of an epoch");
}

Status skip_epochs(ports::ObjectStore& store, std::uint64_t epoch) {
  const std::uint64_t drawn = TRY(draw_epoch(store));
  const ports::Object object = TRY(store.read(root_name()));
  stored::Root root = TRY(decode_root(object.bytes));
  root.set_next_epoch(std::max(drawn + kEpochsSkipped, epoch) + 1);
  TRY(store.replace(root_name(), object.version, encode(root)));
  return done();
}

}  // namespace reclaim::agents
