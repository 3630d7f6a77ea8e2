// LMDB's file in its directory, and transactions on it: whoever runs one need not know that the file grows, or that another process
// made it grow. Any thread.
#pragma once

#include <lmdb.h>
#include <sys/stat.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "base/result.hpp"

namespace reclaim::objects_lmdb {

// The only one that has this directory open, in this process; until it is destroyed.
class SoleUse {
 public:
  static Result<SoleUse> of(const struct stat& directory);
  SoleUse(SoleUse&& other) noexcept : directory_(std::exchange(other.directory_, std::nullopt)) {}
  SoleUse& operator=(SoleUse&&) = delete;
  SoleUse(const SoleUse&) = delete;
  SoleUse& operator=(const SoleUse&) = delete;
  ~SoleUse();

 private:
  explicit SoleUse(std::pair<dev_t, ino_t> directory) : directory_(directory) {}

  std::optional<std::pair<dev_t, ino_t>> directory_;  // nothing: moved from
};

class Environment {
 public:
  // Returns LMDB's code. Anything but 0 ends the transaction without effect; it may be run again in another.
  using Work = std::function<int(MDB_txn*)>;

  static Result<std::unique_ptr<Environment>> open(const LmdbOptions& options);

  Status read(const Work& work) { return transact(MDB_RDONLY, work); }
  // Committed when `work` returns 0; synced only if it changed something. kUnavailable: it may or may not have happened.
  Status write(const Work& work) { return transact(0, work); }
  MDB_dbi table() const { return table_; }

 private:
  struct Close {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
  };

  struct Abort {
    void operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }
  };
  using Transaction = std::unique_ptr<MDB_txn, Abort>;

  Environment(SoleUse sole, MDB_env* environment, std::size_t bytes_max)
      : sole_(std::move(sole)), bytes_max_(bytes_max), environment_(environment) {}

  Status transact(unsigned flags, const Work& work);
  int attempt(unsigned flags, const Work& work, std::size_t& map_bytes);
  int begin(unsigned flags, Transaction& transaction);
  int begin_reading(Transaction& transaction);
  void end_reading(Transaction transaction);
  Status grow(std::size_t seen);
  Status follow();
  Status map(std::size_t bytes);
  // Of processes that died while they read: how many.
  Result<int> clear_readers();

  SoleUse sole_;  // until LMDB has closed
  const std::size_t bytes_max_;
  const std::unique_ptr<MDB_env, Close> environment_;
  MDB_dbi table_ = 0;
  // The map moves only while no transaction of this process runs. Who moves it holds the gate, so that none begins while it waits.
  std::mutex gate_;
  std::shared_mutex running_;
  std::size_t map_bytes_ = 0;  // guarded by running_; 0: mapping failed, and there is no way back
  // A transaction that has read keeps its reader's slot for the next one: to draw a slot takes a lock that all processes share, and one
  // that is stopped just there would stop them all.
  std::mutex readers_;
  std::vector<Transaction> idle_readers_;
};

Error error_of(int code);

}  // namespace reclaim::objects_lmdb
