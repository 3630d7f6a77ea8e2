// A disk buffer that is a directory on one filesystem. What is on its way is `PATH/.drives/WRITER@EPOCH@REQUEST`; finished, it is renamed
// to `PATH/DESTINATION`, and directories on the way there are made.
//
// Finishing: the file is synced, its directories are made, it is renamed so that nothing is replaced, then every directory from the
// destination up to PATH is synced: also one that somebody else made a moment ago.
#pragma once

#include <string>

#include "adapters/buffer_dir/destination.hpp"
#include "adapters/system/files.hpp"
#include "ports/disk_buffer.hpp"

namespace reclaim::buffer_dir {

class BufferDir : public ports::DiskBuffer {
 public:
  // The directory is there; `.drives` is made, for this process's user alone.
  static Result<std::unique_ptr<BufferDir>> open(const std::string& path);

  std::string name() const override { return path_; }
  Result<std::unique_ptr<ports::DeliveryFile>> begin(const ports::Delivery& delivery, const ports::Tick& tick) override;
  Status sweep(const std::string& writer, std::uint64_t epoch) override;

 private:
  BufferDir(std::string path, system::Fd root, system::Fd drives)
      : path_(std::move(path)), root_(std::move(root)), drives_(std::move(drives)) {}
  Result<bool> is_there_already(const Destination& destination, const ports::Delivery& delivery, const ports::Tick& tick) const;
  Status check_room(const ports::Delivery& delivery) const;

  std::string path_;
  system::Fd root_;
  system::Fd drives_;
};

}  // namespace reclaim::buffer_dir
