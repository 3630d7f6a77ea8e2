#include "adapters/buffer_dir/destination.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/adler32.hpp"
#include "base/printable.hpp"

namespace reclaim::buffer_dir {
namespace {

using system::Fd;

constexpr std::size_t kChunk = std::size_t{1} << 20U;

Result<Fd> step(int directory, const std::string& part) { return system::open_directory_at(directory, part, system::storage_error); }

Result<bool> holds(int file, const ports::Delivery& delivery, const ports::Tick& tick) {
  struct stat found {};
  if (fstat(file, &found) != 0) return system::storage_error(errno, "cannot look at what is there");
  if (std::cmp_not_equal(found.st_size, delivery.size)) return false;
  Adler32 sum;
  std::vector<char> chunk(kChunk);
  for (std::uint64_t seen = 0;;) {
    TRY(tick());
    const ssize_t got = read(file, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system::storage_error(errno, "cannot read what is there");
    seen += static_cast<std::uint64_t>(got);
    if (got == 0 || seen > delivery.size) return seen == delivery.size && sum.text() == delivery.checksum;
    sum.add({chunk.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace

Result<std::optional<Way>> Destination::find(int root) const {
  Way way;
  way.push_back(TRY(step(root, ".")));
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    Result<Fd> next = step(way.back().get(), parts_[i]);
    if (!next.ok() && next.error().kind == Error::Kind::kNotFound) return std::optional<Way>();
    way.push_back(TRY(std::move(next)));
  }
  return std::optional<Way>(std::move(way));
}

Result<Way> Destination::make(int root) const {
  Way way;
  way.push_back(TRY(step(root, ".")));
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    const int here = way.back().get();
    if (mkdirat(here, parts_[i].c_str(), 0755) != 0 && errno != EEXIST) {
      return system::storage_error(errno, "cannot make directory " + printable(parts_[i]));
    }
    Result<Fd> next = step(here, parts_[i]);
    if (!next.ok() && next.error().kind == Error::Kind::kNotFound) return conflict("a directory on the way was removed meanwhile");
    way.push_back(TRY(std::move(next)));
  }
  return way;
}

Result<bool> is_delivered(const Way& way, const std::string& name, const ports::Delivery& delivery, const ports::Tick& tick) {
  const Result<Fd> file = system::open_file_at(way.back().get(), name, system::storage_error);
  if (!file.ok() && file.error().kind == Error::Kind::kNotFound) return false;
  if (!file.ok()) return file.error();
  if (!TRY(holds(file.value().get(), delivery, tick))) return conflict("there is another file already, which is left as it is");
  // Whoever put it there may have been about to do this.
  TRY(system::sync(file.value().get()));
  TRY(sync_way(way, tick));
  return true;
}

Status sync_way(const Way& way, const ports::Tick& tick) {
  for (auto directory = way.rbegin(); directory != way.rend(); ++directory) {
    TRY(tick());
    TRY(system::sync(directory->get()));
  }
  return done();
}

}  // namespace reclaim::buffer_dir
