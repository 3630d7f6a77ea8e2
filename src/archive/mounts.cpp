#include "archive/mounts.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "archive/objects.hpp"

namespace reclaim::archive {
namespace {

constexpr int kAttempts = 3;  // of a write that is not answered

bool may_be_tried_again(const Error& error) { return error.kind == Error::Kind::kConflict || error.kind == Error::Kind::kUnavailable; }

Result<Mount> read_from(const Vid& vid, const ports::Object& object) {
  const stored::Mount record = TRY(decode_mount(vid, object.bytes));
  agents::AgentId agent = TRY(agents::parse_agent(record.agent()));
  return Mount{.vid = vid, .drive = record.drive(), .agent = std::move(agent), .since_ms = record.since_ms(), .version = object.version};
}

// Nothing where there is none any more. Also one that cannot be read.
Result<std::optional<Mount>> listed(const Vid& vid, const ports::StoreAnswer& answer) {
  if (!answer.ok() && answer.error().kind == Error::Kind::kNotFound) return std::optional<Mount>();
  if (!answer.ok() && answer.error().kind != Error::Kind::kCorrupt) return answer.error();
  const Result<Mount> mount = answer.ok() ? read_from(vid, answer.value()) : answer.error();
  if (mount.ok()) return std::optional(mount.value());
  return std::optional(Mount{.vid = vid,
                             .drive = {},
                             .agent = {},
                             .version = answer.ok() ? answer.value().version : ports::Version{},
                             .problem = mount.error().message});
}

}  // namespace

Status mount(Hand& hand, const Vid& vid, const std::string& drive, std::int64_t now_ms) {
  if (!is_well_formed_name(drive)) return invalid("drive", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  const ports::ObjectName name = mount_name(vid);
  TRY(hand.hold({name}));
  stored::Mount record;
  record.set_agent(hand.id().str());
  record.set_drive(drive);
  record.set_since_ms(now_ms);
  bool is_unsure = false;  // whether a creation may still arrive
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Result<ports::Version> created = hand.store().create(name, encode(vid, record));
    if (created.ok()) return done();
    if (!may_be_tried_again(created.error())) return created.error();
    is_unsure = is_unsure || created.error().kind == Error::Kind::kUnavailable;
    const auto found = TRY(find_mount(hand.store(), vid));
    if (!found) continue;
    if (found->agent == hand.id()) return done();
    if (!is_unsure) hand.let_go({name});
    return conflict(vid.str() + " is mounted in drive " + found->drive);
  }
  return unavailable(name.str() + " could not be made " + std::to_string(kAttempts) + " times in a row");
}

Status unmount(Hand& hand, const Vid& vid) {
  const ports::ObjectName name = mount_name(vid);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto found = TRY(find_mount(hand.store(), vid));
    const bool is_ours = found && found->agent == hand.id();
    Status removed = is_ours ? remove_mount(hand.store(), *found) : done();
    if (removed.ok()) return hand.let_go({name}), done();
    if (!may_be_tried_again(removed.error())) return removed;
  }
  return unavailable(name.str() + " could not be removed " + std::to_string(kAttempts) + " times in a row");
}

Result<std::optional<Mount>> find_mount(ports::ObjectStore& store, const Vid& vid) {
  const Result<ports::Object> object = store.read(mount_name(vid));
  if (!object.ok() && object.error().kind == Error::Kind::kNotFound) return std::optional<Mount>();
  if (!object.ok()) return object.error();
  return std::optional(TRY(read_from(vid, object.value())));
}

Result<std::vector<Mount>> list_mounts(ports::ObjectStore& store) {
  const std::vector<std::string> keys = TRY(store.list_all(mount_name({}).kind));
  std::vector<Mount> mounts;
  mounts.reserve(keys.size());
  for (std::size_t from = 0; from < keys.size(); from += ports::kStoreBatchMax) {
    const auto some = std::span(keys).subspan(from, std::min(ports::kStoreBatchMax, keys.size() - from));
    std::vector<ports::StoreCall> calls;
    calls.reserve(some.size());
    for (const std::string& key : some) {
      calls.push_back(ports::read_call(mount_name(Vid(key))));
    }
    const std::vector<ports::StoreAnswer> answers = store.run(calls);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      auto found = TRY(listed(Vid(keys[from + i]), answers[i]));
      if (found) mounts.push_back(std::move(*found));
    }
  }
  return mounts;
}

Result<bool> is_held(ports::ObjectStore& store, const Mount& mount) {
  if (!mount.problem.empty()) return true;
  const Result<ports::Object> agent = store.read(mount.agent.object());
  if (agent.ok() || agent.error().kind == Error::Kind::kCorrupt) return true;
  if (agent.error().kind == Error::Kind::kNotFound) return false;
  return agent.error();
}

Status remove_mount(ports::ObjectStore& store, const Mount& mount) {
  Status removed = store.remove(mount_name(mount.vid), mount.version);
  if (!removed.ok() && removed.error().kind == Error::Kind::kNotFound) return done();
  return removed;
}

}  // namespace reclaim::archive
