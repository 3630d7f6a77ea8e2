#include "adapters/library_dir/library_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "adapters/system/files.hpp"

namespace reclaim::library_dir {
namespace {

using system::Fd;

Error away(const std::string& vid, const std::string& why) { return unavailable("tape " + vid + " is away: " + why); }

Error about(const std::string& vid, Error error) {
  error.message = "tape " + vid + ": " + error.message;
  return error;
}

// The one step that may lead into another mount. kNotFound where there is no such tape; the library itself being gone is another matter.
Result<Fd> find_tape(const std::string& path, const std::string& vid) {
  TRY(ports::check_place(vid, 1));
  const Result<Fd> root = system::open_directory(path);
  if (!root.ok()) return away(vid, root.error().message);
  Fd tape(openat(root.value().get(), vid.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (tape.is_open()) return tape;
  if (errno == ENOENT) return not_found("there is no " + vid + " in " + path);
  return away(vid, system::system_error(errno, "cannot open directory " + path + "/" + vid).message);
}

Result<Fd> open_tape(const std::string& path, const std::string& vid) {
  Result<Fd> tape = find_tape(path, vid);
  if (!tape.ok() && tape.error().kind == Error::Kind::kNotFound) return away(vid, tape.error().message);
  return tape;
}

// 0 for what is no place.
std::uint64_t place_in(const std::string& name) {
  std::uint64_t fseq = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), fseq);
  const bool is_place = error == std::errc() && end == name.data() + name.size() && name.front() != '0';
  return is_place && fseq <= ports::kFseqMax ? fseq : 0;
}

class Reader : public ports::TapeReader {
 public:
  Reader(std::string name, Fd file) : name_(std::move(name)), file_(std::move(file)) {
    posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }

  Result<std::size_t> read(std::span<char> chunk) override {
    for (;;) {
      const ssize_t got = ::read(file_.get(), chunk.data(), chunk.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return system::system_error(errno, "cannot read " + name_);
    }
  }

 private:
  std::string name_;
  Fd file_;
};

class Writer : public ports::TapeWriter {
 public:
  // `file` is `fresh` of that tape, empty and locked.
  Writer(Fd tape, Fd file, std::string fresh, std::string place)
      : tape_(std::move(tape)), file_(std::move(file)), fresh_(std::move(fresh)), place_(std::move(place)) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() override {
    if (!is_kept_) unlinkat(tape_.get(), fresh_.c_str(), 0);
  }

  Status append(std::string_view bytes) override { return system::write_all(file_.get(), bytes); }

  Status keep() override {
    TRY(system::sync(file_.get()));
    TRY(system::rename_new_at(tape_.get(), fresh_, tape_.get(), place_));
    is_kept_ = true;
    return system::sync(tape_.get());
  }

 private:
  Fd tape_;
  Fd file_;
  std::string fresh_;
  std::string place_;
  bool is_kept_ = false;
};

// What a writer that died has left is taken over; what a living one is at is not.
Result<Fd> begin_file(int tape, const std::string& fresh) {
  Fd file(openat(tape, fresh.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file.is_open()) return system::storage_error(errno, "cannot make " + fresh);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return system::system_error(errno, "cannot look at " + fresh);
  if (!S_ISREG(found.st_mode)) return conflict(fresh + " is not a regular file");
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) return conflict("somebody else is writing " + fresh);
  // Until it was locked it could be given its place, or be removed.
  if (TRY(system::inspect_at(tape, fresh)).inode != found.st_ino) return conflict("somebody else has written " + fresh);
  if (ftruncate(file.get(), 0) != 0) return system::storage_error(errno, "cannot empty " + fresh);
  return file;
}

}  // namespace

Result<bool> LibraryDir::has(const std::string& vid) {
  const Result<Fd> tape = find_tape(path_, vid);
  if (!tape.ok() && tape.error().kind == Error::Kind::kNotFound) return false;
  return tape.ok() ? Result<bool>(true) : tape.error();
}

Result<std::uint64_t> LibraryDir::last_fseq(const std::string& vid) {
  const Fd tape = TRY(open_tape(path_, vid));
  std::uint64_t last = 0;
  for (const std::string& name : TRY(system::list_directory(tape.get()))) last = std::max(last, place_in(name));
  return last;
}

Result<std::unique_ptr<ports::TapeReader>> LibraryDir::open(const std::string& vid, std::uint64_t fseq) {
  TRY(ports::check_place(vid, fseq));
  const Fd tape = TRY(open_tape(path_, vid));
  Result<Fd> file = system::open_file_at(tape.get(), std::to_string(fseq));
  if (!file.ok()) return about(vid, file.error());
  return std::unique_ptr<ports::TapeReader>(new Reader(vid + "/" + std::to_string(fseq), std::move(file).value()));
}

Result<std::unique_ptr<ports::TapeWriter>> LibraryDir::begin(const std::string& vid, std::uint64_t fseq) {
  TRY(ports::check_place(vid, fseq));
  Fd tape = TRY(open_tape(path_, vid));
  const std::string place = std::to_string(fseq);
  const std::string fresh = "." + place + ".new";
  Result<Fd> file = begin_file(tape.get(), fresh);
  if (!file.ok()) return about(vid, file.error());
  const int directory = tape.get();
  auto writer = std::make_unique<Writer>(std::move(tape), std::move(file).value(), fresh, place);
  const bool is_free = TRY(system::inspect_at(directory, place)).type == system::FileType::kNothing;
  if (!is_free) return conflict("tape " + vid + " has something at " + place + " already");
  return std::unique_ptr<ports::TapeWriter>(std::move(writer));
}

}  // namespace reclaim::library_dir
