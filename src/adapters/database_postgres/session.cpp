#include "adapters/database_postgres/session.hpp"

namespace reclaim::database_postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

bool is_readable(const PQconninfoOption& option) {
  if (option.val == nullptr) return true;
  const std::string_view keyword = option.keyword;
  const std::string_view value = option.val;
  if (keyword == "host") return value.find('@') == value.npos;
  if (keyword == "port") return value.find_first_not_of("0123456789,") == value.npos;
  return true;
}

Error::Kind kind_of(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (state == "40001" || state == "40P01" || state == "55P03") return Error::Kind::kContended;
  if (state == "25006") return Error::Kind::kInvalid;  // writing in a read transaction
  if (group == "23") return Error::Kind::kConflict;
  if (group == "22") return Error::Kind::kInvalid;
  if (state == "XX001" || state == "XX002") return Error::Kind::kCorrupt;
  return Error::Kind::kUnavailable;
}

std::string settings(const PostgresOptions& options) {
  const auto set = [](const char* name, Millis value) { return std::string("SET ") + name + " = " + std::to_string(value.count()) + ";"; };
  return set("statement_timeout", options.statement_timeout) + set("lock_timeout", options.lock_timeout) +
         set("idle_in_transaction_session_timeout", options.idle_in_transaction_timeout) +
         "SET default_transaction_isolation = 'read committed';"
         // Statements that read arrays as tables look expensive to the planner and are not: compiling them costs more than running.
         "SET jit = off;"
         // Every statement is written for an index. A plan is kept, and one that was made while a table was small and read it whole would
         // still do so when it has grown: a list of 100,000 ids against 100,000 rows, each with each.
         "SET enable_seqscan = off;"
         // commit() promises to survive a power cut, also where the server's default does not.
         "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
}

}  // namespace

Status check_conninfo(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(conninfo.c_str(), nullptr));
  bool readable = options != nullptr;
  for (const PQconninfoOption* option = options.get(); readable && option->keyword != nullptr; ++option) readable = is_readable(*option);
  if (readable) return done();
  return invalid("database",
                 "the PostgreSQL connection string cannot be read; in a URL, characters such as @ : / in a password are percent-encoded");
}

Result<Session> connect(const PostgresOptions& options) {
  // What comes before `dbname`, which libpq expands, are defaults; what comes after cannot be changed by the connection string.
  const char* const keywords[] = {"connect_timeout",           "keepalives_idle",  "keepalives_interval",
                                  "keepalives_count",          "tcp_user_timeout", "dbname",
                                  "fallback_application_name", "client_encoding",  nullptr};
  const char* const values[] = {"5", "10", "5", "3", "30000", options.conninfo.c_str(), "reclaim", "UTF8", nullptr};
  Session session(PQconnectdbParams(keywords, values, /*expand_dbname=*/1));
  if (!session) return unavailable("out of memory for a database connection");
  if (PQstatus(session.get()) != CONNECTION_OK) return unavailable("PostgreSQL: " + one_line(PQerrorMessage(session.get())));
  PQsetNoticeProcessor(
      session.get(), [](void*, const char*) {}, nullptr);
  TRY(execute(session.get(), settings(options)));
  return session;
}

Result<Answer> execute(PGconn* session, const std::string& commands, std::string_view doing) {
  Answer answer(PQexec(session, commands.c_str()));
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  return error_of(answer.get(), doing);
}

Error error_of(const PGresult* answer, std::string_view doing) {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  std::string message = std::string(doing) + ": " + (primary != nullptr ? primary : one_line(PQresultErrorMessage(answer)));
  if (state != nullptr) message.append(" (").append(state).append(")");
  return {kind_of(state != nullptr ? state : ""), std::move(message)};
}

std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    if (c != '\n') {
      line += c;
    } else if (!line.empty()) {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace reclaim::database_postgres
