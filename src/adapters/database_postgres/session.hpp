// A libpq connection, set up: limits, encoding, durability. What Connection (statements) and the migrations stand on.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

#include "adapters/database_postgres/postgres.hpp"
#include "base/result.hpp"

namespace reclaim::database_postgres {

struct Finish {
  void operator()(PGconn* session) const { PQfinish(session); }
};
using Session = std::unique_ptr<PGconn, Finish>;

struct Clear {
  void operator()(PGresult* answer) const { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

// kInvalid when libpq cannot read it, or reads parts of a password as something else; those would turn up in messages.
Status check_conninfo(const std::string& conninfo);

Result<Session> connect(const PostgresOptions& options);

// SQL commands, all of them one round trip; the answer is the last one's, `doing` is for the message. No limit of the client's own.
Result<Answer> execute(PGconn* session, const std::string& commands, std::string_view doing = "PostgreSQL");

// What the failed `answer` means, and the engine's words for it.
Error error_of(const PGresult* answer, std::string_view doing);

// libpq's words on one line.
std::string one_line(std::string_view message);

}  // namespace reclaim::database_postgres
