// A copy of a database file that others use meanwhile, of a moment that its maker chooses.
//
// From begin() to release() nobody commits to the database, in any process; readers go on. Whatever else is to be seen at the moment of
// the copy is looked at in between: it stands beside the same state of the database throughout. write() may take its time afterwards.
//
// Errors: those of open_sqlite(), and kContended where others did not let go of the file within `patience`.
// Who may call: one thread. A crash ends the hold at once and leaves part of a copy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::database_sqlite {

class Connection;

class LiveCopy {
 public:
  // The file is there. Its schema may be any: what is copied is pages.
  static Result<std::unique_ptr<LiveCopy>> begin(const std::string& path, Millis patience);
  LiveCopy(const LiveCopy&) = delete;
  LiveCopy& operator=(const LiveCopy&) = delete;
  ~LiveCopy();

  Status release();
  // Of the state that is copied.
  Result<ports::Rows> read(ports::Statement statement, std::span<const ports::Value> values);
  // Into the file `to`, which is not there yet, for its owner alone; `written` as in Connection::copy_to. The caller syncs it.
  Status write(const std::string& to, const std::function<Status(std::uint64_t bytes)>& written);

 private:
  LiveCopy(std::unique_ptr<Connection> holder, std::unique_ptr<Connection> reader);

  std::unique_ptr<Connection> holder_;  // of the writer's turn
  std::unique_ptr<Connection> reader_;  // in a transaction that sees the state to be copied
};

}  // namespace reclaim::database_sqlite
