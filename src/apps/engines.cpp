#include "apps/engines.hpp"

#include <filesystem>
#include <system_error>

#include "apps/open_store.hpp"

namespace reclaim::apps {
namespace {

Status check_made(const std::string& data, const std::string& file) {
  std::error_code failure;
  const std::string path = data + "/" + file;
  if (std::filesystem::exists(path, failure) || failure) return done();
  return invalid("data", "no server has kept its archive here: there is no " + path + ". Start reclaim server --data " + data +
                             " first, or give --database and --store as the servers have them");
}

}  // namespace

void add_engine_flags(CLI::App& command, EngineFlags& flags) {
  command.add_option("--data", flags.data, "Directory of a server on this machine");
  command.add_option("--database", flags.database, "sqlite:PATH or postgres://... [sqlite:DATA/reclaim.db]");
  command.add_option("--store", flags.store, "lmdb:PATH or rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME] [lmdb:DATA/store]");
}

Result<Engines> open_engines(const EngineFlags& flags) {
  const bool has_both = !flags.database.empty() && !flags.store.empty();
  if (flags.data.empty() && !has_both) return invalid("data", "give --data DIR, or both --database and --store");
  if (flags.database.empty()) TRY(check_made(flags.data, "reclaim.db"));
  if (flags.store.empty()) TRY(check_made(flags.data, "store/data.mdb"));
  OpenedDatabase database = TRY(open_database(flags.database.empty() ? "sqlite:" + flags.data + "/reclaim.db" : flags.database));
  std::unique_ptr<ports::ObjectStore> store = TRY(open_store(flags.store.empty() ? store_of(flags.data) : flags.store));
  return Engines{std::move(database), std::make_unique<server::CountedStore>(std::move(store))};
}

}  // namespace reclaim::apps
