#include "adapters/volumes_dir/volume_yard.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "adapters/system/mounts.hpp"

namespace reclaim::volumes_dir {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Error about(const std::string& path, Error error) {
  error.message = path + ": " + error.message;
  return error;
}

// `a.1.7` was the handle `a.1`: the last component is always the number. Nothing for names that bury() did not make.
std::optional<std::string_view> handle_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !is_digits(name.substr(dot + 1))) return std::nullopt;
  return name.substr(0, dot);
}

}  // namespace

Result<VolumeYard> VolumeYard::open(const std::string& path) {
  const system::Fd root = TRY(system::open_directory(path));
  auto live = system::make_directory_at(root.get(), "live", 0711);
  if (!live.ok()) return about(path, live.error());
  auto dead = system::make_directory_at(root.get(), "dead", 0700);
  if (!dead.ok()) return about(path, dead.error());
  return VolumeYard(std::move(live).value(), std::move(dead).value());
}

Result<std::vector<ports::Listed>> VolumeYard::list() const {
  std::vector<ports::Listed> listed;
  std::set<std::string, std::less<>> seen;
  for (std::string& name : TRY(system::list_directory(live_.get()))) {
    auto info = system::inspect_at(live_.get(), name);
    if (info.ok() && info.value().type == system::FileType::kNothing) continue;
    ports::Listed one{std::move(name)};
    if (!info.ok()) {
      one.error = info.error().message;
    } else if (info.value().type != system::FileType::kDirectory) {
      one.error = "it is not a directory, so it is not a volume";
    }
    seen.insert(one.name);
    listed.push_back(std::move(one));
  }
  for (const std::string& name : TRY(system::list_directory(dead_.get()))) {
    const std::optional<std::string_view> handle = handle_of(name);
    if (handle && seen.emplace(*handle).second) listed.push_back({.name = std::string(*handle)});
  }
  return listed;
}

Result<bool> VolumeYard::may_bury(const Handle& handle) const {
  const system::FileInfo info = TRY(system::inspect_at(live_.get(), handle.str()));
  if (info.type == system::FileType::kNothing) return false;
  if (info.type == system::FileType::kLink) return conflict("live/" + handle.str() + " is a symbolic link, not a volume: it is left alone");
  if (info.type != system::FileType::kDirectory) return conflict("live/" + handle.str() + " is not a directory: it is left alone");
  const std::string path = TRY(system::path_of(live_.get())) + "/" + handle.str();
  const std::vector<std::string> mounts = TRY(system::mounts_below(path));
  if (!mounts.empty()) return conflict("volume " + handle.str() + " has a mount at " + mounts.front() + ": unmount it first");
  return true;
}

Status VolumeYard::bury(const Handle& handle) {
  for (;;) {
    const std::string grave = handle.str() + "." + std::to_string(next_++);
    if (renameat2(live_.get(), handle.str().c_str(), dead_.get(), grave.c_str(), RENAME_NOREPLACE) == 0) return done();
    if (errno == ENOENT) return done();
    if (errno != EEXIST) return system::system_error(errno, "cannot move volume " + handle.str() + " to dead/");
  }
}

Result<std::vector<std::string>> VolumeYard::remains(const Handle& handle) const {
  std::vector<std::string> names = TRY(system::list_directory(dead_.get()));
  std::erase_if(names, [&handle](const std::string& name) { return handle_of(name) != handle.str(); });
  return names;
}

Status VolumeYard::sweep(const Clock& clock, Instant deadline, const Remove& remove) const {
  Status first;
  for (const std::string& name : TRY(system::list_directory(dead_.get()))) {
    Status removed = remove(name);
    if (!removed.ok() && first.ok()) first = std::move(removed);
    if (clock.now() >= deadline) break;
  }
  return first;
}

}  // namespace reclaim::volumes_dir
