// Everything in which SQLite and PostgreSQL differ, as macros of SQL text. A statement is written once; where the engines part, it
// names a macro, `@name` or `@name(arguments)`, and the table in dialect.cpp says what each engine reads. Text in quotes is left alone.
//
// Both engines hold integers of 64 bits and text in byte order, nothing else: no reals, no booleans, no blobs, no time types.
#pragma once

#include <string>
#include <string_view>

namespace reclaim::sql {

enum class Dialect { kSqlite, kPostgres };

// A macro that does not exist, or has another number of arguments, is a programmer's error and ends the process.
std::string expand_macros(std::string_view text, Dialect dialect);

// The highest n of the parameters $1..$n.
int count_parameters(std::string_view text);

// The command that makes the table of the migrations applied, if it is not there.
std::string_view history_table(Dialect dialect);

}  // namespace reclaim::sql
