#include "adapters/objects_lmdb/environment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "adapters/system/files.hpp"

namespace reclaim::objects_lmdb {
namespace {

constexpr unsigned kReadersMax = 1024;       // transactions that read at the same time, of all processes
constexpr std::size_t kIdleReadersMax = 16;  // that keep their slots, of this process
constexpr std::size_t kFirstMapBytes = std::size_t{64} << 20U;

struct OpenDirectories {
  std::mutex mutex;
  std::set<std::pair<dev_t, ino_t>> directories;
};

OpenDirectories& open_directories() {
  static OpenDirectories every;
  return every;
}

Status sync_directory(const std::string& path) {
  const system::Fd directory = TRY(system::open_directory(path));
  if (::fsync(directory.get()) != 0) return system::system_error(errno, "syncing " + path);
  return done();
}

// `path/` would follow a link that `path` is.
std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) return errno == EEXIST ? done() : Status(system::system_error(errno, "cannot be made"));
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return sync_directory(parent.empty() ? "." : parent);
}

Result<struct stat> inspect_directory(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return system::system_error(errno, "cannot be looked at");
  if (S_ISLNK(found.st_mode)) return conflict("is a symbolic link: name the directory itself");
  if (!S_ISDIR(found.st_mode)) return conflict("is not a directory");
  return found;
}

}  // namespace

Error error_of(int code) {
  std::string message = mdb_strerror(code);
  if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID) return corrupt(std::move(message));
  if (code == MDB_VERSION_MISMATCH) return invalid("", std::move(message));
  return unavailable(std::move(message));
}

Result<SoleUse> SoleUse::of(const struct stat& directory) {
  OpenDirectories& every = open_directories();
  const std::lock_guard lock(every.mutex);
  const std::pair<dev_t, ino_t> which(directory.st_dev, directory.st_ino);
  if (!every.directories.insert(which).second) return conflict("is open in this process already");
  return SoleUse(which);
}

SoleUse::~SoleUse() {
  if (!directory_) return;
  OpenDirectories& every = open_directories();
  const std::lock_guard lock(every.mutex);
  every.directories.erase(*directory_);
}

Result<std::unique_ptr<Environment>> Environment::open(const LmdbOptions& options) {
  const std::string path = without_slashes(options.directory);
  TRY(make_directory(path));
  const struct stat directory = TRY(inspect_directory(path));
  SoleUse sole = TRY(SoleUse::of(directory));
  MDB_env* created = nullptr;
  if (const int code = mdb_env_create(&created); code != 0) return error_of(code);
  std::unique_ptr<Environment> environment(new Environment(std::move(sole), created, options.bytes_max));
  if (const int code = mdb_env_set_maxreaders(created, kReadersMax); code != 0) return error_of(code);
  // Readers are transactions, not threads: a thread may come and go, and a pool may be large.
  const unsigned flags = MDB_NOTLS | (options.fsync ? 0U : unsigned{MDB_NOSYNC});
  if (const int code = mdb_env_open(created, path.c_str(), flags, 0600); code != 0) return error_of(code);
  if (options.fsync) TRY(sync_directory(path));
  MDB_envinfo info{};
  if (const int code = mdb_env_info(created, &info); code != 0) return error_of(code);
  environment->map_bytes_ = info.me_mapsize;
  (void)TRY(environment->clear_readers());
  TRY(environment->read([&](MDB_txn* transaction) { return mdb_dbi_open(transaction, nullptr, 0, &environment->table_); }));
  return environment;
}

Status Environment::transact(unsigned flags, const Work& work) {
  for (;;) {
    std::size_t map_bytes = 0;
    const int code = attempt(flags, work, map_bytes);
    switch (code) {
      case 0: return done();
      case MDB_MAP_FULL: TRY(grow(map_bytes)); continue;
      case MDB_MAP_RESIZED: TRY(follow()); continue;
      case MDB_READERS_FULL:
        if (TRY(clear_readers()) == 0) return error_of(code);
        continue;
      default: return error_of(code);
    }
  }
}

int Environment::attempt(unsigned flags, const Work& work, std::size_t& map_bytes) {
  std::unique_lock gate(gate_);
  const std::shared_lock running(running_);
  gate.unlock();
  map_bytes = map_bytes_;
  if (map_bytes == 0) return ENOMEM;
  Transaction transaction;
  if (const int code = flags == MDB_RDONLY ? begin_reading(transaction) : begin(flags, transaction); code != 0) return code;
  const int code = work(transaction.get());
  if (flags == MDB_RDONLY)
    end_reading(std::move(transaction));
  else if (code == 0)
    return mdb_txn_commit(transaction.release());
  return code;
}

int Environment::begin(unsigned flags, Transaction& transaction) {
  MDB_txn* begun = nullptr;
  const int code = mdb_txn_begin(environment_.get(), nullptr, flags, &begun);
  transaction.reset(begun);
  return code;
}

int Environment::begin_reading(Transaction& transaction) {
  {
    const std::lock_guard lock(readers_);
    if (!idle_readers_.empty()) {
      transaction = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  return transaction ? mdb_txn_renew(transaction.get()) : begin(MDB_RDONLY, transaction);
}

void Environment::end_reading(Transaction transaction) {
  mdb_txn_reset(transaction.get());
  const std::lock_guard lock(readers_);
  if (idle_readers_.size() < kIdleReadersMax) idle_readers_.push_back(std::move(transaction));
}

// A dead reader's pages are used before the file grows.
Status Environment::grow(std::size_t seen) {
  const std::lock_guard gate(gate_);
  const std::unique_lock none_running(running_);
  if (map_bytes_ != seen) return done();
  if (TRY(clear_readers()) > 0) return done();
  if (seen >= bytes_max_) return unavailable("the store is full: its limit is " + std::to_string(bytes_max_) + " bytes");
  return map(std::min(bytes_max_, std::max(kFirstMapBytes, 2 * seen)));
}

// Another process made the file larger than the map of this one.
Status Environment::follow() {
  const std::lock_guard gate(gate_);
  const std::unique_lock none_running(running_);
  return map(0);
}

Status Environment::map(std::size_t bytes) {
  map_bytes_ = 0;
  if (const int code = mdb_env_set_mapsize(environment_.get(), bytes); code != 0) return error_of(code);
  MDB_envinfo info{};
  if (const int code = mdb_env_info(environment_.get(), &info); code != 0) return error_of(code);
  map_bytes_ = info.me_mapsize;
  return done();
}

Result<int> Environment::clear_readers() {
  int dead = 0;
  if (const int code = mdb_reader_check(environment_.get(), &dead); code != 0) return error_of(code);
  return dead;
}

}  // namespace reclaim::objects_lmdb
