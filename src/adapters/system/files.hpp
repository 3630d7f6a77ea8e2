// Files by directory descriptor, one path component at a time. Nothing below a directory that was opened here is ever reached
// through a symbolic link, and nothing on the other side of a mount.
//
// Errors: kNotFound for what is not there; kConflict for a link or the wrong type of file in the way; kUnavailable for the rest, with
// the system's reason. Who may call: anybody.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::system {

// An open descriptor, closed with its owner. All are close-on-exec.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// The error that errno stands for, with what was being done.
Error system_error(int error_number, const std::string& doing);

// The same for whom it matters: kTooLarge where no room is left, kForbidden where it is not permitted, kInvalid for a name or a file that
// is longer than the filesystem takes.
Error storage_error(int error_number, const std::string& doing);
using ErrorOf = Error (*)(int error_number, const std::string& doing);

// The one call that takes a whole path: what a person configured, links and all.
Result<Fd> open_directory(const std::string& path);

// One component below `directory`: never through a link, never into another mount.
Result<Fd> open_directory_at(int directory, const std::string& name, ErrorOf error_of = system_error);
// The same, made first when it is not there.
Result<Fd> make_directory_at(int directory, const std::string& name, mode_t mode);

// All names but `.` and `..`, in no order.
Result<std::vector<std::string>> list_directory(int directory);

enum class FileType { kNothing, kDirectory, kRegular, kLink, kOther };
struct FileInfo {
  FileType type = FileType::kNothing;
  std::uint64_t inode = 0;
};
// A link is a link here, not what it points at. What is not there is kNothing, not an error.
Result<FileInfo> inspect_at(int directory, const std::string& name);

// When it was made. Nothing where the filesystem does not keep that.
Result<std::optional<WallTime>> born_at(int directory, const std::string& name);

// A regular file, to be read.
Result<Fd> open_file_at(int directory, const std::string& name, ErrorOf error_of = system_error);
// A regular file, whole, or kTooLarge.
Result<std::string> read_file_at(int directory, const std::string& name, std::size_t size_max);
// Whole or not at all, whatever crashes: a temporary file, synced, renamed over `name`, the directory synced. One writer at a time
// per name; a crash may leave `.NAME.new` behind, which the next write replaces.
Status write_file_at(int directory, const std::string& name, std::string_view bytes, mode_t mode);

// All of it, or storage_error.
Status write_all(int file, std::string_view bytes);
// Onto the disk; of a directory, its names.
Status sync(int file);
// Never replaces anything: kConflict where `to` is taken, or is on another filesystem.
Status rename_new_at(int from_directory, const std::string& from, int to_directory, const std::string& to);

// Where the descriptor's directory is now, as the kernel names it.
Result<std::string> path_of(int directory);

}  // namespace reclaim::system
