#include "server/archive_plane.hpp"

#include <utility>

namespace reclaim::server {

archive::Context ArchivePlane::context(std::string actor) const { return {database_, clock_.wall(), std::move(actor)}; }

Result<std::vector<ListedAgent>> ArchivePlane::list_agents(const std::string& after) const {
  return server::list_agents(store_, maintenance_.watched(), after);
}

Result<archive::Tape> ArchivePlane::remove_tape(const std::string& actor, const archive::Vid& vid) const {
  return archive::remove_tape(context(actor), vid, [&] { return archive::tape_has_requests(store_, vid); });
}

Result<archive::Tape> ArchivePlane::ask_tape_state(const std::string& actor, const archive::Vid& vid, archive::TapeState asked,
                                                   const std::string& reason) const {
  archive::Tape tape = TRY(archive::ask_tape_state(context(actor), vid, asked, reason));
  if (archive::is_pending(tape.spec.state) && wake_) wake_();
  return tape;
}

Result<archive::File> ArchivePlane::remove_file(const std::string& actor, const archive::FileId& id) const {
  return archive::remove_file(context(actor), id, [&] { return archive::file_has_requests(store_, id); });
}

}  // namespace reclaim::server
