#include "apps/worker_root.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

constexpr Millis kLookAgain{1'000};

// A runtime makes its root with its first container, and a program has none; a volume root that is not there is a disk that is not there.
Status make_home(const RootSpec& spec) {
  if (spec.driver == "exec") {
    std::error_code failure;
    std::filesystem::create_directories(spec.home, failure);
    return failure ? Status(unavailable("cannot make " + spec.home + ": " + failure.message())) : done();
  }
  if (spec.kind != ResourceKind::kContainer || mkdir(spec.path.c_str(), 0711) == 0 || errno == EEXIST) return done();
  return system::system_error(errno, "cannot make " + spec.path);
}

std::optional<wire::Disk> disk_at(const std::string& path) {
  struct statvfs found {};
  if (statvfs(path.c_str(), &found) != 0) return std::nullopt;
  const auto total = static_cast<std::int64_t>(found.f_blocks * found.f_frsize);
  const auto free = static_cast<std::int64_t>(found.f_bfree * found.f_frsize);
  return wire::Disk{total, total - free};
}

Result<std::optional<worker::Marker>> marker_in(const system::RootDirectory& directory) {
  const std::optional<std::string> text = TRY(directory.read_marker());
  if (!text) return std::optional<worker::Marker>();
  return std::optional(TRY(worker::parse_marker(*text)));
}

}  // namespace

Result<bool> WorkerRoot::hold() {
  if (!held_) {
    if (!was_fit_) TRY(make_home(spec_));
    held_ = std::make_shared<Opened>(TRY(system::RootDirectory::open(spec_.home)));
  }
  if (!held_->locked) held_->locked = TRY(held_->directory.try_lock());
  return held_->locked;
}

Result<std::optional<worker::Marker>> WorkerRoot::read_marker() const { return marker_in(held_->directory); }

void WorkerRoot::expect(const worker::Marker& marker, bool accepts_empty) {
  ours_ = marker;
  accepts_empty_ = accepts_empty;
}

Status WorkerRoot::adopt() {
  const Hold hold = std::exchange(held_, nullptr);
  TRY(hold->directory.still_at(spec_.home));
  const std::optional<worker::Marker> found = TRY(marker_in(hold->directory));
  const bool is_named = std::ranges::find(ours_->roots, name()) != ours_->roots.end();
  if (!found && (was_fit_ || (is_named && !accepts_empty_))) {
    return conflict(
        "it carried this worker's marker and has none now: the disk is not mounted, or it was wiped. Mount it; or, to begin with "
        "what is there now, start the worker with --new-incarnation accept");
  }
  if (found && found->incarnation != ours_->incarnation) {
    return conflict("its marker belongs to the incarnation " + found->incarnation + ", the worker's is " + ours_->incarnation +
                    ": it is the disk of another machine, or of another time");
  }
  hold->driver = TRY(open_driver(spec_, hold->directory.lock_fd(), clock_));
  if (!found) TRY(hold->directory.write_marker(worker::to_text(*ours_)));
  was_fit_ = true;
  set_fit(hold);
  return done();
}

Status WorkerRoot::write_marker() const { return fit()->directory.write_marker(worker::to_text(*ours_)); }

WorkerRoot::Hold WorkerRoot::fit() const {
  const std::lock_guard lock(mutex_);
  return fit_;
}

void WorkerRoot::set_fit(Hold hold) {
  const std::lock_guard lock(mutex_);
  fit_ = std::move(hold);
}

Status WorkerRoot::check(const Opened& opened) const {
  TRY(opened.directory.still_at(spec_.home));
  const std::optional<worker::Marker> found = TRY(marker_in(opened.directory));
  if (!found) return corrupt("its marker is gone while the worker runs: put .reclaim/marker back");
  if (found->incarnation != ours_->incarnation) return conflict("its marker was changed while the worker runs: put .reclaim/marker back");
  return done();
}

// Only list() changes what is fit. A root that lost its marker is kept and asked again; one that is not at its path is given up, and
// what is there now is taken in if it is fit.
Result<WorkerRoot::Hold> WorkerRoot::look_again() {
  if (Hold hold = fit()) {
    if (hold->directory.still_at(spec_.home).ok()) {
      TRY(check(*hold));
      return hold;
    }
    runtime::log_warning(name() + " is not there any more");
    set_fit(nullptr);
  }
  if (unfit_ && clock_.now() < next_look_) return *unfit_;
  next_look_ = clock_.now() + kLookAgain;
  unfit_.reset();
  if (const Status taken_in = take_in(); !taken_in.ok()) return *(unfit_ = taken_in.error());
  return fit();
}

Status WorkerRoot::take_in() {
  if (!TRY(hold())) return unavailable("something that worked under it still holds its lock");
  TRY(adopt());
  if (Status written = write_marker(); !written.ok()) runtime::log_warning("the marker of " + name() + ": " + written.error().message);
  runtime::log_info(name() + " is there");
  return done();
}

Result<std::vector<ports::Listed>> WorkerRoot::list() {
  const Hold hold = TRY(look_again());
  std::vector<ports::Listed> listed = TRY(hold->driver.driver->list());
  TRY(check(*hold));
  const std::optional<wire::Disk> disk = spec_.driver == "exec" ? std::nullopt : disk_at(spec_.path);
  const std::lock_guard lock(mutex_);
  disk_ = disk;
  return listed;
}

Status WorkerRoot::destroy(const Handle& handle, Instant deadline) {
  const Hold hold = fit();
  if (!hold) return unavailable(name() + " is not fit: nobody can tell whether it holds this");
  TRY(check(*hold));
  return hold->driver.driver->destroy(handle, deadline);
}

void WorkerRoot::sweep(Instant deadline) const {
  const Hold hold = fit();
  if (!hold || !hold->driver.sweep) return;
  const Status swept = hold->driver.sweep(deadline);
  if (!swept.ok()) runtime::log_warning(name() + ": not all in dead/ could be removed: " + swept.error().message);
}

std::optional<wire::Disk> WorkerRoot::disk() const {
  const std::lock_guard lock(mutex_);
  return disk_;
}

}  // namespace reclaim::apps
