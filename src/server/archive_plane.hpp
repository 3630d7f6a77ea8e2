// The archive plane behind every door: what its use cases are handed, and those that need to know more than the catalogue.
//
// Who may call: any thread. Nothing here starts one.
#pragma once

#include <string>

#include "archive/context.hpp"
#include "archive/files.hpp"
#include "archive/tapes.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::server {

class ArchivePlane {
 public:
  ArchivePlane(ports::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // For use cases: the archive's functions are called with this.
  archive::Context context(std::string actor) const;

  // kConflict while a copy is on the tape.
  Result<archive::Tape> remove_tape(const std::string& actor, const archive::Vid& vid) const;
  Result<archive::File> remove_file(const std::string& actor, const archive::FileId& id) const;

 private:
  ports::Database& database_;
  const Clock& clock_;
};

}  // namespace reclaim::server
