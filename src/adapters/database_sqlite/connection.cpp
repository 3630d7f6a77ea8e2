#include "adapters/database_sqlite/connection.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace reclaim::database_sqlite {

using ports::Rows;
using ports::Statement;
using ports::Value;
using ports::Values;

namespace {

Error::Kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Error::Kind::kContended;
    case SQLITE_CONSTRAINT: return Error::Kind::kConflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Error::Kind::kCorrupt;
    case SQLITE_TOOBIG: return Error::Kind::kTooLarge;
    default: return Error::Kind::kUnavailable;
  }
}

std::optional<Value> read_column(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL: return Value();
    case SQLITE_INTEGER: return Value(static_cast<std::int64_t>(sqlite3_column_int64(statement, column)));
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return Value(std::in_place_type<std::string>, text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
    default: return std::nullopt;
  }
}

// The statement is ready for its next run, whatever way this one ends, and holds no lock meanwhile.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

// Not by open(): closing any descriptor of a file drops the locks that this process holds on it through another.
Status create_file(const std::string& path) {
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) == 0 || errno == EEXIST) return done();
  return unavailable(std::string("cannot be created: ") + std::strerror(errno));
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Millis file_patience, const sql::Catalogue& catalogue) {
  sqlite3* handle = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, kFlags, nullptr);
  if (handle == nullptr) return unavailable("out of memory for the database");
  std::unique_ptr<Connection> connection(new Connection(handle, catalogue));
  if (opened != SQLITE_OK) return connection->error("open");
  sqlite3_busy_timeout(handle, static_cast<int>(file_patience.count()));
  // What PostgreSQL would refuse is refused here too: a misspelt column in double quotes is not a text.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const char* setting : {"foreign_keys = ON", "trusted_schema = OFF", "synchronous = FULL", "temp_store = MEMORY",
                              "cache_size = -16384", "journal_size_limit = 67108864"}) {
    TRY(connection->execute(std::string("PRAGMA ") + setting));
  }
  return connection;
}

Error Connection::error(std::string_view doing) const {
  const Error::Kind kind = kind_of(sqlite3_extended_errcode(handle_.get()));
  return {kind, std::string(doing).append(": ").append(sqlite3_errmsg(handle_.get()))};
}

Status Connection::execute(const std::string& commands, std::string_view doing) {
  if (sqlite3_exec(handle_.get(), commands.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error(doing);
  return done();
}

Result<Connection::Prepared> Connection::prepare(const std::string& text, std::string_view name) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int size = static_cast<int>(text.size()) + 1;
  if (sqlite3_prepare_v3(handle_.get(), text.c_str(), size, SQLITE_PREPARE_PERSISTENT, &statement, &tail) != SQLITE_OK) return error(name);
  Prepared prepared{std::unique_ptr<sqlite3_stmt, Finalize>(statement), {}};
  check(statement != nullptr && tail == text.c_str() + text.size(), "a statement is exactly one SQL command");
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
    const std::string_view parameter = sqlite3_bind_parameter_name(statement, i);
    std::size_t number = 0;
    std::from_chars(parameter.data() + 1, parameter.data() + parameter.size(), number);
    check(number >= 1, "parameters are written $1, $2 ...");
    prepared.values.push_back(number - 1);
  }
  return prepared;
}

Result<Connection::Prepared*> Connection::prepared(Statement statement) {
  const sql::Catalogue::Entry& entry = catalogue_[statement];
  Prepared& prepared = prepared_[statement.number];
  if (!prepared.statement) prepared = TRY(prepare(entry.text, entry.name));
  return &prepared;
}

Status Connection::bind(Prepared& prepared, std::span<const Value> values, std::string_view name) {
  for (std::size_t i = 0; i < prepared.values.size(); ++i) {
    const Value& value = values[prepared.values[i]];
    const int index = static_cast<int>(i) + 1;
    int bound = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      bound = sqlite3_bind_int64(prepared.statement.get(), index, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      if (text->find('\0') != text->npos) return invalid("", std::string(name) + ": text with a NUL byte cannot be stored");
      bound = sqlite3_bind_text64(prepared.statement.get(), index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (bound != SQLITE_OK) return error(name);
  }
  return done();
}

Result<Rows> Connection::step_all(sqlite3_stmt* statement, std::string_view name) {
  Rows result;
  const int columns = sqlite3_column_count(statement);
  for (;;) {
    const int stepped = sqlite3_step(statement);
    if (stepped == SQLITE_DONE) break;
    if (stepped != SQLITE_ROW) return error(name);
    Values values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      std::optional<Value> value = read_column(statement, column);
      if (!value) return corrupt(std::string(name) + ": column " + std::to_string(column) + " holds neither integer nor text");
      values.push_back(std::move(*value));
    }
    result.rows.emplace_back(std::move(values));
  }
  if (sqlite3_stmt_readonly(statement) == 0) result.changed = sqlite3_changes64(handle_.get());
  return result;
}

Result<Rows> Connection::run(Statement statement, std::span<const Value> values) {
  const sql::Catalogue::Entry& entry = catalogue_[statement];
  check(values.size() == entry.parameters, "a statement is given exactly the values it has parameters for");
  Prepared* ready = TRY(prepared(statement));
  const ResetAtEnd reset(ready->statement.get());
  TRY(bind(*ready, values, entry.name));
  return step_all(ready->statement.get(), entry.name);
}

Result<bool> Connection::only_reads(Statement statement) {
  Prepared* ready = TRY(prepared(statement));
  return sqlite3_stmt_readonly(ready->statement.get()) != 0;
}

Result<Rows> Connection::query(const char* text) {
  Prepared once = TRY(prepare(text, text));
  return step_all(once.statement.get(), text);
}

Status Connection::copy_to(const std::string& to, const std::function<Status(std::uint64_t bytes)>& written) {
  constexpr int kPagesAtOnce = 4096;
  const Rows page = TRY(query("PRAGMA page_size"));
  const auto page_bytes = static_cast<std::uint64_t>(page[0].integer(0));
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(to.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  const std::unique_ptr<sqlite3, Close> target(opened);
  const auto failed = [&](int why) { return Error{kind_of(why), "copy to " + to + ": " + sqlite3_errstr(why)}; };
  if (code != SQLITE_OK) return failed(code);
  // Nobody reads it before it is whole.
  const int set = sqlite3_exec(target.get(), "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
  if (set != SQLITE_OK) return failed(set);
  const std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup*)> copy(sqlite3_backup_init(target.get(), "main", handle_.get(), "main"),
                                                                       sqlite3_backup_finish);
  if (!copy) return failed(sqlite3_errcode(target.get()));
  for (;;) {
    const int stepped = sqlite3_backup_step(copy.get(), kPagesAtOnce);
    if (stepped == SQLITE_DONE) return done();
    if (stepped != SQLITE_OK) return failed(stepped);
    const int pages = sqlite3_backup_pagecount(copy.get()) - sqlite3_backup_remaining(copy.get());
    if (written) TRY(written(static_cast<std::uint64_t>(pages) * page_bytes));
  }
}

}  // namespace reclaim::database_sqlite
