#include "apps/backup_command.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "adapters/database_sqlite/live_copy.hpp"
#include "adapters/objects_lmdb/copy_store.hpp"
#include "adapters/system/system_time.hpp"
#include "apps/backup_files.hpp"
#include "apps/copy_progress.hpp"
#include "cli/table.hpp"
#include "ports/statements.hpp"

namespace reclaim::apps {
namespace {

constexpr Millis kPatience{30'000};  // for the writer's turn in the database

struct Given {
  std::string data;
  std::string database;
  std::string store;
  std::string to;
  std::string output;
  bool with_secrets = false;
};

// Where the files are.
struct Sources {
  std::string database;
  std::string store;
};

Result<std::string> embedded(const std::string& flag, const std::string& scheme, const std::string& address) {
  if (address.starts_with(scheme) && address.size() > scheme.size()) return address.substr(scheme.size());
  return invalid(flag, "--" + flag + ": a backup is of " + scheme +
                           "PATH only. PostgreSQL and Ceph are copied by their own means, while no server, maintenance or drive "
                           "runs (workers may): first pg_dump, then rados export; docs/operating.md has the steps");
}

// `flag`: who said so.
Status is_there(const std::string& file, const std::string& what, const std::string& flag) {
  std::error_code failure;
  if (std::filesystem::is_regular_file(file, failure)) return done();
  const std::string why = failure && failure != std::errc::no_such_file_or_directory ? " (" + failure.message() + ")" : "";
  return not_found("--" + flag + ": there is no " + what + " " + file + why + ". Name what `reclaim server` is started with");
}

Result<Sources> sources_of(const Given& given) {
  if (given.data.empty() && (given.database.empty() || given.store.empty()))
    return invalid("data", "give --data DIR, or both --database and --store");
  if (given.with_secrets && given.data.empty()) return invalid("data", "--with-secrets needs --data DIR, where they are");
  Sources sources;
  sources.database = TRY(embedded("database", "sqlite:", given.database.empty() ? "sqlite:" + given.data + "/reclaim.db" : given.database));
  sources.store = TRY(embedded("store", "lmdb:", given.store.empty() ? "lmdb:" + given.data + "/store" : given.store));
  TRY(is_there(sources.database, "database", given.database.empty() ? "data" : "database"));
  TRY(is_there(sources.store + "/data.mdb", "store", given.store.empty() ? "data" : "store"));
  return sources;
}

Result<std::string> lineage_of(database_sqlite::LiveCopy& database) {
  const ports::Values key = {std::string("lineage")};
  const ports::Rows rows = TRY(database.read(sql::meta_read, key));
  if (rows.empty()) return conflict("the database has no lineage: no server has ever served it");
  return rows[0].text(0);
}

// While nobody can commit to the database, the store's snapshot is begun; what is copied afterwards is both as they stood at that moment.
Status copy_both(const Sources& sources, BackupDraft& draft, Manifest& manifest, const Clock& clock, CopyProgress& progress) {
  std::unique_ptr<database_sqlite::LiveCopy> database;
  const auto hold = [&]() -> Status {
    database = TRY(database_sqlite::LiveCopy::begin(sources.database, kPatience));
    return done();
  };
  const auto release = [&] {
    manifest.created = to_rfc3339(clock.wall());
    return database->release();
  };
  TRY(objects_lmdb::copy_store(sources.store, draft.path() + "/" + kStoreCopy,
                               {.about_to_begin = hold, .begun = release, .written = progress.of("store")}));
  manifest.lineage = TRY(lineage_of(*database));
  return database->write(draft.path() + "/" + kDatabaseCopy, progress.of("database"));
}

Status copy_secrets(const std::string& data, BackupDraft& draft, CopyProgress& progress) {
  const system::Fd directory = TRY(system::open_directory(data));
  for (const char* name : kSecrets) TRY(copy_file(directory.get(), name, draft.descriptor(), name, progress.of(name)));
  return done();
}

Result<Manifest> back_up(const Given& given, const Clock& clock, CopyProgress& progress) {
  const Sources sources = TRY(sources_of(given));
  const std::unique_ptr<BackupDraft> draft = TRY(BackupDraft::begin(given.to));
  Manifest manifest;
  TRY(copy_both(sources, *draft, manifest, clock, progress));
  if (given.with_secrets) TRY(copy_secrets(given.data, *draft, progress));
  for (const std::string& name : TRY(system::list_directory(draft->descriptor())))
    manifest.files.push_back(TRY(seal(draft->descriptor(), name, progress.of("reading " + name))));
  TRY(draft->finish(manifest));
  return manifest;
}

void print(cli::Console& console, const Given& given, const Manifest& manifest) {
  cli::Ordered json{{"backup", given.to}, {"created", manifest.created}, {"lineage", manifest.lineage}};
  for (const BackupFile& file : manifest.files)
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  if (given.output == "json") {
    console.out << json.dump(-1, ' ', false, cli::Ordered::error_handler_t::replace) << "\n" << std::flush;
    return;
  }
  json.erase("files");
  for (const BackupFile& file : manifest.files) json[file.name] = cli::cell_of("bytes", file.bytes);
  console.out << cli::render_fields(json, console.width) << std::flush;
}

int run(const Given& given, cli::Console& console) {
  const system::SystemClock clock;
  const Result<Manifest> manifest = [&] {
    CopyProgress progress(console);
    return back_up(given, clock, progress);
  }();
  if (manifest.ok()) return print(console, given, manifest.value()), cli::kDone;
  cli::complain(console, manifest.error().message);
  return exit_code_of_copy(manifest.error());
}

}  // namespace

void add_backup_command(cli::CommandLine& line) {
  auto given = std::make_shared<Given>();
  CLI::App* command = line.add(nullptr, "backup",
                               "Copies the database and the archive's store of one moment, while everything runs. Of SQLite and LMDB; "
                               "without the admin token and the gateway's host key, unless --with-secrets. See reclaim restore.",
                               "reclaim backup --data /var/lib/reclaim --to /backup/reclaim-monday",
                               [given, &line] { return run(*given, line.console()); });
  command->add_option("--data", given->data, "The server's data directory")->type_name("DIR");
  command->add_option("--database", given->database, "sqlite:PATH [sqlite:DATA/reclaim.db]")->type_name("DATABASE");
  command->add_option("--store", given->store, "lmdb:PATH [lmdb:DATA/store]")->type_name("STORE");
  command->add_option("--to", given->to, "Directory that is made for it; there is none of that name yet")->type_name("PATH")->required();
  command->add_flag("--with-secrets", given->with_secrets, "Also the admin token and the host key of --data: who reads them is admin");
  command->add_option("--output", given->output, "How to answer [table]")->check(CLI::IsMember({"table", "json"}));
}

}  // namespace reclaim::apps
