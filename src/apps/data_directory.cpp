#include "apps/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "server/access.hpp"

namespace reclaim::apps {
namespace {

constexpr const char* kTokenFile = "admin.token";
constexpr std::size_t kTokenBytesMax = 4096;

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system::system_error(errno, "making " + path);
  system::Fd directory = TRY(system::open_directory(path));
  system::Fd lock(::openat(directory.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) return system::system_error(errno, "opening " + path + "/lock");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return conflict("another server uses " + path + ": one server, one data directory");
  DataDirectory data(path, std::move(directory), std::move(lock));
  TRY(data.take_in_restored());
  return data;
}

Status DataDirectory::take_in_restored() const {
  const Result<system::Fd> restored = system::open_directory_at(directory_.get(), kRestored);
  if (!restored.ok()) return restored.error().kind == Error::Kind::kNotFound ? done() : Status(restored.error());
  const int from = restored.value().get();
  for (const std::string& name : TRY(system::list_directory(from))) TRY(system::rename_new_at(from, name, directory_.get(), name));
  TRY(system::sync(directory_.get()));
  if (::unlinkat(directory_.get(), kRestored, AT_REMOVEDIR) != 0)
    return system::system_error(errno, "cannot remove " + path_ + "/restored");
  return done();
}

Status DataDirectory::ensure_admin_token(ports::Database& database, Random& random, WallTime now) const {
  const Result<std::string> kept = system::read_file_at(directory_.get(), kTokenFile, kTokenBytesMax);
  if (kept.ok()) {
    const Result<server::Caller> caller = server::authenticate(database, "Bearer " + without_line_end(kept.value()));
    if (caller.ok()) return done();
    if (caller.error().kind != Error::Kind::kUnauthenticated) return caller.error();
  } else if (kept.error().kind != Error::Kind::kNotFound) {
    return kept.error();
  }
  const server::NewToken token = TRY(server::create_token(database, random, now, server::Role::kAdmin, "admin"));
  return system::write_file_at(directory_.get(), kTokenFile, token.secret + "\n", 0600);
}

}  // namespace reclaim::apps
