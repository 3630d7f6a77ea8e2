// PostgreSQL, for several servers over one database. libpq, without anything in between.
//
// A bounded pool of connections; a broken one is made anew when next used. READ COMMITTED for writers; a read transaction sees one
// state of the database from its first statement on, and refuses to write (kInvalid). BEGIN travels with the first statement, and a
// statement is prepared in the same round trip that first runs it. Everything is waited for with a limit.
//  kContended    deadlock, serialisation failure, or a lock not had in time: nothing happened
//  kConflict     a constraint refused the change
//  kUnavailable  no connection, a connection lost, resources, shutdown. Lost during commit(), or during run() of the database itself,
//                it may have happened; lost during a statement of a transaction, it has not, and the message says so.
//  kInvalid      a value the engine refuses: text with a NUL byte, not UTF-8, a number out of range
// No message holds the connection string or the password.
#pragma once

#include <memory>
#include <string>

#include "adapters/sql/catalogue.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::database_postgres {

struct PostgresOptions {
  std::string conninfo;  // postgres://... or key=value words, as libpq takes them
  int connections = 8;
  Millis patience = Millis(10'000);  // for a free connection
  // For an answer the client waits this long, and five seconds more before it gives the connection up.
  Millis statement_timeout = Millis(30'000);
  Millis lock_timeout = Millis(5'000);
  Millis idle_in_transaction_timeout = Millis(60'000);
  const sql::Catalogue* catalogue = &sql::catalogue(sql::Dialect::kPostgres);
};

// Connects once and brings the schema up to date; several servers may do so at once. kInvalid: the connection string cannot be used,
// or the database is newer than this program. A crash leaves the schema at some whole migration.
Result<std::unique_ptr<ports::Database>> open_postgres(const PostgresOptions& options);

}  // namespace reclaim::database_postgres
