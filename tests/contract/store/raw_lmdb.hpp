// LMDB's file without the store, for what no store does: other people's rows, transactions that stay open. While no store of this process
// has the directory open.
#pragma once

#include <lmdb.h>

#include <string>

#include "base/check.hpp"

namespace reclaim::test {

class RawLmdb {
 public:
  explicit RawLmdb(const std::string& directory) {
    check(mdb_env_create(&environment_) == 0, "mdb_env_create");
    check(mdb_env_open(environment_, directory.c_str(), MDB_NOTLS, 0600) == 0, "mdb_env_open");
  }
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;
  ~RawLmdb() { mdb_env_close(environment_); }

  MDB_txn* begin(unsigned flags) {
    MDB_txn* transaction = try_to_begin(flags);
    check(transaction != nullptr, "mdb_txn_begin");
    return transaction;
  }
  // Null when LMDB refuses.
  MDB_txn* try_to_begin(unsigned flags) {
    MDB_txn* transaction = nullptr;
    return mdb_txn_begin(environment_, nullptr, flags, &transaction) == 0 ? transaction : nullptr;
  }
  static void put(MDB_txn* transaction, std::string key, std::string value) {
    MDB_dbi table = 0;
    check(mdb_dbi_open(transaction, nullptr, 0, &table) == 0, "mdb_dbi_open");
    MDB_val name{key.size(), key.data()};
    MDB_val bytes{value.size(), value.data()};
    check(mdb_put(transaction, table, &name, &bytes, 0) == 0, "mdb_put");
  }
  void put(const std::string& key, const std::string& value) {
    MDB_txn* transaction = begin(0);
    put(transaction, key, value);
    check(mdb_txn_commit(transaction) == 0, "mdb_txn_commit");
  }

 private:
  MDB_env* environment_ = nullptr;
};

}  // namespace reclaim::test
