#include "adapters/library_memory/memory_library.hpp"

#include <utility>

namespace reclaim::library_memory {
namespace {

class MemoryReader : public ports::TapeReader {
 public:
  explicit MemoryReader(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::span<char> chunk) override {
    const std::size_t got = bytes_.copy(chunk.data(), chunk.size(), at_);
    at_ += got;
    return got;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace

class MemoryWriter : public ports::TapeWriter {
 public:
  MemoryWriter(MemoryLibrary& library, std::string vid, std::uint64_t fseq) : library_(library), vid_(std::move(vid)), fseq_(fseq) {}
  MemoryWriter(const MemoryWriter&) = delete;
  MemoryWriter& operator=(const MemoryWriter&) = delete;
  ~MemoryWriter() override {
    const std::lock_guard lock(library_.mutex_);
    library_.begun_.erase({vid_, fseq_});
  }

  Status append(std::string_view bytes) override { return bytes_.append(bytes), done(); }
  Status keep() override {
    const std::lock_guard lock(library_.mutex_);
    const bool is_first = TRY(library_.find(vid_))->emplace(fseq_, std::move(bytes_)).second;
    return is_first ? done() : Status(conflict("tape " + vid_ + " has something at " + std::to_string(fseq_) + " already"));
  }

 private:
  MemoryLibrary& library_;
  std::string vid_;
  std::uint64_t fseq_;
  std::string bytes_;
};

Result<MemoryLibrary::Tape*> MemoryLibrary::find(const std::string& vid) {
  TRY(ports::check_place(vid, 1));
  if (!here_.contains(vid)) return unavailable("tape " + vid + " is away");
  return &tapes_[vid];
}

Result<bool> MemoryLibrary::has(const std::string& vid) {
  TRY(ports::check_place(vid, 1));
  const std::lock_guard lock(mutex_);
  return here_.contains(vid);
}

Result<std::uint64_t> MemoryLibrary::last_fseq(const std::string& vid) {
  const std::lock_guard lock(mutex_);
  const Tape* const tape = TRY(find(vid));
  return tape->empty() ? 0 : tape->rbegin()->first;
}

Result<std::unique_ptr<ports::TapeReader>> MemoryLibrary::open(const std::string& vid, std::uint64_t fseq) {
  TRY(ports::check_place(vid, fseq));
  const std::lock_guard lock(mutex_);
  const Tape* const tape = TRY(find(vid));
  const auto file = tape->find(fseq);
  if (file == tape->end()) return not_found("tape " + vid + " has nothing at " + std::to_string(fseq));
  return std::unique_ptr<ports::TapeReader>(new MemoryReader(file->second));
}

Result<std::unique_ptr<ports::TapeWriter>> MemoryLibrary::begin(const std::string& vid, std::uint64_t fseq) {
  TRY(ports::check_place(vid, fseq));
  const std::lock_guard lock(mutex_);
  const Tape* const tape = TRY(find(vid));
  if (tape->contains(fseq)) return conflict("tape " + vid + " has something at " + std::to_string(fseq) + " already");
  if (!begun_.emplace(vid, fseq).second) return conflict("somebody else is writing there");
  return std::unique_ptr<ports::TapeWriter>(new MemoryWriter(*this, vid, fseq));
}

void MemoryLibrary::bring(const std::string& vid) {
  const std::lock_guard lock(mutex_);
  here_.insert(vid);
}

void MemoryLibrary::take_away(const std::string& vid) {
  const std::lock_guard lock(mutex_);
  here_.erase(vid);
}

void MemoryLibrary::put(const std::string& vid, std::uint64_t fseq, std::string bytes) {
  const std::lock_guard lock(mutex_);
  tapes_[vid][fseq] = std::move(bytes);
}

}  // namespace reclaim::library_memory
