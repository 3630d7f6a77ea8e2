#include "adapters/database_postgres/connection.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace reclaim::database_postgres {

using ports::Rows;
using ports::Statement;
using ports::Value;
using ports::Values;

namespace {

constexpr Millis kNetworkAllowance(5'000);
constexpr Statement kNoStatement{0, ""};

// Values as libpq takes them: text, all of it; PostgreSQL tells their types from where they stand.
class Parameters {
 public:
  explicit Parameters(std::span<const Value> values) : numbers_(values.size()) {
    texts_.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) texts_.push_back(text_of(values[i], numbers_[i]));
  }
  int count() const { return static_cast<int>(texts_.size()); }
  const char* const* texts() const { return texts_.data(); }

 private:
  using Digits = std::array<char, 24>;

  static const char* text_of(const Value& value, Digits& digits) {
    if (const auto* text = std::get_if<std::string>(&value)) return text->c_str();
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) return nullptr;
    *std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr = '\0';
    return digits.data();
  }

  std::vector<Digits> numbers_;
  std::vector<const char*> texts_;
};

bool has_nul(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->find('\0') != text->npos;
}

enum class ColumnKind { kText, kInteger, kBoolean, kReal };

// The object identifiers of PostgreSQL's own types are fixed (pg_type.dat).
ColumnKind kind_of_column(const PGresult* answer, int column) {
  switch (PQftype(answer, column)) {
    case 16: return ColumnKind::kBoolean;
    case 20:                                 // int8
    case 21:                                 // int2
    case 23:                                 // int4
    case 1700: return ColumnKind::kInteger;  // numeric: what sum() makes of integers
    case 700:                                // float4
    case 701: return ColumnKind::kReal;      // float8
    default: return ColumnKind::kText;
  }
}

std::optional<Value> read_value(const PGresult* answer, int row, int column, ColumnKind kind) {
  if (PQgetisnull(answer, row, column) != 0) return Value();
  const std::string_view text(PQgetvalue(answer, row, column), static_cast<std::size_t>(PQgetlength(answer, row, column)));
  std::int64_t number = 0;
  switch (kind) {
    case ColumnKind::kText: return Value(std::in_place_type<std::string>, text);
    case ColumnKind::kBoolean: return Value(std::int64_t{text == "t"});
    case ColumnKind::kInteger: {
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (failed == std::errc() && end == text.data() + text.size()) return Value(number);
      return std::nullopt;
    }
    case ColumnKind::kReal: return std::nullopt;
  }
  return std::nullopt;
}

// PostgreSQL counts the rows of a SELECT as well; those are not changed.
std::int64_t changed_by(PGresult* answer) {
  if (std::string_view(PQcmdStatus(answer)).starts_with("SELECT")) return 0;
  const std::string_view tuples = PQcmdTuples(answer);
  std::int64_t changed = 0;
  std::from_chars(tuples.data(), tuples.data() + tuples.size(), changed);
  return changed;
}

Result<Rows> read_rows(PGresult* answer, std::string_view name) {
  Rows result;
  result.changed = changed_by(answer);
  const int columns = PQnfields(answer);
  std::vector<ColumnKind> kinds;
  kinds.reserve(static_cast<std::size_t>(columns));
  for (int column = 0; column < columns; ++column) kinds.push_back(kind_of_column(answer, column));
  const int rows = PQntuples(answer);
  result.rows.reserve(static_cast<std::size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    Values values;
    values.reserve(kinds.size());
    for (int column = 0; column < columns; ++column) {
      std::optional<Value> value = read_value(answer, row, column, kinds[static_cast<std::size_t>(column)]);
      if (!value) return corrupt(std::string(name) + ": column " + std::to_string(column) + " holds neither integer nor text");
      values.push_back(std::move(*value));
    }
    result.rows.emplace_back(std::move(values));
  }
  return result;
}

std::string name_of_prepared(Statement statement) { return "s" + std::to_string(statement.number); }

// A prepared statement that is not what it was, because the schema moved on or somebody cleared the session, will not get better.
bool spoils_session(const PGresult* answer) {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  return state != nullptr && (std::string_view(state) == "0A000" || std::string_view(state) == "26000");
}

}  // namespace

Status Connection::ready() {
  while (session_) {
    pollfd waiting{PQsocket(session_.get()), POLLIN, 0};
    if (::poll(&waiting, 1, 0) == 0) return done();
    // What comes without being asked for is a notice, or the end.
    if (PQconsumeInput(session_.get()) == 0 || PQstatus(session_.get()) != CONNECTION_OK) {
      session_.reset();
    } else {
      PQisBusy(session_.get());  // reads what was consumed
    }
  }
  session_ = TRY(connect(options_));
  prepared_.assign(prepared_.size(), false);
  if (PQsetnonblocking(session_.get(), 1) != 0 || PQenterPipelineMode(session_.get()) != 1) return lose("cannot be set up");
  return done();
}

Result<Rows> Connection::run(const char* before, Statement statement, std::span<const Value> values) {
  const sql::Catalogue::Entry& entry = catalogue_[statement];
  check(values.size() == entry.parameters, "a statement is given exactly the values it has parameters for");
  if (std::ranges::any_of(values, has_nul)) return invalid("", entry.name + ": text with a NUL byte cannot be stored");
  Exchange exchange{entry.name, {}};
  if (before != nullptr) send_command(exchange, before);
  if (!prepared_[statement.number]) send_prepare(exchange, statement);
  send_execute(exchange, statement, values);
  const Answer answer = TRY(finish(exchange, statement));
  return read_rows(answer.get(), entry.name);
}

Result<std::string> Connection::command(const char* text) {
  Exchange exchange{text, {}};
  send_command(exchange, text);
  const Answer answer = TRY(finish(exchange, kNoStatement));
  return std::string(PQcmdStatus(answer.get()));
}

void Connection::send_command(Exchange& exchange, const char* text) {
  exchange.sent = exchange.sent && PQsendQueryParams(session_.get(), text, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  exchange.steps.push_back(Step::kCommand);
}

void Connection::send_prepare(Exchange& exchange, Statement statement) {
  const std::string name = name_of_prepared(statement);
  exchange.sent = exchange.sent && PQsendPrepare(session_.get(), name.c_str(), catalogue_[statement].text.c_str(), 0, nullptr) == 1;
  exchange.steps.push_back(Step::kPrepare);
}

void Connection::send_execute(Exchange& exchange, Statement statement, std::span<const Value> values) {
  const Parameters parameters(values);
  const std::string name = name_of_prepared(statement);
  exchange.sent =
      exchange.sent && PQsendQueryPrepared(session_.get(), name.c_str(), parameters.count(), parameters.texts(), nullptr, nullptr, 0) == 1;
  exchange.steps.push_back(Step::kExecute);
}

// Reads the answers up to the end of the exchange, so that the connection is free for the next one, and answers the last step's.
Result<Answer> Connection::finish(Exchange& exchange, Statement statement) {
  if (!exchange.sent || PQpipelineSync(session_.get()) != 1) return lose("cannot be written to");
  TRY(flush());
  Answer last;
  std::optional<Error> error;
  bool spoilt = false;
  for (std::size_t step = 0; step <= exchange.steps.size();) {
    Answer answer = TRY(next_answer());
    if (!answer) {
      ++step;
      continue;
    }
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (exchange.steps.at(step) == Step::kPrepare) prepared_[statement.number] = true;
      last = std::move(answer);
    } else if (status == PGRES_FATAL_ERROR && !error) {
      error = error_of(answer.get(), exchange.name);
      spoilt = spoils_session(answer.get());
    }
    if (PQstatus(session_.get()) != CONNECTION_OK) return lose(error ? error->message : "");
  }
  if (spoilt) session_.reset();
  if (error) return *error;
  check(last != nullptr, "an exchange without error has an answer");
  return last;
}

Status Connection::flush() {
  for (;;) {
    const int left = PQflush(session_.get());
    if (left == 0) return done();
    if (left < 0) return lose("");
    TRY(wait(POLLIN | POLLOUT));
    // The server may be unable to read on before somebody reads what it says. A loss shows at the next flush or answer.
    PQconsumeInput(session_.get());
  }
}

Result<Answer> Connection::next_answer() {
  while (PQisBusy(session_.get()) != 0) {
    TRY(wait(POLLIN));
    if (PQconsumeInput(session_.get()) == 0) break;  // PQgetResult knows the server's last words
  }
  return Answer(PQgetResult(session_.get()));
}

Status Connection::wait(short events) {
  pollfd waiting{PQsocket(session_.get()), events, 0};
  const Millis limit = options_.statement_timeout + kNetworkAllowance;
  for (;;) {
    const int ready = ::poll(&waiting, 1, static_cast<int>(limit.count()));
    if (ready > 0) return done();
    if (ready == 0) return lose("no answer for " + std::to_string(limit.count()) + " ms");
    if (errno != EINTR) return lose("cannot be waited for");
  }
}

Error Connection::lose(std::string_view why) {
  const std::string words = why.empty() ? one_line(PQerrorMessage(session_.get())) : std::string(why);
  session_.reset();
  return unavailable("the connection to PostgreSQL was lost: " + words);
}

}  // namespace reclaim::database_postgres
