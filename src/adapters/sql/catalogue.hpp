// The statements and the schema as one engine reads them: every text of src/adapters/sql with its fragments and macros replaced,
// once, when first asked for.
//
// Fragments are named pieces of SQL shared by statements: `@{name}` is replaced by the fragment's text, which may name others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/dialect.hpp"
#include "ports/database.hpp"

namespace reclaim::sql {

struct NamedText {
  std::string_view name;
  std::string_view text;
};

struct MigrationText {
  int version;  // 1, 2, 3 ...
  std::string_view name;
  std::string_view text;  // SQL commands, each ended by `;`
};

// What a catalogue is made of. The number of a statement is its place.
struct Texts {
  std::vector<NamedText> statements;
  std::vector<NamedText> fragments;
  std::vector<MigrationText> migrations;
};

class Catalogue {
 public:
  struct Entry {
    std::string name;
    std::string text;
    std::size_t parameters;  // $1..$n
  };
  struct Migration {
    int version;
    std::string name;
    std::string text;  // its commands, and those that record it in schema_migrations
  };

  Catalogue(const Texts& texts, Dialect dialect);

  const Entry& operator[](ports::Statement statement) const { return entries_.at(statement.number); }
  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<Migration>& migrations() const { return migrations_; }

 private:
  std::vector<Entry> entries_;
  std::vector<Migration> migrations_;
};

// The product's own. Lives as long as the process.
const Catalogue& catalogue(Dialect dialect);

}  // namespace reclaim::sql
