#include "ports/tape_library.hpp"

#include "base/ids.hpp"

namespace reclaim::ports {

Status check_place(const std::string& vid, std::uint64_t fseq) {
  if (!is_well_formed_name(vid)) return invalid("vid", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  if (fseq < 1 || fseq > kFseqMax) return invalid("fseq", "must be 1 to " + std::to_string(kFseqMax));
  return done();
}

}  // namespace reclaim::ports
