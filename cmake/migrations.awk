# Reads src/adapters/sql/migrations/NNN_name.sql, in the order of their numbers, and writes {version, name, text} for each.
# Comments and blank lines are dropped.
function flush() {
  if (file == "") return
  printf "{%d, \"%s\", R\"sql(%s)sql\"},\n", version, name, body > texts
}
BEGIN {
  file = ""
  print "// Written by cmake/migrations.awk from src/adapters/sql/migrations. Do not edit." > texts
  print "std::vector<MigrationText> migration_texts() {\nreturn {" > texts
}
FNR == 1 {
  flush()
  file = FILENAME; sub(/.*\//, "", file); sub(/\.sql$/, "", file)
  version = file; sub(/_.*/, "", version); version += 0
  name = file; sub(/^[0-9]*_/, "", name)
  body = ""
}
/^[ \t]*--/ || /^[ \t]*$/ { next }
{ body = body $0 "\n" }
END {
  flush()
  print "};\n}" > texts
}
