#include "adapters/system/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace reclaim::system {
namespace {

Result<Fd> open_beneath(int directory, const std::string& name, int flags, ErrorOf error_of) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const long fd = syscall(SYS_openat2, directory, name.c_str(), &how, sizeof(how));
  if (fd >= 0) return Fd(static_cast<int>(fd));
  if (errno == EXDEV) return conflict(name + " is a mount point");
  if (errno == ELOOP) return conflict(name + " is a symbolic link");
  return error_of(errno, "cannot open " + name);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Error system_error(int error_number, const std::string& doing) {
  std::string message = doing + ": " + std::generic_category().message(error_number);
  if (error_number == ENOENT) return not_found(std::move(message));
  if (error_number == ENOTDIR || error_number == EEXIST || error_number == ELOOP) return conflict(std::move(message));
  return unavailable(std::move(message));
}

Error storage_error(int error_number, const std::string& doing) {
  const auto as = [&](Error::Kind kind) { return Error{kind, doing + ": " + std::generic_category().message(error_number)}; };
  if (error_number == ENOSPC || error_number == EDQUOT) return as(Error::Kind::kTooLarge);
  if (error_number == EACCES || error_number == EPERM) return as(Error::Kind::kForbidden);
  if (error_number == ENAMETOOLONG || error_number == EFBIG) return as(Error::Kind::kInvalid);
  return system_error(error_number, doing);
}

Result<Fd> open_directory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error(errno, "cannot open directory " + path);
  return Fd(fd);
}

Result<Fd> open_directory_at(int directory, const std::string& name, ErrorOf error_of) {
  return open_beneath(directory, name, O_RDONLY | O_DIRECTORY, error_of);
}

Result<Fd> make_directory_at(int directory, const std::string& name, mode_t mode) {
  if (mkdirat(directory, name.c_str(), mode) != 0 && errno != EEXIST) return system_error(errno, "cannot make directory " + name);
  return open_directory_at(directory, name);
}

Result<std::vector<std::string>> list_directory(int directory) {
  // Its own open file: the position of `directory` is shared by everybody who lists it.
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error(errno, "cannot list directory");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(fd), closedir);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return system_error(errno, "cannot list directory");
  return names;
}

Result<FileInfo> inspect_at(int directory, const std::string& name) {
  struct stat found {};
  if (fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return FileInfo{};
    return system_error(errno, "cannot read " + name);
  }
  FileInfo info{FileType::kOther, found.st_ino};
  if (S_ISDIR(found.st_mode)) info.type = FileType::kDirectory;
  if (S_ISREG(found.st_mode)) info.type = FileType::kRegular;
  if (S_ISLNK(found.st_mode)) info.type = FileType::kLink;
  return info;
}

Result<std::optional<WallTime>> born_at(int directory, const std::string& name) {
  struct statx found {};
  if (statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &found) != 0) return system_error(errno, "cannot read " + name);
  if ((found.stx_mask & STATX_BTIME) == 0) return std::optional<WallTime>();
  return std::optional(WallTime{found.stx_btime.tv_sec * 1000 + found.stx_btime.tv_nsec / 1'000'000});
}

Result<Fd> open_file_at(int directory, const std::string& name, ErrorOf error_of) {
  Fd file = TRY(open_beneath(directory, name, O_RDONLY | O_NONBLOCK, error_of));
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return system_error(errno, "cannot read " + name);
  if (!S_ISREG(found.st_mode)) return conflict(name + " is not a regular file");
  return file;
}

Result<std::string> read_file_at(int directory, const std::string& name, std::size_t size_max) {
  const Fd file = TRY(open_file_at(directory, name));
  std::string bytes;
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t got = read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "cannot read " + name);
    if (got == 0) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(got));
    if (bytes.size() > size_max) return too_large(name + " is larger than " + std::to_string(size_max) + " bytes");
  }
}

Status write_file_at(int directory, const std::string& name, std::string_view bytes, mode_t mode) {
  const std::string fresh = "." + name + ".new";
  if (unlinkat(directory, fresh.c_str(), 0) != 0 && errno != ENOENT) return system_error(errno, "cannot replace " + fresh);
  const Fd file(openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.is_open()) return system_error(errno, "cannot make " + fresh);
  TRY(write_all(file.get(), bytes));
  if (fsync(file.get()) != 0) return system_error(errno, "cannot sync " + fresh);
  if (renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return system_error(errno, "cannot replace " + name);
  if (fsync(directory) != 0) return system_error(errno, "cannot sync the directory of " + name);
  return done();
}

Status write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return storage_error(errno, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return done();
}

Status sync(int file) { return fsync(file) == 0 ? done() : Status(storage_error(errno, "cannot sync")); }

Status rename_new_at(int from_directory, const std::string& from, int to_directory, const std::string& to) {
  if (renameat2(from_directory, from.c_str(), to_directory, to.c_str(), RENAME_NOREPLACE) == 0) return done();
  if (errno == EXDEV) return conflict(to + " is on another filesystem");
  if (errno == EINVAL) return unavailable("cannot rename to " + to + ": this filesystem does not know how to replace nothing");
  return storage_error(errno, "cannot rename " + from + " to " + to);
}

Result<std::string> path_of(int directory) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(directory)).c_str(), path.data(), path.size());
  if (length < 0) return system_error(errno, "cannot name an open directory");
  return std::string(path.data(), static_cast<std::size_t>(length));
}

}  // namespace reclaim::system
