// The server's data directory: 0700, locked by the one server that uses it, with the admin token in it.
//
// What a restore has made ready is in DIR/restored, whole. It is put in its place by whoever opens the directory next: the restore itself,
// or, where that died in between, the next server or restore.
#pragma once

#include <string>

#include "adapters/system/files.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::apps {

inline constexpr const char* kRestored = "restored";

class DataDirectory {
 public:
  // Made when it is not there. kConflict: another server holds it, or something is in the place of what was restored.
  static Result<DataDirectory> open(const std::string& path);

  const std::string& path() const { return path_; }
  int descriptor() const { return directory_.get(); }
  // What is in DIR/restored goes into DIR. A crash leaves the rest of it to the next.
  Status take_in_restored() const;
  // Makes DIR/admin.token (0600) when there is none that the database knows. A crash between the two leaves a token that nobody has.
  Status ensure_admin_token(ports::Database& database, Random& random, WallTime now) const;

 private:
  DataDirectory(std::string path, system::Fd directory, system::Fd lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string path_;
  system::Fd directory_;
  system::Fd lock_;
};

}  // namespace reclaim::apps
