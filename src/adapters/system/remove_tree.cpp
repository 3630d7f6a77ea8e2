#include "adapters/system/remove_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "adapters/system/files.hpp"

namespace reclaim::system {
namespace {

// Walks down into the first directory it meets, and up again once one is empty. Only the present directory is open: going up opens
// `..` and compares it with the directory that was left, so a tree that is moved meanwhile is noticed, not followed.
class TreeRemover {
 public:
  TreeRemover(int directory, std::string name, const Clock& clock, Instant deadline)
      : top_(directory), clock_(clock), deadline_(deadline), top_name_(std::move(name)) {}

  Status run() {
    if (TRY(try_remove(top_, top_name_))) return done();
    TRY(descend(top_, top_name_));
    while (!levels_.empty()) {
      std::vector<std::string>& directories = levels_.back().directories;
      if (directories.empty()) {
        TRY(ascend());
        continue;
      }
      const std::string next = std::move(directories.back());
      directories.pop_back();
      TRY(descend(here_.get(), next));
    }
    return done();
  }

 private:
  struct Level {
    std::string name;
    dev_t device;
    ino_t inode;
    std::vector<std::string> directories;  // in it, still to be removed
  };

  std::string path_to(const std::string& name) const {
    std::string path;
    for (const Level& level : levels_) path += level.name + "/";
    path += name;
    constexpr std::size_t kShown = 1024;
    return path.size() <= kShown ? path : "..." + path.substr(path.size() - kShown);
  }

  Status in_time() const {
    if (clock_.now() < deadline_) return done();
    return unavailable("the deadline passed while " + path_to("") + " was being removed");
  }

  // False for a directory: it has to be emptied first.
  Result<bool> try_remove(int directory, const std::string& name) {
    TRY(in_time());
    if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return true;
    const int reason = errno;
    // EPERM may also be an immutable file: a look tells.
    if (reason == EISDIR || reason == EPERM) {
      const FileInfo info = TRY(inspect_at(directory, name));
      if (info.type == FileType::kNothing) return true;
      if (info.type == FileType::kDirectory) return false;
    }
    if (reason == EBUSY) return conflict("cannot remove " + path_to(name) + ": it is a mount point or in use");
    return failed(reason, name);
  }

  Error failed(int reason, const std::string& name) const {
    Error error = system_error(reason, "cannot remove " + path_to(name));
    if (reason == EPERM) error.message += " (is it immutable? see lsattr)";
    return error;
  }

  // Removes what is not a directory and notes what is.
  Status clear_files() {
    auto names = list_directory(here_.get());
    if (!names.ok()) {
      if (names.error().kind == Error::Kind::kNotFound) return done();
      return unavailable(names.error().message + " (" + path_to("") + ")");
    }
    for (std::string& name : names.value()) {
      if (!TRY(try_remove(here_.get(), name))) levels_.back().directories.push_back(std::move(name));
    }
    return done();
  }

  Status descend(int directory, const std::string& name) {
    auto opened = open_directory_at(directory, name);
    if (!opened.ok()) {
      if (opened.error().kind == Error::Kind::kNotFound) return done();
      if (opened.error().kind == Error::Kind::kConflict) return conflict("cannot remove " + path_to("") + opened.error().message);
      return unavailable(opened.error().message + " (" + path_to(name) + ")");
    }
    struct stat found {};
    if (fstat(opened.value().get(), &found) != 0) return system_error(errno, "cannot read " + path_to(name));
    levels_.push_back({name, found.st_dev, found.st_ino, {}});
    here_ = std::move(opened).value();
    return clear_files();
  }

  Status ascend() {
    const std::string name = levels_.back().name;
    levels_.pop_back();
    int parent = top_;
    if (!levels_.empty()) {
      Fd above(openat(here_.get(), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      struct stat found {};
      if (!above.is_open() || fstat(above.get(), &found) != 0) return system_error(errno, "cannot leave " + path_to(name));
      if (found.st_dev != levels_.back().device || found.st_ino != levels_.back().inode) {
        return conflict(path_to(name) + " was moved while it was being removed");
      }
      here_ = std::move(above);
      parent = here_.get();
    }
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return done();
    if (errno != ENOTEMPTY && errno != EEXIST) return failed(errno, name);
    // Somebody put something there meanwhile.
    TRY(in_time());
    return descend(parent, name);
  }

  int top_;
  const Clock& clock_;
  Instant deadline_;
  std::string top_name_;
  std::vector<Level> levels_;
  Fd here_;
};

}  // namespace

Status remove_tree_at(int directory, const std::string& name, const Clock& clock, Instant deadline) {
  return TreeRemover(directory, name, clock, deadline).run();
}

}  // namespace reclaim::system
