// A backup as it lies on a disk: a directory with a copy of the database, one of the store, and a manifest that says what they are.
//
//   database.sqlite       what DIR/reclaim.db held
//   store.mdb             what DIR/store/data.mdb held, at the same moment
//   admin.token, ssh_host_ed25519_key   only where they were asked for
//   manifest.json         {"format":1,"created","lineage","files":[{"name","bytes","sha256"}]}
//
// A backup is whole or not there: it grows as PATH.partial and is renamed when everything is synced. What a killed process left under that
// name is removed by the next backup to the same path. Directories are 0700, files 0600.
//
// Errors: kConflict: something is in the way; kCorrupt: a backup is not what was written, with the file and what is wrong with it;
// kInvalid: made by a newer program, or a path that names nothing; kNotFound; the disk's own as system::storage_error. Who may call: one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/system/files.hpp"
#include "base/result.hpp"

namespace reclaim::apps {

inline constexpr const char* kDatabaseCopy = "database.sqlite";
inline constexpr const char* kStoreCopy = "store.mdb";
inline constexpr const char* kSecrets[] = {"admin.token", "ssh_host_ed25519_key"};

struct BackupFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string created;  // RFC 3339: the moment that is in the copies
  std::string lineage;
  std::vector<BackupFile> files;
};

std::string encode(const Manifest& manifest);
Result<Manifest> decode_manifest(std::string_view text);

// The manifest of a backup, whose files are all there and as long as it says.
Result<Manifest> read_manifest(int backup);

// Told how many bytes of a file are done; its error ends the work.
using Written = std::function<Status(std::uint64_t bytes)>;

// A file that was just written: its size and checksum as they are read back, and it is synced.
Result<BackupFile> seal(int directory, const std::string& name, const Written& read);
// A new file, 0600 and synced, with the same bytes, and what they are.
Result<BackupFile> copy_file(int from, const std::string& name, int to, const std::string& new_name, const Written& written);

class BackupDraft {
 public:
  // kConflict also where another process makes one there.
  static Result<std::unique_ptr<BackupDraft>> begin(const std::string& to);
  BackupDraft(const BackupDraft&) = delete;
  BackupDraft& operator=(const BackupDraft&) = delete;
  ~BackupDraft();  // removes what was not finished

  int descriptor() const { return directory_.get(); }
  const std::string& path() const { return path_; }  // of what it is now
  Status finish(const Manifest& manifest);

 private:
  BackupDraft(system::Fd parent, std::string name, std::string path)
      : parent_(std::move(parent)), name_(std::move(name)), path_(std::move(path)) {}

  std::string partial() const { return name_ + ".partial"; }
  Status take();
  Status clear();

  system::Fd parent_;
  std::string name_;
  std::string path_;
  system::Fd directory_;  // locked; closed: nothing of it is there
};

}  // namespace reclaim::apps
