// A PostgreSQL server of the test's own: a new data directory, a socket in it and no port, gone with the test however the test ends.
//
// A shell stands between: it starts the server, says so, waits until its standard input ends, which it does when the test process
// stops it or dies, and then stops the server and removes the directory. As root the server runs as the user postgres.
// The databases sort text by a language's rules, not by bytes, so that a statement that forgets COLLATE "C" is noticed.
#pragma once

#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace reclaim::test {

class PrivatePostgres {
 public:
  PrivatePostgres() {
    std::string pattern = std::filesystem::temp_directory_path() / "reclaim-pg-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory for PostgreSQL");
    directory_ = pattern;
    start();
  }
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;
  ~PrivatePostgres() { stop(); }

  // One for all tests of a process.
  static PrivatePostgres& shared() {
    static PrivatePostgres server;
    return server;
  }

  std::string conninfo(const std::string& database = "postgres") const { return "host=" + directory_ + " user=reclaim dbname=" + database; }

  // The connection string of a new, empty database.
  std::string fresh_database() {
    const std::string name = "test_" + std::to_string(++databases_);
    execute("CREATE DATABASE " + name);
    return conninfo(name);
  }

  // A command, as an administrator; the first value of its answer.
  std::string execute(const std::string& command) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(conninfo().c_str()), PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(session.get(), command.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(session.get()));
    return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
  }

 private:
  static constexpr const char* kKeeper = R"sh(
    cd "$1" || exit 1
    as=
    if [ "$(id -u)" = 0 ]; then
      chown postgres: "$1"
      as="setpriv --reuid=postgres --regid=postgres --clear-groups --"
    fi
    bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
    trap '$as "$bin/pg_ctl" -D "$1/data" -s -w -m immediate stop >/dev/null 2>&1; cd /; rm -rf "$1"' EXIT
    trap 'exit 1' INT TERM HUP
    $as "$bin/initdb" -D "$1/data" -A trust -U reclaim -N -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en \
      >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
    $as "$bin/pg_ctl" -D "$1/data" -s -w -l "$1/data/log" start >/dev/null 2>&1 </dev/null -o \
      "-k $1 -c listen_addresses='' -c fsync=off -c max_connections=200 -c deadlock_timeout=100ms" || { cat data/log >&2; exit 1; }
    echo ready
    read -r end
  )sh";

  void start() {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("cannot make pipes for PostgreSQL");
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    const char* const arguments[] = {"sh", "-c", kKeeper, "sh", directory_.c_str(), nullptr};
    const int failed = ::posix_spawn(&keeper_, "/bin/sh", &files, &attributes, const_cast<char* const*>(arguments), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    ::close(in[0]);
    ::close(out[1]);
    stop_ = in[1];
    char word[6];
    const bool ready = failed == 0 && ::read(out[0], word, sizeof word) > 0;
    ::close(out[0]);
    if (ready) return;
    stop();
    throw std::runtime_error("PostgreSQL does not start");
  }

  void stop() {
    ::close(stop_);
    if (keeper_ > 0) ::waitpid(keeper_, nullptr, 0);
  }

  std::string directory_;
  pid_t keeper_ = -1;
  int stop_ = -1;
  std::atomic<int> databases_ = 0;
};

}  // namespace reclaim::test
