// One pooled connection, in libpq's pipeline mode, with the statements prepared on it so far. One thread at a time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/database_postgres/session.hpp"
#include "ports/database.hpp"

namespace reclaim::database_postgres {

class Connection {
 public:
  explicit Connection(const PostgresOptions& options)
      : options_(options), catalogue_(*options.catalogue), prepared_(catalogue_.entries().size()) {}

  // Makes the connection if there is none, or none any more as far as can be told without asking the server.
  Status ready();
  bool lost() const { return session_ == nullptr; }

  // One round trip: `before` (a command, or null) and the statement, which is not run when `before` fails.
  Result<ports::Rows> run(const char* before, ports::Statement statement, std::span<const ports::Value> values);
  // One command; the answer is its tag, "COMMIT" for COMMIT.
  Result<std::string> command(const char* text);

 private:
  enum class Step { kCommand, kPrepare, kExecute };
  struct Exchange {
    std::string_view name;    // for messages
    std::vector<Step> steps;  // what was sent, in order
    bool sent = true;         // no step was refused by libpq
  };

  void send_command(Exchange& exchange, const char* text);
  void send_prepare(Exchange& exchange, ports::Statement statement);
  void send_execute(Exchange& exchange, ports::Statement statement, std::span<const ports::Value> values);
  Result<Answer> finish(Exchange& exchange, ports::Statement statement);
  Status flush();
  Result<Answer> next_answer();
  Status wait(short events);
  Error lose(std::string_view why);

  const PostgresOptions& options_;
  const sql::Catalogue& catalogue_;
  Session session_;
  std::vector<bool> prepared_;  // by statement number
};

}  // namespace reclaim::database_postgres
