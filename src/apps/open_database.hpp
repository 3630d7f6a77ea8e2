// `sqlite:PATH` or `postgres://...`, as --database names it.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/database.hpp"

namespace reclaim::apps {

struct OpenedDatabase {
  std::unique_ptr<ports::Database> database;
  bool is_embedded = false;  // one server at a time, by the lock of its data directory
};

// Whether an address names an engine.
bool is_database_address(const std::string& address);

// kInvalid, field `database`, for an address that names no engine.
Result<OpenedDatabase> open_database(const std::string& address);
// The same, for who only looks: kNotFound where an SQLite file is not there, and none is made.
Result<OpenedDatabase> open_existing_database(const std::string& address);

// Where the database of a data directory is, unless --database says otherwise.
std::string database_of(const std::string& data);

}  // namespace reclaim::apps
