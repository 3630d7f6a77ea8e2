// The archive plane behind every door: what its use cases are handed, those that need to know more than the catalogue, and the passes.
//
// Who may call: any thread. Nothing here starts one; the app runs the passes in loops of their own, which set_wake() wakes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/context.hpp"
#include "archive/files.hpp"
#include "archive/tapes.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"
#include "ports/object_store.hpp"
#include "server/agent_list.hpp"
#include "server/maintenance.hpp"
#include "server/retrieves.hpp"

namespace reclaim::server {

class ArchivePlane {
 public:
  ArchivePlane(ports::Database& database, ports::ObjectStore& store, const Clock& clock, const MaintenanceOptions& maintenance = {})
      : database_(database),
        store_(store),
        clock_(clock),
        retrieves_(database, store, clock, maintenance.process),
        maintenance_(database, store, clock, maintenance) {}

  // What wakes the loop of the maintenance passes: a hint, for what their period would find anyway. Set once, before doors open.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  // For use cases: the archive's functions are called with these.
  archive::Context context(std::string actor) const;
  ports::ObjectStore& store() const { return store_; }
  // Where requests come in and are decided on.
  RetrieveDesk& retrieves() { return retrieves_; }

  Result<std::vector<ListedAgent>> list_agents(const std::string& after = "") const;

  // kConflict while a copy is on the tape or a request names it.
  Result<archive::Tape> remove_tape(const std::string& actor, const archive::Vid& vid) const;
  // Wakes the cleanup pass when the tape has to wait for it.
  Result<archive::Tape> ask_tape_state(const std::string& actor, const archive::Vid& vid, archive::TapeState asked,
                                       const std::string& reason) const;
  // The passes of this process.
  Maintenance& maintenance() { return maintenance_; }

  // kConflict while a request names it.
  Result<archive::File> remove_file(const std::string& actor, const archive::FileId& id) const;

 private:
  ports::Database& database_;
  ports::ObjectStore& store_;
  const Clock& clock_;
  RetrieveDesk retrieves_;
  std::function<void()> wake_;
  Maintenance maintenance_;
};

}  // namespace reclaim::server
