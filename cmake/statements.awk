# Reads SQL files made of blocks that begin with `-- statement: name` or `-- fragment: name`, and writes the constants and the texts.
# Comments and blank lines are dropped. A block ends where the next begins.
function flush() {
  if (name == "") return
  sub(/[ \n;]+$/, "", body)
  if (kind == "statement") {
    printf "inline constexpr ports::Statement %s{%d, \"%s\"};\n", name, count, name > header
    printf "{\"%s\", R\"sql(%s)sql\"},\n", name, body > statements_part
    count++
  } else {
    fragments = fragments sprintf("{\"%s\", R\"sql(%s)sql\"},\n", name, body)
  }
  name = ""; body = ""
}
BEGIN {
  count = 0; name = ""; statements_part = texts
  print "// Written by cmake/statements.awk from src/adapters/sql/*.sql. Do not edit." > header
  print "#pragma once\n\n#include \"ports/database.hpp\"\n\nnamespace reclaim::sql {\n" > header
  print "// Written by cmake/statements.awk from src/adapters/sql/*.sql. Do not edit." > texts
  print "std::vector<NamedText> statement_texts() {\nreturn {" > texts
}
FNR == 1 { flush() }
/^-- (statement|fragment): / { flush(); kind = substr($2, 1, length($2) - 1); name = $3; next }
/^[ \t]*--/ || /^[ \t]*$/ { next }
name != "" { body = body $0 "\n" }
END {
  flush()
  printf "\ninline constexpr int kStatementCount = %d;\n\n}  // namespace reclaim::sql\n", count > header
  print "};\n}\nstd::vector<NamedText> fragment_texts() {\nreturn {" > texts
  printf "%s", fragments > texts
  print "};\n}" > texts
}
