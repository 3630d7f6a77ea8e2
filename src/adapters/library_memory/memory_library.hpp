// Tapes in memory. What is put under a place replaces what is there, as no writer can: for damage.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "ports/tape_library.hpp"

namespace reclaim::library_memory {

class MemoryLibrary : public ports::TapeLibrary {
 public:
  std::string name() const override { return "memory"; }
  Result<bool> has(const std::string& vid) override;
  Result<std::uint64_t> last_fseq(const std::string& vid) override;
  Result<std::unique_ptr<ports::TapeReader>> open(const std::string& vid, std::uint64_t fseq) override;
  Result<std::unique_ptr<ports::TapeWriter>> begin(const std::string& vid, std::uint64_t fseq) override;

  void bring(const std::string& vid);
  // With all that is on it, until it is brought again.
  void take_away(const std::string& vid);
  void put(const std::string& vid, std::uint64_t fseq, std::string bytes);

 private:
  friend class MemoryWriter;
  using Tape = std::map<std::uint64_t, std::string>;

  // With mutex_ held.
  Result<Tape*> find(const std::string& vid);

  std::mutex mutex_;
  std::map<std::string, Tape> tapes_;
  std::set<std::string> here_;
  std::set<std::pair<std::string, std::uint64_t>> begun_;
};

}  // namespace reclaim::library_memory
