#include "adapters/objects_lmdb/copy_store.hpp"

#include <lmdb.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "adapters/objects_lmdb/environment.hpp"
#include "adapters/objects_lmdb/layout.hpp"

namespace reclaim::objects_lmdb {
namespace {

constexpr std::size_t kTransactionBytes = std::size_t{32} << 20U;  // of the copy: what is written in one piece
constexpr std::size_t kMapSlack = std::size_t{64} << 20U;          // for pages that a transaction replaces

Status status_of(int code) { return code == 0 ? done() : Status(error_of(code)); }

std::string_view text_of(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

// The file that is written. Rows come in the order of their keys.
class Copy {
 public:
  static Result<std::unique_ptr<Copy>> make(const std::string& path, std::size_t map_bytes) {
    MDB_env* made = nullptr;
    TRY(status_of(mdb_env_create(&made)));
    std::unique_ptr<Copy> copy(new Copy(made));
    TRY(status_of(mdb_env_set_mapsize(made, map_bytes)));
    TRY(status_of(mdb_env_open(made, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600)));
    return copy;
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() {
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
  }

  Status put(MDB_val key, MDB_val value) {
    if (transaction_ == nullptr) TRY(begin());
    TRY(status_of(mdb_put(transaction_, table_, &key, &value, MDB_APPEND)));
    uncommitted_ += key.mv_size + value.mv_size;
    return done();
  }
  bool is_due() const { return uncommitted_ >= kTransactionBytes; }
  Status commit() {
    if (transaction_ == nullptr) return done();
    bytes_ += std::exchange(uncommitted_, 0);
    return status_of(mdb_txn_commit(std::exchange(transaction_, nullptr)));
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Close {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
  };

  explicit Copy(MDB_env* environment) : environment_(environment) {}

  Status begin() {
    TRY(status_of(mdb_txn_begin(environment_.get(), nullptr, 0, &transaction_)));
    return status_of(mdb_dbi_open(transaction_, nullptr, 0, &table_));
  }

  const std::unique_ptr<MDB_env, Close> environment_;
  MDB_txn* transaction_ = nullptr;
  MDB_dbi table_ = 0;
  std::size_t uncommitted_ = 0;
  std::uint64_t bytes_ = 0;
};

Status check_source(MDB_txn* transaction, MDB_dbi table) {
  MDB_val key{kStampKey.size(), const_cast<char*>(kStampKey.data())};
  MDB_val value{};
  const int code = mdb_get(transaction, table, &key, &value);
  if (code == MDB_NOTFOUND) return corrupt("is no object store of Reclaim");
  TRY(status_of(code));
  return check_stamp(text_of(value));
}

// What the source's pages take is enough for the copy's.
Result<std::size_t> map_bytes_for(MDB_txn* transaction, MDB_dbi table) {
  MDB_envinfo info{};
  TRY(status_of(mdb_env_info(mdb_txn_env(transaction), &info)));
  MDB_stat found{};
  TRY(status_of(mdb_stat(transaction, table, &found)));
  return (info.me_last_pgno + 1) * found.ms_psize + kMapSlack;
}

Status copy_rows(MDB_txn* transaction, MDB_dbi table, Copy& copy, const Copying& copying) {
  MDB_cursor* opened = nullptr;
  TRY(status_of(mdb_cursor_open(transaction, table, &opened)));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(opened, mdb_cursor_close);
  MDB_val key{};
  MDB_val value{};
  int code = 0;
  while ((code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT)) == 0) {
    TRY(copy.put(key, value));
    if (!copy.is_due()) continue;
    TRY(copy.commit());
    if (copying.written) TRY(copying.written(copy.bytes()));
  }
  if (code != MDB_NOTFOUND) return error_of(code);
  return copy.commit();
}

Status copy_all(MDB_txn* transaction, MDB_dbi table, const std::string& to, const Copying& copying) {
  TRY(copying.begun());
  TRY(check_source(transaction, table));
  const std::size_t map_bytes = TRY(map_bytes_for(transaction, table));
  const std::unique_ptr<Copy> copy = TRY(Copy::make(to, map_bytes));
  const Status copied = copy_rows(transaction, table, *copy, copying);
  return copied.ok() ? copied : Status(Error{copied.error().kind, to + ": " + copied.error().message});
}

Status skip_in(MDB_txn* transaction, MDB_dbi table, std::uint64_t version) {
  TRY(check_source(transaction, table));
  MDB_val key{kStampKey.size(), const_cast<char*>(kStampKey.data())};
  MDB_val value{};
  TRY(status_of(mdb_get(transaction, table, &key, &value)));
  Stamp stamp = *decode_stamp(text_of(value));
  stamp.last_version = std::max(stamp.last_version + kVersionsSkipped, version);
  std::string bytes = encode(stamp);
  value = {bytes.size(), bytes.data()};
  return status_of(mdb_put(transaction, table, &key, &value, 0));
}

}  // namespace

Status copy_store(const std::string& directory, const std::string& to, const Copying& copying) {
  const std::unique_ptr<Environment> environment = TRY(Environment::open({.directory = directory}));
  if (copying.about_to_begin) TRY(copying.about_to_begin());
  Status copied;
  TRY(environment->read([&](MDB_txn* transaction) {
    copied = copy_all(transaction, environment->table(), to, copying);
    return 0;
  }));
  return copied;
}

Status skip_versions(const std::string& directory, std::uint64_t version) {
  const std::unique_ptr<Environment> environment = TRY(Environment::open({.directory = directory}));
  Status skipped;
  TRY(environment->write([&](MDB_txn* transaction) {
    skipped = skip_in(transaction, environment->table(), version);
    return 0;
  }));
  return skipped;
}

}  // namespace reclaim::objects_lmdb
