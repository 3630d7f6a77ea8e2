// Files in the catalogue: what they are, and where their copies lie. A place on a tape, (VID, fseq), holds one file; a file has at most
// one copy on a tape.
//
// Who may call: any thread. Each use case is one transaction; a crash leaves the catalogue before or after, with its events.
#pragma once

#include <string>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"

namespace reclaim::archive {

inline constexpr std::size_t kFilesMax = 10'000;  // of one batch

struct Copy {
  Vid vid;
  std::int64_t fseq = 0;
  bool operator==(const Copy&) const = default;
};

struct FileSpec {
  FileId id;
  std::int64_t size = 0;
  std::string checksum;      // as parse_checksum leaves it
  std::vector<Copy> copies;  // in the order in which they are preferred
  bool operator==(const FileSpec&) const = default;
};

struct File {
  FileSpec spec;
  WallTime created;
};

// `adler32:` and 8 hexadecimal digits, which become lower case. kInvalid for anything else.
Result<std::string> parse_checksum(std::string_view text, std::string field);

// Each item by itself and in order, as if added one by one, in a number of statements that does not grow with theirs (at most kFilesMax).
// Of each: created = false for one that is there with equal content; kInvalid for a copy on an unknown tape, or two on one; kConflict for
// one that is there with other content, and for a place on a tape that is taken. The whole fails only if the database does.
Result<std::vector<Result<Outcome<File>>>> add_files(const Context& context, const std::vector<FileSpec>& specs);
// kNotFound; kInvalid for a copy on an unknown tape, or two on one; kConflict for a place that is taken.
Result<File> change_copies(const Context& context, const FileId& id, const std::vector<Copy>& copies);

Result<File> find_file(const Context& context, const FileId& id);
// By id.
Result<std::vector<File>> list_files(const Context& context, const std::string& after, std::int64_t limit);
// In the order in which they lie on the tape; of a tape that there is not, none.
struct FileOnTape {
  File file;
  std::int64_t fseq = 0;
};
Result<std::vector<FileOnTape>> list_files_of_tape(const Context& context, const Vid& vid, std::int64_t after_fseq, std::int64_t limit);

// kConflict while a request names it.
Result<File> remove_file(const Context& context, const FileId& id, const HasRequests& has_requests);

}  // namespace reclaim::archive
