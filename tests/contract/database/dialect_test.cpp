// The texts: macros, fragments, parameters.
#include <gtest/gtest.h>

#include "adapters/sql/catalogue.hpp"
#include "adapters/sql/dialect.hpp"

namespace reclaim::sql {
namespace {

TEST(Dialect, AMacroIsReplacedWithItsArguments) {
  EXPECT_EQ(expand_macros("SELECT 1 FROM @each($1) x", Dialect::kSqlite), "SELECT 1 FROM json_each($1) AS each x");
  EXPECT_EQ(expand_macros("@for_update_of(w)", Dialect::kPostgres), "FOR UPDATE OF w");
  EXPECT_EQ(expand_macros("@for_update_of(w)", Dialect::kSqlite), "");
}

TEST(Dialect, ArgumentsMayHoldCommasInBracketsQuotesAndOtherMacros) {
  EXPECT_EQ(expand_macros("@greatest(f(a, b), @least('x,)', c))", Dialect::kSqlite), "max(f(a, b), min('x,)', c))");
}

TEST(Dialect, RowsOfTheFewAreLookedUpInThatOrderByBothEngines) {
  const char* text = "SELECT r.id FROM @looked_up((SELECT 1 AS id) e, rows r, r.of = e.id)";
  EXPECT_EQ(expand_macros(text, Dialect::kSqlite), "SELECT r.id FROM (SELECT 1 AS id) e CROSS JOIN rows r WHERE r.of = e.id");
  EXPECT_EQ(expand_macros(text, Dialect::kPostgres),
            "SELECT r.id FROM (SELECT 1 AS id) e CROSS JOIN LATERAL (SELECT r.id FROM rows r WHERE r.of = e.id OFFSET 0) r");
}

TEST(Dialect, QuotedTextAndCommentsAreLeftAlone) {
  const char* text = "SELECT '@nonsense it''s', \"@odd\" -- don't @mind\nFROM x";
  EXPECT_EQ(expand_macros(text, Dialect::kPostgres), text);
}

TEST(Dialect, AnUnknownMacroEndsTheProcess) {
  EXPECT_DEATH((void)expand_macros("SELECT @nonsense", Dialect::kSqlite), "unknown SQL macro @nonsense");
  EXPECT_DEATH((void)expand_macros("SELECT @greatest(1)", Dialect::kSqlite), "wrong number of arguments to @greatest");
}

TEST(Dialect, ParametersAreCountedByTheirHighestNumber) {
  EXPECT_EQ(count_parameters("SELECT 1"), 0);
  EXPECT_EQ(count_parameters("SELECT $2, $11, '$40', $2"), 11);
}

TEST(Catalogue, AFragmentMayNameFragments) {
  const Catalogue catalogue({{{"a", "SELECT @{x} FROM t"}}, {{"x", "@{y}, 2"}, {"y", "1"}}, {}}, Dialect::kSqlite);
  EXPECT_EQ(catalogue.entries().at(0).text, "SELECT 1, 2 FROM t");
}

TEST(Catalogue, FragmentsInACircleOrUnknownEndTheProcess) {
  EXPECT_DEATH(Catalogue({{{"a", "@{x}"}}, {{"x", "@{x}"}}, {}}, Dialect::kSqlite), "in a circle");
  EXPECT_DEATH(Catalogue({{{"a", "@{nonsense}"}}, {}, {}}, Dialect::kSqlite), "unknown SQL fragment @\\{nonsense\\}");
}

}  // namespace
}  // namespace reclaim::sql
