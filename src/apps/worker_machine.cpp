#include "apps/worker_machine.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

constexpr const char* kAnsweredFile = "answered.json";
constexpr std::size_t kAnsweredMax = 4096;

std::string name_of_root(const RootSpec& spec) { return spec.driver + ":" + spec.path; }

// A runtime makes its root with its first container; a volume root that is not there is a disk that is not there.
Status make_runtime_root(const RootSpec& spec) {
  if (spec.kind != ResourceKind::kContainer || mkdir(spec.path.c_str(), 0711) == 0 || errno == EEXIST) return done();
  return system::system_error(errno, "cannot make " + spec.path);
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
  if (!text.ok()) return text.error();
  auto answered = worker::parse_answered(text.value());
  if (!answered.ok()) {
    return corrupt(path_ + "/" + kAnsweredFile + " is damaged (" + answered.error().message +
                   "). Without it a server that forgot is not noticed: remove it only if the server's database is known to be whole");
  }
  return std::optional(std::move(answered).value());
}

Status FileMemory::store(const wire::Answered& answered) {
  return system::write_file_at(directory_.get(), kAnsweredFile, worker::to_text(answered), 0600);
}

Result<WorkerMachine> WorkerMachine::open(const std::vector<RootSpec>& specs, const Clock& clock) {
  std::vector<Root> roots;
  std::vector<std::string> paths;
  for (const RootSpec& spec : specs) {
    TRY(make_runtime_root(spec));
    const system::Fd opened = TRY(system::open_directory(spec.path));
    std::string path = TRY(system::path_of(opened.get()));
    if (std::ranges::find(paths, path) != paths.end()) return invalid("volumes", "the root " + path + " is given twice");
    paths.push_back(std::move(path));
    roots.push_back({spec, TRY(system::RootDirectory::open(spec.path)), false, std::nullopt, {}});
  }
  return WorkerMachine(std::move(roots), clock);
}

Result<std::vector<std::string>> WorkerMachine::lock_roots() {
  std::vector<std::string> held;
  for (Root& root : roots_) {
    if (!root.locked) root.locked = TRY(root.directory.try_lock());
    if (!root.locked) held.push_back(name_of_root(root.spec));
  }
  return held;
}

Result<worker::Marker> WorkerMachine::mark_roots(Random& random) {
  std::vector<worker::RootMarker> markers;
  for (Root& root : roots_) {
    auto text = root.directory.read_marker();
    if (!text.ok()) {
      root.unfit = text.error();
    } else if (!text.value()) {
      markers.push_back({name_of_root(root.spec), std::nullopt});
    } else if (auto marker = worker::parse_marker(*text.value()); marker.ok()) {
      markers.push_back({name_of_root(root.spec), std::move(marker).value()});
    } else {
      root.unfit = marker.error();
    }
  }
  if (markers.empty()) return corrupt("no root has a marker that can be read: " + roots_.front().unfit->message);
  const worker::Marker marker = TRY(worker::next_marker(markers, random));
  // One root is enough to remember the start: a disk that is full must not keep away the worker that would empty it.
  std::optional<Error> failure;
  std::size_t written = 0;
  for (const Root& root : roots_) {
    if (root.unfit) continue;
    if (Status status = root.directory.write_marker(worker::to_text(marker)); status.ok()) {
      ++written;
    } else {
      failure = status.error();
      runtime::log_warning("cannot write the marker of " + name_of_root(root.spec) + ": " + failure->message);
    }
  }
  if (written == 0) return *failure;
  return marker;
}

Status WorkerMachine::open_drivers() {
  for (Root& root : roots_) root.opened = TRY(open_driver(root.spec, root.directory.lock_fd(), *clock_));
  return done();
}

std::vector<ports::ResourceDriver*> WorkerMachine::drivers() const {
  std::vector<ports::ResourceDriver*> drivers;
  for (const Root& root : roots_) drivers.push_back(root.opened.driver.get());
  return drivers;
}

worker::Listings WorkerMachine::list() const {
  worker::Listings listings;
  for (const Root& root : roots_) {
    if (root.unfit) {
      listings.emplace_back(*root.unfit);
    } else {
      listings.push_back(root.opened.driver->list());
    }
  }
  return listings;
}

void WorkerMachine::sweep(Instant deadline) const {
  for (const Root& root : roots_) {
    if (root.unfit || !root.opened.sweep) continue;
    const Status swept = root.opened.sweep(deadline);
    if (!swept.ok()) runtime::log_warning(name_of_root(root.spec) + ": not all in dead/ could be removed: " + swept.error().message);
  }
}

std::optional<wire::Disk> WorkerMachine::disk_use() const {
  // The first volume root says how full the machine is; without one, the first root.
  const auto volumes = std::ranges::find(roots_, ResourceKind::kVolume, [](const Root& root) { return root.spec.kind; });
  const Root& root = volumes != roots_.end() ? *volumes : roots_.front();
  struct statvfs found {};
  if (statvfs(root.spec.path.c_str(), &found) != 0) return std::nullopt;
  const auto total = static_cast<std::int64_t>(found.f_blocks * found.f_frsize);
  const auto free = static_cast<std::int64_t>(found.f_bfree * found.f_frsize);
  return wire::Disk{total, total - free};
}

}  // namespace reclaim::apps
