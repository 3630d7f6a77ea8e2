#include "adapters/runtime_oci/oci_containers.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "adapters/system/system_time.hpp"
#include "wire/json.hpp"

namespace reclaim::runtime_oci {
namespace {

constexpr std::string_view kOwnDirectory = ".reclaim";
constexpr Millis kPollMin{2};
constexpr Millis kPollMax{100};
constexpr int kListAttempts = 20;
constexpr std::size_t kWordsMax = 400;

// The runtime's last line, without its log prefix: `time="..." level=error msg="container does not exist"`.
std::string words_of(const system::Ended& ended) {
  std::string_view text = ended.errors;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  text.remove_prefix(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1);
  constexpr std::string_view kMessage = "msg=\"";
  if (const auto at = text.find(kMessage); at != std::string_view::npos) {
    text.remove_prefix(at + kMessage.size());
    if (!text.empty() && text.back() == '"') text.remove_suffix(1);
  }
  if (text.empty()) return "exit code " + std::to_string(ended.exit_code);
  return std::string(text.substr(0, kWordsMax));
}

}  // namespace

Result<OciContainers> OciContainers::open(OciOptions options, const Clock& clock) {
  system::Fd root = TRY(system::open_directory(options.root));
  return OciContainers(std::move(options), std::move(root), clock);
}

std::string OciContainers::name() const {
  const auto slash = options_.program.rfind('/');
  return (slash == std::string::npos ? options_.program : options_.program.substr(slash + 1)) + ":" + options_.root;
}

Result<system::Ended> OciContainers::run(std::vector<std::string> words, Instant deadline) const {
  system::Program program{{options_.program, "--root", options_.root}};
  std::ranges::move(words, std::back_inserter(program.argv));
  if (options_.lock_fd >= 0) program.keep_open.push_back(options_.lock_fd);
  return system::run_process(program, clock_, deadline);
}

Result<std::vector<std::string>> OciContainers::state_directories() const {
  std::vector<std::string> directories;
  for (std::string& name : TRY(system::list_directory(root_.get()))) {
    if (name == kOwnDirectory) continue;
    const system::FileInfo info = TRY(system::inspect_at(root_.get(), name));
    if (info.type == system::FileType::kDirectory) directories.push_back(std::move(name));
  }
  return directories;
}

Result<std::vector<ports::Listed>> OciContainers::list() {
  // The directories first: a container that is deleted between the two looks is then reported once more, never one too few.
  std::vector<std::string> directories = TRY(state_directories());
  const std::vector<ListedByRuntime> readable = TRY(list_by_runtime(directories));
  learn(readable);
  std::set<std::string_view> ids;
  for (const ListedByRuntime& one : readable) ids.insert(one.id);
  std::vector<ports::Listed> listed;
  listed.reserve(directories.size());
  for (const std::string_view id : ids) listed.push_back({std::string(id)});
  for (std::string& name : directories) {
    if (!ids.contains(name)) listed.push_back({std::move(name), "its state is damaged: the runtime does not list it"});
  }
  return listed;
}

Result<std::vector<OciContainers::ListedByRuntime>> OciContainers::list_by_runtime(const std::vector<std::string>& directories) const {
  const Instant deadline = clock_.now() + options_.list_timeout;
  system::Ended ended = TRY(run({"list", "--format", "json"}, deadline));
  // runc fails when a container goes while it lists: with orders running that is an everyday thing. crun fails on the first one that
  // is damaged.
  for (int again = 1; ended.exit_code != 0 && again < kListAttempts; ++again) {
    if (has_damaged(directories)) return list_by_hand(directories);
    system::pause_for(kPollMin);
    ended = TRY(run({"list", "--format", "json"}, deadline));
  }
  if (ended.exit_code != 0) return unavailable(name() + ": list failed: " + words_of(ended));
  auto json = wire::parse_json(ended.output);
  if (!json.ok()) return unavailable(name() + ": list is not JSON: " + json.error().message);
  std::vector<ListedByRuntime> listed;
  if (json.value().is_null()) return listed;
  if (!json.value().is_array()) return unavailable(name() + ": list is not an array");
  for (const wire::Json& container : json.value()) {
    if (!container.is_object() || !container.contains("id") || !container["id"].is_string()) {
      return unavailable(name() + ": list has an entry without an id");
    }
    const bool has_pid = container.contains("pid") && container["pid"].is_number_integer();
    listed.push_back({container["id"].get<std::string>(), has_pid ? container["pid"].get<std::int64_t>() : 0});
  }
  return listed;
}

bool OciContainers::has_damaged(const std::vector<std::string>& directories) const {
  return std::ranges::any_of(directories, [this](const std::string& id) {
    const auto record = read_record(root_.get(), id, options_.dialect);
    return record.ok() && !record.value().is_whole;
  });
}

std::vector<OciContainers::ListedByRuntime> OciContainers::list_by_hand(const std::vector<std::string>& directories) const {
  std::vector<ListedByRuntime> listed;
  for (const std::string& id : directories) {
    const auto record = read_record(root_.get(), id, options_.dialect);
    if (record.ok() && record.value().is_whole) listed.push_back({id, record.value().init ? record.value().init->pid : 0});
  }
  return listed;
}

void OciContainers::learn(const std::vector<ListedByRuntime>& listed) {
  for (const auto& [id, pid] : listed) {
    const ContainerRecord before = known(Handle(id));
    if (before.init && (pid == 0 || before.init->pid == pid)) continue;  // 0: it has stopped
    auto record = read_record(root_.get(), id, options_.dialect);
    if (!record.ok() || !record.value().is_whole) continue;
    const std::lock_guard lock(known_->mutex);
    known_->records.insert_or_assign(id, std::move(record).value());
  }
  // What cannot be read any more but is still there stays known: that is what it is known for.
  const std::lock_guard lock(known_->mutex);
  std::erase_if(known_->records, [this](const auto& known) {
    const auto info = system::inspect_at(root_.get(), known.first);
    return info.ok() && info.value().type == system::FileType::kNothing;
  });
}

ContainerRecord OciContainers::known(const Handle& handle) const {
  const std::lock_guard lock(known_->mutex);
  const auto known = known_->records.find(handle.str());
  return known == known_->records.end() ? ContainerRecord{} : known->second;
}

Others OciContainers::others_than(const Handle& handle) const {
  Others others;
  const std::lock_guard lock(known_->mutex);
  for (const auto& [id, record] : known_->records) {
    if (id == handle.str()) continue;
    others.ids.insert(id);
    others.cgroups.insert(record.cgroups.begin(), record.cgroups.end());
  }
  return others;
}

Result<bool> OciContainers::is_gone(const Handle& handle) const {
  return TRY(system::inspect_at(root_.get(), handle.str())).type == system::FileType::kNothing;
}

Result<OciContainers::State> OciContainers::state_of(const Handle& handle, Instant deadline) const {
  const system::Ended ended = TRY(run({"state", handle.str()}, deadline));
  if (ended.exit_code != 0) return TRY(is_gone(handle)) ? State::kGone : State::kUnreadable;
  auto json = wire::parse_json(ended.output);
  if (!json.ok() || !json.value().is_object() || !json.value().contains("status")) return State::kUnreadable;
  return json.value()["status"] == "stopped" ? State::kStopped : State::kActive;
}

Result<OciContainers::State> OciContainers::wait_until_stopped(const Handle& handle, Instant deadline) const {
  for (Millis pause = kPollMin;; pause = std::min(pause * 2, kPollMax)) {
    const State state = TRY(state_of(handle, deadline));
    if (state != State::kActive) return state;
    if (clock_.now() + pause >= deadline) return unavailable("container " + handle.str() + " did not stop before its deadline");
    system::pause_for(pause);
  }
}

Status OciContainers::delete_by_runtime(const Handle& handle, Instant deadline) const {
  system::Ended told;
  if (options_.dialect == Dialect::kCrun) {
    told = TRY(run({"delete", "--force", handle.str()}, deadline));
  } else {
    // Its exit code is not asked: a container that has stopped or gone meanwhile refuses too. What is true then, state tells.
    const system::Ended killed = TRY(run({"kill", handle.str(), "KILL"}, deadline));
    if (TRY(wait_until_stopped(handle, deadline)) == State::kGone) return done();
    told = TRY(run({"delete", handle.str()}, deadline));
    if (told.exit_code == 0) told = killed;
  }
  if (TRY(is_gone(handle))) return done();
  return conflict(options_.program + " cannot delete container " + handle.str() + ": " + words_of(told));
}

Status OciContainers::destroy(const Handle& handle, Instant deadline) {
  if (TRY(is_gone(handle))) return done();
  ContainerRecord record = TRY(read_record(root_.get(), handle.str(), options_.dialect));
  const Others others = others_than(handle);
  if (record.is_whole) {
    note_record(root_.get(), handle.str(), record);
    TRY(delete_by_runtime(handle, deadline));
    return clean_after_runtime(handle, record, others, clock_, deadline);
  }
  if (TRY(is_gone(handle))) return done();
  for (const ContainerRecord& before : {known(handle), noted_record(root_.get(), handle.str())}) {
    if (!record.init) record.init = before.init;
    for (const std::string& cgroup : before.cgroups) {
      if (std::ranges::find(record.cgroups, cgroup) == record.cgroups.end()) record.cgroups.push_back(cgroup);
    }
  }
  return clean_remains(root_.get(), handle, std::move(record), others, clock_, deadline);
}

}  // namespace reclaim::runtime_oci
