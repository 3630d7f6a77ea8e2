#include "apps/backup_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <limits>

#include "base/sha256.hpp"
#include "wire/json.hpp"

namespace reclaim::apps {
namespace {

constexpr const char* kManifest = "manifest.json";
constexpr std::int64_t kFormat = 1;
constexpr std::size_t kManifestBytesMax = 64 << 10U;
constexpr std::size_t kFilesMax = 2 + std::size(kSecrets);
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

bool is_backup_file(std::string_view name) {
  return name == kDatabaseCopy || name == kStoreCopy || std::ranges::find(kSecrets, name) != std::end(kSecrets);
}

bool is_sha256(std::string_view text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

Result<BackupFile> decode_file(const wire::Json& json) {
  wire::ObjectReader reader(json, "files");
  BackupFile file;
  file.name = reader.required_text("name");
  file.bytes = static_cast<std::uint64_t>(reader.required_integer("bytes", 0, std::numeric_limits<std::int64_t>::max()));
  file.sha256 = reader.required_text("sha256");
  TRY(reader.finish());
  if (!is_backup_file(file.name)) return corrupt("names a file that is none of a backup");
  if (!is_sha256(file.sha256)) return corrupt("the sha256 of " + file.name + " is none");
  return file;
}

Result<Manifest> decode(std::string_view text) {
  const wire::Json json = TRY(wire::parse_json(text));
  wire::ObjectReader reader(json, "");
  const std::int64_t format = reader.required_integer("format", 1, std::numeric_limits<std::int32_t>::max());
  TRY(reader.so_far());
  if (format > kFormat) return conflict("was made by a newer program: its format is " + std::to_string(format));
  Manifest manifest{.created = reader.required_text("created"), .lineage = reader.required_text("lineage"), .files = {}};
  const wire::Json* files = reader.array("files", kFilesMax);
  TRY(reader.finish());
  for (const wire::Json& each : files == nullptr ? wire::Json::array() : *files) {
    BackupFile file = TRY(decode_file(each));
    if (std::ranges::find(manifest.files, file.name, &BackupFile::name) != manifest.files.end())
      return corrupt("names " + file.name + " twice");
    manifest.files.push_back(std::move(file));
  }
  for (const char* name : {kDatabaseCopy, kStoreCopy}) {
    if (std::ranges::find(manifest.files, name, &BackupFile::name) == manifest.files.end()) return corrupt(std::string("lacks ") + name);
  }
  return manifest;
}

Result<std::uint64_t> size_of(int file, const std::string& name) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return system::storage_error(errno, "cannot read " + name);
  return static_cast<std::uint64_t>(found.st_size);
}

// Piece by piece, to whoever takes them.
Result<BackupFile> read_through(int file, const std::string& name, const std::function<Status(std::string_view piece)>& take,
                                const Written& read) {
  BackupFile found{.name = name, .bytes = 0, .sha256 = {}};
  Sha256 hash;
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    const ssize_t got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system::storage_error(errno, "cannot read " + name);
    if (got == 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    hash.add(bytes);
    TRY(take(bytes));
    found.bytes += bytes.size();
    TRY(read(found.bytes));
  }
  found.sha256 = hash.hex();
  return found;
}

// Of a draft that was given up, also by a process that was killed.
bool is_leftover(std::string_view name) {
  return is_backup_file(name) || name == kManifest || name == "." + std::string(kManifest) + ".new";
}

}  // namespace

std::string encode(const Manifest& manifest) {
  wire::Json json{{"format", kFormat}, {"created", manifest.created}, {"lineage", manifest.lineage}, {"files", wire::Json::array()}};
  for (const BackupFile& file : manifest.files)
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return wire::to_text(json) + "\n";
}

Result<Manifest> decode_manifest(std::string_view text) {
  Result<Manifest> manifest = decode(text);
  if (manifest.ok()) return manifest;
  const Error& error = manifest.error();
  const Error::Kind kind = error.kind == Error::Kind::kConflict ? Error::Kind::kInvalid : Error::Kind::kCorrupt;
  return Error{kind, std::string(kManifest) + ": " + (error.field.empty() ? "" : error.field + " ") + error.message};
}

Result<Manifest> read_manifest(int backup) {
  const Result<std::string> text = system::read_file_at(backup, kManifest, kManifestBytesMax);
  if (!text.ok() && text.error().kind == Error::Kind::kNotFound) return corrupt("is no backup: it has no " + std::string(kManifest));
  if (!text.ok()) return text.error();
  Manifest manifest = TRY(decode_manifest(text.value()));
  for (const BackupFile& file : manifest.files) {
    const Result<system::Fd> opened = system::open_file_at(backup, file.name, system::storage_error);
    if (!opened.ok() && opened.error().kind == Error::Kind::kNotFound) return corrupt(file.name + " is missing");
    if (!opened.ok()) return opened.error();
    const std::uint64_t bytes = TRY(size_of(opened.value().get(), file.name));
    if (bytes == file.bytes) continue;
    return corrupt(file.name + " has " + std::to_string(bytes) + " bytes, and had " + std::to_string(file.bytes) + " when it was written");
  }
  return manifest;
}

Result<BackupFile> seal(int directory, const std::string& name, const Written& read) {
  const system::Fd file = TRY(system::open_file_at(directory, name, system::storage_error));
  TRY(system::sync(file.get()));
  return read_through(
      file.get(), name, [](std::string_view) { return done(); }, read);
}

Result<BackupFile> copy_file(int from, const std::string& name, int to, const std::string& new_name, const Written& written) {
  const system::Fd source = TRY(system::open_file_at(from, name, system::storage_error));
  const system::Fd target(::openat(to, new_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target.is_open()) return system::storage_error(errno, "cannot make " + new_name);
  const auto write = [&](std::string_view piece) { return system::write_all(target.get(), piece); };
  BackupFile copied = TRY(read_through(source.get(), name, write, written));
  TRY(system::sync(target.get()));
  return copied;
}

Result<std::unique_ptr<BackupDraft>> BackupDraft::begin(const std::string& to) {
  std::string whole = to;
  while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  const std::filesystem::path path(whole);
  const std::string name = path.filename().string();
  if (name.empty() || name == "." || name == "..") return invalid("to", "--to: names no directory that could be made: " + to);
  const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
  system::Fd directory = TRY(system::open_directory(parent));
  const system::FileInfo there = TRY(system::inspect_at(directory.get(), name));
  if (there.type != system::FileType::kNothing) return conflict(whole + " is there already: a backup is never written over anything");
  std::unique_ptr<BackupDraft> draft(new BackupDraft(std::move(directory), name, whole + ".partial"));
  TRY(draft->take());
  return draft;
}

// Whoever holds the lock on the directory that has the name owns it: one that finished meanwhile has given it another name.
Status BackupDraft::take() {
  system::Fd directory = TRY(system::make_directory_at(parent_.get(), partial(), 0700));
  struct stat mine {};
  const bool is_locked = ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(directory.get(), &mine) == 0;
  const system::FileInfo named = TRY(system::inspect_at(parent_.get(), partial()));
  if (!is_locked || named.inode != mine.st_ino) return conflict("another backup is being made as " + path_);
  const std::vector<std::string> names = TRY(system::list_directory(directory.get()));
  if (!std::ranges::all_of(names, is_leftover)) return conflict(path_ + " holds what is no part of a backup: remove it");
  directory_ = std::move(directory);
  for (const std::string& name : names) {
    if (::unlinkat(directory_.get(), name.c_str(), 0) != 0) return system::storage_error(errno, "cannot remove " + path_ + "/" + name);
  }
  return done();
}

Status BackupDraft::clear() {
  for (const std::string& name : TRY(system::list_directory(directory_.get()))) {
    if (is_leftover(name) && ::unlinkat(directory_.get(), name.c_str(), 0) != 0)
      return system::storage_error(errno, "cannot remove " + name);
  }
  if (::unlinkat(parent_.get(), partial().c_str(), AT_REMOVEDIR) != 0) return system::storage_error(errno, "cannot remove " + path_);
  return done();
}

BackupDraft::~BackupDraft() {
  if (directory_.is_open()) (void)clear().ok();  // what cannot be removed is named PARTIAL, and the next backup to there removes it
}

Status BackupDraft::finish(const Manifest& manifest) {
  TRY(system::write_file_at(directory_.get(), kManifest, encode(manifest), 0600));
  TRY(system::sync(directory_.get()));
  TRY(system::rename_new_at(parent_.get(), partial(), parent_.get(), name_));
  directory_ = system::Fd();
  return system::sync(parent_.get());
}

}  // namespace reclaim::apps
