#include "adapters/sql/catalogue.hpp"

#include <algorithm>

namespace reclaim::sql {
namespace {

#include "adapters/sql/migration_texts.inc"
#include "adapters/sql/statement_texts.inc"

constexpr int kFragmentDepthMax = 16;

std::string expand_fragments(std::string_view text, const std::vector<NamedText>& fragments, int depth) {
  check(depth <= kFragmentDepthMax, "SQL fragments name each other in a circle");
  std::string expanded;
  for (;;) {
    const std::size_t begin = text.find("@{");
    if (begin == text.npos) return expanded.append(text);
    const std::size_t end = text.find('}', begin);
    check(end != text.npos, "the name of a SQL fragment is not closed");
    const std::string_view name = text.substr(begin + 2, end - begin - 2);
    const auto fragment = std::ranges::find(fragments, name, &NamedText::name);
    check(fragment != fragments.end(), ("unknown SQL fragment @{" + std::string(name) + "}").c_str());
    expanded.append(text.substr(0, begin)).append(expand_fragments(fragment->text, fragments, depth + 1));
    text.remove_prefix(end + 1);
  }
}

Texts built_in_texts() { return {statement_texts(), fragment_texts(), migration_texts()}; }

}  // namespace

Catalogue::Catalogue(const Texts& texts, Dialect dialect) {
  const auto expand = [&](std::string_view text) { return expand_macros(expand_fragments(text, texts.fragments, 0), dialect); };
  entries_.reserve(texts.statements.size());
  for (const NamedText& statement : texts.statements) {
    std::string text = expand(statement.text);
    const int parameters = count_parameters(text);
    entries_.push_back({std::string(statement.name), std::move(text), static_cast<std::size_t>(parameters)});
  }
  for (const MigrationText& migration : texts.migrations) {
    check(migration.version == static_cast<int>(migrations_.size()) + 1, "migrations are numbered 1, 2, 3 without a gap");
    const std::string name(migration.name);
    const std::string record =
        "INSERT INTO schema_migrations (version, name) VALUES (" + std::to_string(migration.version) + ", '" + name + "')";
    std::string text = std::string(history_table(dialect)) + ";\n" + expand(migration.text) + "\n" + record;
    migrations_.push_back({migration.version, name, std::move(text)});
  }
}

const Catalogue& catalogue(Dialect dialect) {
  static const Catalogue sqlite(built_in_texts(), Dialect::kSqlite);
  static const Catalogue postgres(built_in_texts(), Dialect::kPostgres);
  return dialect == Dialect::kSqlite ? sqlite : postgres;
}

}  // namespace reclaim::sql
