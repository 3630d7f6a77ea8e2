#include "adapters/buffer_dir/buffer_dir.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include "base/adler32.hpp"
#include "base/printable.hpp"

namespace reclaim::buffer_dir {
namespace {

using ports::Delivery;
using system::Fd;

constexpr std::uint64_t kSyncEvery = std::uint64_t{64} << 20U;

std::string prefix_of(const std::string& writer, std::uint64_t epoch) { return writer + "@" + std::to_string(epoch) + "@"; }

// Of a file on its way; nothing for other names.
std::optional<std::uint64_t> epoch_in(const std::string& name, const std::string& writer) {
  if (!name.starts_with(writer + "@")) return std::nullopt;
  std::uint64_t epoch = 0;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + writer.size() + 1, end, epoch);
  return error == std::errc() && at != end && *at == '@' ? std::optional(epoch) : std::nullopt;
}

Error at(const Delivery& delivery, Error error) {
  error.message = printable(delivery.destination) + ": " + error.message;
  return error;
}

// What goes wrong with the drive's own names is the buffer's trouble, whatever the system calls it.
Error of_buffer(Error error) {
  if (error.kind != Error::Kind::kTooLarge) error.kind = Error::Kind::kUnavailable;
  return error;
}

class File : public ports::DeliveryFile {
 public:
  File(int root, int drives, Delivery delivery, Destination destination, std::string fresh, Fd file)
      : root_(root),
        drives_(drives),
        delivery_(std::move(delivery)),
        destination_(std::move(destination)),
        fresh_(std::move(fresh)),
        file_(std::move(file)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() override {
    if (!is_finished_) unlinkat(drives_, fresh_.c_str(), 0);
  }

  Status append(std::string_view bytes) override {
    if (bytes.size() > delivery_.size - size_) return corrupt("has more than the " + std::to_string(delivery_.size) + " bytes it should");
    TRY(system::write_all(file_.get(), bytes));
    sum_.add(bytes);
    size_ += bytes.size();
    unsynced_ += bytes.size();
    // What is left to the end takes as long as it likes.
    if (unsynced_ < kSyncEvery) return done();
    unsynced_ = 0;
    return fdatasync(file_.get()) == 0 ? done() : Status(system::storage_error(errno, "cannot sync"));
  }

  Status finish(const ports::Tick& tick) override {
    TRY(check_bytes());
    TRY(tick());
    TRY(system::sync(file_.get()));
    const Status placed = place(tick);
    return placed.ok() ? done() : Status(at(delivery_, placed.error()));
  }

 private:
  Status check_bytes() const {
    if (size_ != delivery_.size) {
      return corrupt("has " + std::to_string(size_) + " bytes, it should have " + std::to_string(delivery_.size));
    }
    if (sum_.text() == delivery_.checksum) return done();
    return corrupt("has the checksum " + sum_.text() + ", it should have " + delivery_.checksum);
  }

  Status place(const ports::Tick& tick) {
    const Way way = TRY(destination_.make(root_));
    Status renamed = system::rename_new_at(drives_, fresh_, way.back().get(), destination_.name());
    is_finished_ = renamed.ok();
    if (renamed.ok()) return sync_way(way, tick);
    if (renamed.error().kind == Error::Kind::kNotFound) return why_not_found();
    if (renamed.error().kind != Error::Kind::kConflict) return renamed;
    return TRY(is_delivered(way, destination_.name(), delivery_, tick)) ? done() : renamed;
  }

  Error why_not_found() const {
    const Result<system::FileInfo> info = system::inspect_at(drives_, fresh_);
    if (!info.ok()) return info.error();
    if (info.value().type == system::FileType::kNothing) return fenced("a later epoch of the drive has swept it away", "epoch");
    return conflict("its directory was removed meanwhile");
  }

  int root_;
  int drives_;
  Delivery delivery_;
  Destination destination_;
  std::string fresh_;
  Fd file_;
  Adler32 sum_;
  std::uint64_t size_ = 0;
  std::uint64_t unsynced_ = 0;
  bool is_finished_ = false;
};

}  // namespace

Result<std::unique_ptr<BufferDir>> BufferDir::open(const std::string& path) {
  Fd root = TRY(system::open_directory(path));
  Fd drives = TRY(system::make_directory_at(root.get(), ".drives", 0700));
  return std::unique_ptr<BufferDir>(new BufferDir(path, std::move(root), std::move(drives)));
}

Status BufferDir::check_room(const Delivery& delivery) const {
  struct statvfs room {};
  if (fstatvfs(root_.get(), &room) != 0) return system::system_error(errno, "cannot look at " + path_);
  const std::uint64_t total = room.f_blocks * room.f_frsize;
  const std::uint64_t free = room.f_bavail * room.f_frsize;
  const std::string needs = std::to_string(delivery.size) + " bytes are more than ";
  if (total > 0 && delivery.size > total) return invalid("size", needs + "the whole buffer " + path_ + " has");
  if (total > 0 && delivery.size > free) return too_large(needs + "the " + std::to_string(free) + " that are free in the buffer " + path_);
  return done();
}

Result<bool> BufferDir::is_there_already(const Destination& destination, const Delivery& delivery, const ports::Tick& tick) const {
  const std::optional<Way> way = TRY(destination.find(root_.get()));
  return way ? is_delivered(*way, destination.name(), delivery, tick) : Result<bool>(false);
}

Result<std::unique_ptr<ports::DeliveryFile>> BufferDir::begin(const Delivery& delivery, const ports::Tick& tick) {
  Destination destination(TRY(ports::check_delivery(delivery)));
  const Result<bool> is_there = is_there_already(destination, delivery, tick);
  if (!is_there.ok()) return at(delivery, is_there.error());
  if (is_there.value()) return std::unique_ptr<ports::DeliveryFile>();
  TRY(check_room(delivery));
  const std::string fresh = prefix_of(delivery.writer, delivery.epoch) + delivery.request;
  if (unlinkat(drives_.get(), fresh.c_str(), 0) != 0 && errno != ENOENT)
    return of_buffer(system::storage_error(errno, "cannot replace " + fresh));
  Fd file(openat(drives_.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.is_open()) return of_buffer(system::storage_error(errno, "cannot make " + path_ + "/.drives/" + fresh));
  return std::unique_ptr<ports::DeliveryFile>(
      new File(root_.get(), drives_.get(), delivery, std::move(destination), fresh, std::move(file)));
}

Status BufferDir::sweep(const std::string& writer, std::uint64_t epoch) {
  for (const std::string& name : TRY(system::list_directory(drives_.get()))) {
    const std::optional<std::uint64_t> of = epoch_in(name, writer);
    if (!of || *of >= epoch) continue;
    if (unlinkat(drives_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return of_buffer(system::storage_error(errno, "cannot remove " + path_ + "/.drives/" + name));
    }
  }
  return done();
}

}  // namespace reclaim::buffer_dir
