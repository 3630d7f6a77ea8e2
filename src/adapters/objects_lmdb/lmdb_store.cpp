#include "adapters/objects_lmdb/lmdb_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "adapters/objects_lmdb/environment.hpp"
#include "adapters/objects_lmdb/layout.hpp"

namespace reclaim::objects_lmdb {
namespace {

using ports::Object;
using ports::StoreAnswer;
using ports::StoreCall;
using ports::Version;

// LMDB takes what it only reads as what it could write.
MDB_val value_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string_view text_of(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

// One transaction's view of the table. Codes are LMDB's; anything but 0 ends the transaction.
class Table {
 public:
  Table(MDB_txn* transaction, MDB_dbi table) : transaction_(transaction), table_(table) {}

  // Nothing when it is not there. Valid until the next change.
  int get(std::string_view key, std::optional<std::string_view>& value) const {
    MDB_val name = value_of(key);
    MDB_val found{};
    const int code = mdb_get(transaction_, table_, &name, &found);
    value = code == 0 ? std::optional(text_of(found)) : std::nullopt;
    return code == MDB_NOTFOUND ? 0 : code;
  }
  int put(std::string_view key, std::string_view head, std::string_view tail) const {
    MDB_val name = value_of(key);
    MDB_val value{head.size() + tail.size(), nullptr};
    const int code = mdb_put(transaction_, table_, &name, &value, MDB_RESERVE);
    if (code != 0) return code;
    auto* place = static_cast<char*>(value.mv_data);
    std::ranges::copy(tail, std::ranges::copy(head, place).out);
    return 0;
  }
  int remove(std::string_view key) const {
    MDB_val name = value_of(key);
    return mdb_del(transaction_, table_, &name, nullptr);
  }
  bool empty() const {
    MDB_stat found{};
    return mdb_stat(transaction_, table_, &found) == 0 && found.ms_entries == 0;
  }
  // Keys that begin with `prefix`, after `prefix` + `after`, without the prefix.
  int list(const std::string& prefix, const std::string& after, std::size_t limit, std::vector<std::string>& keys) const {
    MDB_cursor* opened = nullptr;
    if (const int code = mdb_cursor_open(transaction_, table_, &opened); code != 0) return code;
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(opened, mdb_cursor_close);
    const std::string first = prefix + after;
    MDB_val key = value_of(first);
    MDB_val ignored{};
    int code = mdb_cursor_get(cursor.get(), &key, &ignored, MDB_SET_RANGE);
    if (code == 0 && text_of(key) == first) code = mdb_cursor_get(cursor.get(), &key, &ignored, MDB_NEXT);
    while (code == 0 && keys.size() < limit && text_of(key).starts_with(prefix)) {
      keys.emplace_back(text_of(key).substr(prefix.size()));
      code = mdb_cursor_get(cursor.get(), &key, &ignored, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? 0 : code;
  }

 private:
  MDB_txn* transaction_;
  MDB_dbi table_;
};

// What is there, judged; then the call is done. A new object takes the version after `last`.
int apply(const Table& table, const StoreCall& call, std::uint64_t& last, StoreAnswer& answer) {
  const auto refuse = [&](const Status& why) {
    answer = why.error();
    return 0;
  };
  if (const Status fit = ports::check_call(call); !fit.ok()) return refuse(fit);
  const std::string key = call.name.str();
  std::optional<std::string_view> value;
  if (const int code = table.get(key, value); code != 0) return code;
  const std::optional<Version> present = value ? decode_object_header(*value) : std::nullopt;
  if (value && !present) return refuse(unreadable(key));
  if (const Status allowed = ports::check_guard(call, present); !allowed.ok()) return refuse(allowed);
  switch (call.op) {
    case StoreCall::Op::kRead: answer = Object{std::string(value->substr(kObjectHeaderBytes)), *present}; return 0;
    case StoreCall::Op::kRemove: answer = Object{}; return table.remove(key);
    case StoreCall::Op::kCreate:
    case StoreCall::Op::kReplace: break;
  }
  const Version version{++last};
  answer = Object{"", version};
  return table.put(key, object_header(version), call.bytes);
}

// A caller's batch, on its way.
struct Batch {
  std::span<const StoreCall> calls;
  std::vector<StoreAnswer> answers = std::vector<StoreAnswer>(calls.size(), Object{});
  bool done = false;

  void answer_all(const Error& error) { std::ranges::fill(answers, StoreAnswer(error)); }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const StoreCall& call : calls) sum += call.bytes.size();
    return sum;
  }
};

class LmdbStore : public ports::ObjectStore {
 public:
  explicit LmdbStore(std::unique_ptr<Environment> environment) : environment_(std::move(environment)) {}

  // The format, of a store that has one; an empty one gets it.
  Status prepare();

  std::vector<StoreAnswer> run(std::span<const StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

 private:
  Table table_in(MDB_txn* transaction) const { return {transaction, environment_->table()}; }
  void read(Batch& batch);
  void write_with_others(Batch& mine);
  std::vector<Batch*> take_group();
  void write(const std::vector<Batch*>& group);
  int write_in(const Table& table, const std::vector<Batch*>& group);

  std::unique_ptr<Environment> environment_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable written_;
  std::deque<Batch*> waiting_;
  bool writing_ = false;
};

Status judge(const std::optional<std::string_view>& value, bool empty) {
  if (value) return check_stamp(*value);
  return empty ? done() : Status(corrupt("is no object store of Reclaim: it holds something else"));
}

Status LmdbStore::prepare() {
  Status verdict;
  const auto look = [&](const Table& table, std::optional<std::string_view>& stamp) {
    const int code = table.get(kStampKey, stamp);
    verdict = code == 0 ? judge(stamp, table.empty()) : Status(error_of(code));
    return code;
  };
  bool stamped = false;
  std::optional<std::string_view> stamp;
  TRY(environment_->read([&](MDB_txn* transaction) {
    const int code = look(table_in(transaction), stamp);
    stamped = stamp.has_value();
    return code;
  }));
  TRY(verdict);
  if (stamped) return done();
  TRY(environment_->write([&](MDB_txn* transaction) {
    const Table table = table_in(transaction);
    const int code = look(table, stamp);
    return code != 0 || stamp || !verdict.ok() ? code : table.put(kStampKey, encode(Stamp{}), "");
  }));
  return verdict;
}

std::vector<StoreAnswer> LmdbStore::run(std::span<const StoreCall> calls) {
  Batch batch{calls};
  if (const Status whole = ports::check_batch(calls); !whole.ok()) {
    batch.answer_all(whole.error());
  } else if (std::ranges::all_of(calls, [](const StoreCall& call) { return call.op == StoreCall::Op::kRead; })) {
    read(batch);
  } else {
    write_with_others(batch);
  }
  return std::move(batch.answers);
}

void LmdbStore::read(Batch& batch) {
  const Status status = environment_->read([&](MDB_txn* transaction) {
    const Table table = table_in(transaction);
    std::uint64_t unused = 0;
    for (std::size_t i = 0; i < batch.calls.size(); ++i) {
      if (const int code = apply(table, batch.calls[i], unused, batch.answers[i]); code != 0) return code;
    }
    return 0;
  });
  if (!status.ok()) batch.answer_all(status.error());
}

// Whoever finds nobody writing writes for all who wait: a sync serves many.
void LmdbStore::write_with_others(Batch& mine) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  for (;;) {
    written_.wait(lock, [&] { return mine.done || !writing_; });
    if (mine.done) return;
    writing_ = true;
    const std::vector<Batch*> group = take_group();
    lock.unlock();
    write(group);
    lock.lock();
    writing_ = false;
    for (Batch* batch : group) batch->done = true;
    written_.notify_all();
  }
}

std::vector<Batch*> LmdbStore::take_group() {
  std::vector<Batch*> group;
  std::size_t bytes = 0;
  while (!waiting_.empty()) {
    bytes += waiting_.front()->bytes();
    if (!group.empty() && bytes > ports::kStoreBatchBytesMax) break;
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return group;
}

void LmdbStore::write(const std::vector<Batch*>& group) {
  const Status status = environment_->write([&](MDB_txn* transaction) { return write_in(table_in(transaction), group); });
  if (status.ok()) return;
  for (Batch* batch : group) batch->answer_all(status.error());
}

int LmdbStore::write_in(const Table& table, const std::vector<Batch*>& group) {
  std::optional<std::string_view> value;
  if (const int code = table.get(kStampKey, value); code != 0) return code;
  std::optional<Stamp> stamp = value ? decode_stamp(*value) : std::nullopt;
  if (!stamp) {
    for (Batch* batch : group) batch->answer_all(unreadable("itself"));
    return 0;
  }
  const std::uint64_t drawn_before = stamp->last_version;
  for (Batch* batch : group) {
    for (std::size_t i = 0; i < batch->calls.size(); ++i) {
      if (const int code = apply(table, batch->calls[i], stamp->last_version, batch->answers[i]); code != 0) return code;
    }
  }
  return stamp->last_version == drawn_before ? 0 : table.put(kStampKey, encode(*stamp), "");
}

Result<std::vector<std::string>> LmdbStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  TRY(ports::check_list(kind, after));
  std::vector<std::string> keys;
  TRY(environment_->read([&](MDB_txn* transaction) {
    keys.clear();
    return table_in(transaction).list(kind + '/', after, std::min(limit, ports::kStoreListMax), keys);
  }));
  return keys;
}

Result<std::unique_ptr<ports::ObjectStore>> open_all(const LmdbOptions& options) {
  if (options.bytes_max < kBytesMin) return invalid("bytes_max", "the limit is at least " + std::to_string(kBytesMin) + " bytes");
  auto store = std::make_unique<LmdbStore>(TRY(Environment::open(options)));
  TRY(store->prepare());
  return std::unique_ptr<ports::ObjectStore>(std::move(store));
}

}  // namespace

Result<std::unique_ptr<ports::ObjectStore>> open_lmdb(const LmdbOptions& options) {
  Result<std::unique_ptr<ports::ObjectStore>> opened = open_all(options);
  if (opened.ok()) return opened;
  Error error = opened.error();
  error.message = options.directory + ": " + error.message;
  return error;
}

}  // namespace reclaim::objects_lmdb
