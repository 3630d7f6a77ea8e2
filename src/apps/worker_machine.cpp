#include "apps/worker_machine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

constexpr const char* kAnsweredFile = "answered.json";
constexpr const char* kDamagedFile = "answered.json.damaged";
constexpr std::size_t kAnsweredMax = 4096;

using Roots = std::vector<std::unique_ptr<WorkerRoot>>;

Status check_distinct(const Roots& roots) {
  std::vector<std::string> paths;
  for (const auto& root : roots) {
    const auto opened = system::open_directory(root->spec().home);
    if (!opened.ok()) continue;
    std::string path = TRY(system::path_of(opened.value().get()));
    if (std::ranges::find(paths, path) != paths.end()) return invalid("volumes", "the root " + path + " is given twice");
    paths.push_back(std::move(path));
  }
  return done();
}

bool names_disk(const Roots& roots, const std::string& name) {
  return std::ranges::any_of(roots, [&name](const auto& root) { return root->is_disk() && root->name() == name; });
}

}  // namespace

Result<FileMemory> FileMemory::open(const std::string& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return invalid("state", "cannot make " + directory + ": " + failure.message());
  return FileMemory(directory, TRY(system::open_directory(directory)));
}

Result<std::optional<wire::Answered>> FileMemory::load() {
  const auto text = system::read_file_at(directory_.get(), kAnsweredFile, kAnsweredMax);
  if (!text.ok() && text.error().kind == Error::Kind::kNotFound) return std::optional<wire::Answered>();
  auto answered = text.ok() ? worker::parse_answered(text.value()) : Result<wire::Answered>(text.error());
  if (answered.ok()) return std::optional(std::move(answered).value());
  runtime::log_error(path_ + "/" + kAnsweredFile + " is damaged and set aside as " + kDamagedFile + ": " + answered.error().message +
                     ". Until the next answer a server that has forgotten this worker is not noticed: if its database was just restored, "
                     "stop this worker and look");
  if (renameat(directory_.get(), kAnsweredFile, directory_.get(), kDamagedFile) != 0) {
    runtime::log_warning("cannot set it aside: " + system::system_error(errno, kAnsweredFile).message);
  }
  return std::optional<wire::Answered>();
}

Status FileMemory::store(const wire::Answered& answered) {
  return system::write_file_at(directory_.get(), kAnsweredFile, worker::to_text(answered), 0600);
}

WorkerMachine::WorkerMachine(const std::vector<RootSpec>& specs, const Clock& clock) : held_(specs.size()) {
  for (const RootSpec& spec : specs) roots_.push_back(std::make_unique<WorkerRoot>(spec, clock));
}

Result<std::string> WorkerMachine::hold_roots() {
  TRY(check_distinct(roots_));
  std::string absent;
  std::string elsewhere;
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    const Result<bool> held = roots_[i]->hold();
    held_[i] = held.ok() && held.value();
    if (!held.ok()) {
      absent = roots_[i]->name() + ": " + held.error().message;
    } else if (!held.value()) {
      elsewhere = roots_[i]->name() + ": another worker, or a child that it left behind, still holds its lock";
    }
  }
  const bool any = std::ranges::find(held_, true) != held_.end();
  return any ? elsewhere : elsewhere + absent;
}

Result<worker::Marker> WorkerMachine::mark_roots(Random& random, bool accepts_empty) {
  std::vector<worker::RootMarker> markers;
  std::optional<Error> unreadable;
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    if (!held_[i]) continue;
    Result<std::optional<worker::Marker>> marker = roots_[i]->read_marker();
    if (marker.ok()) {
      markers.push_back({roots_[i]->name(), std::move(marker).value()});
    } else {
      unreadable = corrupt(roots_[i]->name() + ": " + marker.error().message);
    }
  }
  if (markers.empty()) return *unreadable;
  worker::Marker marker = TRY(worker::next_marker(markers, random));
  std::erase_if(marker.roots, [this](const std::string& name) { return !names_disk(roots_, name); });
  for (const auto& root : roots_) root->expect(marker, accepts_empty);
  TRY(adopt_all());
  for (const auto& root : roots_) {
    const bool joins = root->is_fit() && root->is_disk();
    if (joins && std::ranges::find(marker.roots, root->name()) == marker.roots.end()) marker.roots.push_back(root->name());
  }
  for (const auto& root : roots_) root->expect(marker, accepts_empty);
  TRY(write_markers());
  return marker;
}

// The error when no root is fit. Why one of several is not, its list says.
Status WorkerMachine::adopt_all() {
  std::optional<Error> failure;
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    if (!held_[i]) continue;
    const Status adopted = roots_[i]->adopt();
    if (!adopted.ok()) failure = Error{adopted.error().kind, roots_[i]->name() + ": " + adopted.error().message, adopted.error().field};
  }
  const bool any = std::ranges::any_of(roots_, [](const auto& root) { return root->is_fit(); });
  return any ? done() : Status(*failure);
}

// One root is enough to remember the start: a disk that is full must not keep away the worker that would empty it.
Status WorkerMachine::write_markers() const {
  std::optional<Error> failure;
  bool is_remembered = false;
  for (const auto& root : roots_) {
    if (!root->is_fit()) continue;
    if (const Status written = root->write_marker(); written.ok()) {
      is_remembered = true;
    } else {
      failure = written.error();
      runtime::log_warning("cannot write the marker of " + root->name() + ": " + failure->message);
    }
  }
  return is_remembered ? done() : Status(*failure);
}

std::vector<ports::ResourceDriver*> WorkerMachine::drivers() const {
  std::vector<ports::ResourceDriver*> drivers;
  for (const auto& root : roots_) drivers.push_back(root.get());
  return drivers;
}

void WorkerMachine::sweep(Instant deadline) const {
  for (const auto& root : roots_) root->sweep(deadline);
}

std::optional<wire::Disk> WorkerMachine::disk_use() const {
  const auto volumes = std::ranges::find(roots_, ResourceKind::kVolume, [](const auto& root) { return root->kind(); });
  return (volumes != roots_.end() ? *volumes : roots_.front())->disk();
}

}  // namespace reclaim::apps
