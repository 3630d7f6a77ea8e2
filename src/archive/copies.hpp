// Where copies of files lie: the statements that files.cpp is made of, for lists of any length. For this room only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "archive/files.hpp"

namespace reclaim::archive {

using CopiesByFile = std::map<std::int64_t, std::vector<Copy>>;  // by the file's row
using TapeIds = std::map<Vid, std::int64_t>;                     // rows of tapes
using Place = std::pair<Vid, std::int64_t>;
using Places = std::map<Place, std::string>;  // taken, by which file

struct PlacedCopies {
  std::int64_t file;
  const std::vector<Copy>* copies;
};

Result<CopiesByFile> copies_of(ports::Transaction& transaction, const std::vector<std::int64_t>& files);
// The tapes of these copies that there are. They are not removed before the transaction ends.
Result<TapeIds> hold_tapes(ports::Transaction& transaction, const std::vector<Copy>& copies);
Result<Places> taken_places(ports::Transaction& transaction, const TapeIds& tapes, const std::vector<Copy>& copies);

// kInvalid names the copy that is on an unknown tape, or on the tape of another one.
Status check_tapes(const TapeIds& tapes, const std::vector<Copy>& copies);
// kConflict names the place and who has it.
Status check_places(const Places& taken, const std::vector<Copy>& copies);

// kContended when a place was taken meanwhile.
Status insert_copies(ports::Transaction& transaction, const TapeIds& tapes, const std::vector<PlacedCopies>& placed);

std::string in_words(const std::vector<Copy>& copies);  // V1:3 V2:8

}  // namespace reclaim::archive
