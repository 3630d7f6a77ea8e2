# src/adapters/sql/*.sql -> ports/statements.hpp (a constant per statement) and statement_texts.inc (their texts, for the engines).
set(STATEMENTS_DIR ${CMAKE_BINARY_DIR}/generated)
file(GLOB STATEMENT_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/adapters/sql/*.sql)
file(MAKE_DIRECTORY ${STATEMENTS_DIR}/ports ${STATEMENTS_DIR}/adapters/sql)
add_custom_command(
  OUTPUT ${STATEMENTS_DIR}/ports/statements.hpp ${STATEMENTS_DIR}/adapters/sql/statement_texts.inc
  COMMAND awk -v header=${STATEMENTS_DIR}/ports/statements.hpp -v texts=${STATEMENTS_DIR}/adapters/sql/statement_texts.inc
          -f ${CMAKE_SOURCE_DIR}/cmake/statements.awk ${STATEMENT_FILES}
  DEPENDS ${STATEMENT_FILES} ${CMAKE_SOURCE_DIR}/cmake/statements.awk
  COMMENT "Numbering SQL statements")

# src/adapters/sql/migrations/NNN_name.sql -> migration_texts.inc (the schema, step by step, for the engines).
file(GLOB MIGRATION_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/adapters/sql/migrations/*.sql)
add_custom_command(
  OUTPUT ${STATEMENTS_DIR}/adapters/sql/migration_texts.inc
  COMMAND awk -v texts=${STATEMENTS_DIR}/adapters/sql/migration_texts.inc -f ${CMAKE_SOURCE_DIR}/cmake/migrations.awk ${MIGRATION_FILES}
  DEPENDS ${MIGRATION_FILES} ${CMAKE_SOURCE_DIR}/cmake/migrations.awk
  COMMENT "Embedding the schema")
add_custom_target(statements DEPENDS ${STATEMENTS_DIR}/ports/statements.hpp ${STATEMENTS_DIR}/adapters/sql/statement_texts.inc
                                     ${STATEMENTS_DIR}/adapters/sql/migration_texts.inc)
