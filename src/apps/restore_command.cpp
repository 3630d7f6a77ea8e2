#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_lmdb/copy_store.hpp"
#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "adapters/system/remove_tree.hpp"
#include "adapters/system/system_time.hpp"
#include "agents/restored.hpp"
#include "apps/backup_command.hpp"
#include "apps/backup_files.hpp"
#include "apps/copy_progress.hpp"
#include "apps/data_directory.hpp"
#include "apps/open_database.hpp"
#include "apps/open_store.hpp"
#include "cli/table.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::apps {
namespace {

constexpr const char* kPartial = "restored.partial";
constexpr const char* kDatabase = "reclaim.db";
constexpr const char* kStore = "store";
constexpr Millis kRemoval{600'000};

struct Given {
  std::string from;
  std::string data;
  std::string database;
  std::string store;
  std::string output;
};

Status check_flags(const Given& given) {
  const bool has_addresses = !given.database.empty() || !given.store.empty();
  if (!given.from.empty() && !given.data.empty() && !has_addresses) return done();
  if (given.from.empty() && given.data.empty() && !given.database.empty() && !given.store.empty()) return done();
  return invalid("from", "give --from PATH and --data DIR; or, of what was put back by other means, both --database and --store");
}

// Nothing that is there is ever written over.
Status check_free(const DataDirectory& data, const Manifest& manifest) {
  std::vector<std::string> names = {kDatabase, std::string(kDatabase) + "-wal", kStore};
  for (const BackupFile& file : manifest.files) {
    if (file.name != kDatabaseCopy && file.name != kStoreCopy) names.push_back(file.name);
  }
  for (const std::string& name : names) {
    const system::FileInfo found = TRY(system::inspect_at(data.descriptor(), name));
    if (found.type == system::FileType::kNothing) continue;
    return conflict(data.path() + " has " + name + " already: a restore writes over nothing. Give another directory, or move it away");
  }
  return done();
}

// The copies, checked as they are read: what is there afterwards is what was backed up.
Status copy_files(int from, const Manifest& manifest, int to, CopyProgress& progress) {
  const system::Fd store = TRY(system::make_directory_at(to, kStore, 0700));
  for (const BackupFile& file : manifest.files) {
    const bool is_store = file.name == kStoreCopy;
    const std::string name = file.name == kDatabaseCopy ? kDatabase : is_store ? "data.mdb" : file.name;
    const BackupFile copied = TRY(copy_file(from, file.name, is_store ? store.get() : to, name, progress.of(file.name)));
    if (copied.sha256 != file.sha256 || copied.bytes != file.bytes)
      return corrupt(file.name + " is not what was backed up: its bytes have changed since");
  }
  return system::sync(store.get());
}

Result<fleet::Lineage> renew_database(ports::Database& database) {
  const system::SystemClock clock;
  system::SystemRandom random;
  const fleet::Policy policy;
  const fleet::Context context{database, policy, {.now = {}, .trusted_from = {}, .wall = clock.wall()}, "restore"};
  return fleet::restore_lineage(context, make_uuid(random));
}

// Versions and epochs go on at the microseconds that have passed since 1970. Nobody draws one in every microsecond; so, wherever the copy
// came from and however often it is restored, no number comes that somebody remembers (docs/decisions/064-backup.md).
std::uint64_t first_number() { return static_cast<std::uint64_t>(system::SystemClock().wall().ms) * 1000; }

Status renew_embedded_store(const std::string& directory) {
  TRY(objects_lmdb::skip_versions(directory, first_number()));
  const std::unique_ptr<ports::ObjectStore> store = TRY(objects_lmdb::open_lmdb({.directory = directory}));
  return agents::begin_anew(*store, first_number());
}

// What was put back by its engines' own means. After a crash it is done once more.
Result<fleet::Lineage> renew_in_place(const Given& given) {
  if (given.store.starts_with("lmdb:")) return invalid("store", "--store: an LMDB store is restored from a backup, with --from and --data");
  const OpenedDatabase opened = TRY(open_existing_database(given.database));
  const std::unique_ptr<ports::ObjectStore> store = TRY(open_existing_store(given.store));
  TRY(agents::begin_anew(*store, first_number()));  // RADOS counts versions by itself
  return renew_database(*opened.database);
}

// All of it beside its place; put there by one rename, which whoever opens the directory next completes.
Result<fleet::Lineage> make_ready(int from, const Manifest& manifest, const DataDirectory& data, CopyProgress& progress) {
  const system::Fd partial = TRY(system::make_directory_at(data.descriptor(), kPartial, 0700));
  TRY(copy_files(from, manifest, partial.get(), progress));
  const std::string path = data.path() + "/" + kPartial;
  TRY(renew_embedded_store(path + "/" + kStore));
  std::unique_ptr<ports::Database> database = TRY(database_sqlite::open_sqlite({.path = path + "/" + kDatabase, .readers = 1}));
  fleet::Lineage lineage = TRY(renew_database(*database));
  database.reset();  // one file again
  TRY(system::sync(partial.get()));
  TRY(system::rename_new_at(data.descriptor(), kPartial, data.descriptor(), kRestored));
  TRY(system::sync(data.descriptor()));
  return lineage;
}

Status remove_partial(const DataDirectory& data) {
  const system::SystemClock clock;
  return system::remove_tree_at(data.descriptor(), kPartial, clock, clock.now() + kRemoval);
}

Result<system::Fd> open_backup(const std::string& path) {
  Result<system::Fd> opened = system::open_directory(path);
  if (opened.ok()) return opened;
  return Error{opened.error().kind, "--from: " + opened.error().message + ". Name a directory that reclaim backup has made"};
}

Result<fleet::Lineage> restore(const Given& given, CopyProgress& progress) {
  TRY(check_flags(given));
  if (given.from.empty()) return renew_in_place(given);
  const system::Fd from = TRY(open_backup(given.from));
  const Manifest manifest = TRY(read_manifest(from.get()));
  const DataDirectory data = TRY(DataDirectory::open(given.data));
  TRY(check_free(data, manifest));
  TRY(remove_partial(data));
  Result<fleet::Lineage> lineage = make_ready(from.get(), manifest, data, progress);
  if (!lineage.ok()) {
    (void)remove_partial(data).ok();  // what stays is removed by the next restore
    return lineage;
  }
  TRY(data.take_in_restored());
  return lineage;
}

void print(cli::Console& console, const Given& given, const fleet::Lineage& lineage) {
  cli::Ordered json;
  if (!given.from.empty()) json = {{"data", given.data}, {"backup", given.from}};
  json["lineage"] = lineage.id;
  json["replaces"] = lineage.replaces;
  if (given.output == "json") {
    console.out << json.dump(-1, ' ', false, cli::Ordered::error_handler_t::replace) << "\n" << std::flush;
  } else {
    console.out << cli::render_fields(json, console.width) << std::flush;
  }
}

int run(const Given& given, cli::Console& console) {
  const Result<fleet::Lineage> lineage = [&] {
    CopyProgress progress(console);
    return restore(given, progress);
  }();
  if (lineage.ok()) return print(console, given, lineage.value()), cli::kDone;
  const bool is_backup_s = lineage.error().kind == Error::Kind::kCorrupt;
  cli::complain(console, (is_backup_s ? given.from + ": " : "") + lineage.error().message);
  return exit_code_of_copy(lineage.error());
}

}  // namespace

void add_restore_command(cli::CommandLine& line) {
  auto given = std::make_shared<Given>();
  CLI::App* command = line.add(nullptr, "restore",
                               "Makes a data directory of a backup: all that is in it is checked first, and nothing is written over. The "
                               "fleet begins a new lineage, which adopts what the backup has not heard of; the archive's processes of "
                               "then are dead to it, and what they had in hand goes back into the queues.",
                               "reclaim restore --from /backup/reclaim-monday --data /var/lib/reclaim",
                               [given, &line] { return run(*given, line.console()); });
  command->add_option("--from", given->from, "What reclaim backup has made")->type_name("PATH");
  command->add_option("--data", given->data, "The data directory; made when it is not there")->type_name("DIR");
  command->add_option("--database", given->database, "postgres://..., put back by its own means: it is renewed in place")
      ->type_name("DATABASE");
  command->add_option("--store", given->store, "... and rados://POOL, put back by its own means")->type_name("STORE");
  command->add_option("--output", given->output, "How to answer [table]")->check(CLI::IsMember({"table", "json"}));
}

}  // namespace reclaim::apps
