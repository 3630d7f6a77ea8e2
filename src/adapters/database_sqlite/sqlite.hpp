// The embedded database: one SQLite file next to the server, or one in memory for tests and simulation.
//
// A file is in WAL mode with synchronous=FULL: what commit() confirmed survives a power cut, readers never wait for the writer, and
// there is one writer at a time, in this process (in the order of asking) and among all that open the file. The file and its -wal
// and -shm are for their owner alone. A database in memory has one connection, so one transaction of either kind at a time; a second
// one begun meanwhile waits, and begun by the same thread is refused after `patience`.
//
// A read transaction sees one state of the database from its first statement on, and refuses to write (kInvalid).
//  kContended    the writer, a reader or the file's lock could not be had in time
//  kConflict     a constraint refused the change
//  kUnavailable  disk full, input/output errors, no permission
//  kCorrupt      not a database, damaged, or a value that is neither integer nor text
//  kTooLarge     a value or a row over SQLite's own limit
//  kInvalid      text with a NUL byte
#pragma once

#include <memory>
#include <string>

#include "adapters/sql/catalogue.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::database_sqlite {

struct SqliteOptions {
  std::string path;  // of the file, in a directory that exists; empty: in memory
  int readers = 4;
  Millis patience = Millis(10'000);      // for a free connection
  Millis file_patience = Millis(5'000);  // for the file's lock, held by another process
  const sql::Catalogue* catalogue = &sql::catalogue(sql::Dialect::kSqlite);
};

// Creates the file if need be and brings the schema up to date; several may do so at once. kInvalid: the database is newer than this
// program. A crash leaves the schema at some whole migration.
Result<std::unique_ptr<ports::Database>> open_sqlite(const SqliteOptions& options);

}  // namespace reclaim::database_sqlite
