#include "adapters/sql/history.hpp"

namespace reclaim::sql {

Result<const Catalogue::Migration*> next_migration(const Catalogue& catalogue, const std::vector<Applied>& history) {
  const auto& known = catalogue.migrations();
  for (std::size_t i = 0; i < history.size(); ++i) {
    const std::string version = std::to_string(history[i].version);
    if (history[i].version != static_cast<std::int64_t>(i) + 1) {
      return corrupt("the database's schema_migrations lacks version " + std::to_string(i + 1) + " but has " + version +
                     ": restore a backup, or the rows that were deleted");
    }
    if (i < known.size() && history[i].name != known[i].name) {
      return corrupt("the database's schema version " + version + " is '" + history[i].name + "', but this program's is '" + known[i].name +
                     "': the database was made by a different program");
    }
  }
  if (history.size() > known.size()) {
    return invalid("database", "the database has schema version " + std::to_string(history.size()) + ", but this program knows only " +
                                   std::to_string(known.size()) +
                                   ": start the release that upgraded it or a later one, or restore a backup from before the upgrade");
  }
  return history.size() == known.size() ? nullptr : &known[history.size()];
}

}  // namespace reclaim::sql
