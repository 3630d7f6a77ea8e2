// `dir:PATH`: the library is a directory, a tape a folder in it, a file `PATH/VID/FSEQ`, decimal without leading zeros. Other names on a
// tape are not looked at.
//
// A folder may be a mount point, and so may PATH: nothing in the library stays open between two calls but the file that is read or written,
// so that a tape can be unmounted. A file without a place yet is `.FSEQ.new` in its tape's folder, locked by its writer.
#pragma once

#include <string>
#include <utility>

#include "ports/tape_library.hpp"

namespace reclaim::library_dir {

class LibraryDir : public ports::TapeLibrary {
 public:
  // Whether the directory is there is asked with each call.
  explicit LibraryDir(std::string path) : path_(std::move(path)) {}

  std::string name() const override { return "dir:" + path_; }
  Result<bool> has(const std::string& vid) override;
  Result<std::uint64_t> last_fseq(const std::string& vid) override;
  Result<std::unique_ptr<ports::TapeReader>> open(const std::string& vid, std::uint64_t fseq) override;
  Result<std::unique_ptr<ports::TapeWriter>> begin(const std::string& vid, std::uint64_t fseq) override;

 private:
  std::string path_;
};

}  // namespace reclaim::library_dir
