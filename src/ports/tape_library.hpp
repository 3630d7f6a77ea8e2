// A library: a place with tapes, each known by its VID, and on each tape files by their place there, fseq, which counts from 1.
//
// What callers may rely on
//  * A file that is there is whole and does not change: it was written under no name that open() finds, made durable, and then given its
//    place, which never replaces a file.
//  * A tape that is away is told from a file that is not there: open() and begin() answer kUnavailable for the one, kNotFound and
//    kConflict for the other. A tape may go at any moment; has() says whether it is there now.
//  * Nothing outside the library is touched, and no link is followed: a VID is one path component, as is a place.
//
// Errors
//   kInvalid     a VID or place that is not well formed
//   kNotFound    open(): no file at that place
//   kConflict    something else than a file is there; begin(), keep(): the place is taken, or somebody else is writing to it
//   kTooLarge    writing: no room is left on the tape
//   kForbidden   the library does not let this process do that
//   kUnavailable the tape is away, or it cannot be read or written; trying again may help
//
// Who may call: any thread; a reader or writer belongs to the thread that has it. A crash while writing leaves a file without a place,
// which whoever writes to that place next replaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reclaim::ports {

inline constexpr std::uint64_t kFseqMax = std::numeric_limits<std::int64_t>::max();

// A file on tape, from its beginning to its end.
class TapeReader {
 public:
  virtual ~TapeReader() = default;
  // Fills `chunk` from its beginning; how many bytes, 0 only at the end of the file. After an error the file is opened anew.
  virtual Result<std::size_t> read(std::span<char> chunk) = 0;
};

// A file on its way onto a tape. Destroyed before keep() has succeeded, it leaves nothing.
class TapeWriter {
 public:
  virtual ~TapeWriter() = default;
  virtual Status append(std::string_view bytes) = 0;
  // It has its place, durably. Once only. kConflict: somebody else was first.
  virtual Status keep() = 0;
};

class TapeLibrary {
 public:
  virtual ~TapeLibrary() = default;
  // As people name it in messages: `dir:/srv/library`.
  virtual std::string name() const = 0;
  virtual Result<bool> has(const std::string& vid) = 0;
  // The last place of the tape that holds anything, 0 for an empty tape. It looks at all names on the tape.
  virtual Result<std::uint64_t> last_fseq(const std::string& vid) = 0;
  virtual Result<std::unique_ptr<TapeReader>> open(const std::string& vid, std::uint64_t fseq) = 0;
  virtual Result<std::unique_ptr<TapeWriter>> begin(const std::string& vid, std::uint64_t fseq) = 0;
};

// What every adapter asks first. kInvalid.
Status check_place(const std::string& vid, std::uint64_t fseq);

}  // namespace reclaim::ports
