// A disk buffer in memory, with as much room as one likes.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "ports/disk_buffer.hpp"

namespace reclaim::buffer_memory {

class MemoryBuffer : public ports::DiskBuffer {
 public:
  explicit MemoryBuffer(std::uint64_t room = std::uint64_t{1} << 30U) : room_(room) {}

  std::string name() const override { return "memory"; }
  Result<std::unique_ptr<ports::DeliveryFile>> begin(const ports::Delivery& delivery, const ports::Tick& tick) override;
  Status sweep(const std::string& writer, std::uint64_t epoch) override;

  void put(const std::string& path, std::string bytes);
  void remove(const std::string& path);
  void set_room(std::uint64_t room);
  std::map<std::string, std::string> files();
  // How many are on their way.
  std::size_t unfinished();

 private:
  friend class MemoryDelivery;
  using Begun = std::tuple<std::string, std::uint64_t, std::string>;  // writer, epoch, request

  // With mutex_ held.
  Result<bool> is_delivered(const ports::Delivery& delivery) const;
  std::uint64_t used() const;

  std::mutex mutex_;
  std::uint64_t room_;
  std::map<std::string, std::string> files_;  // by destination
  std::map<Begun, std::string> begun_;
};

}  // namespace reclaim::buffer_memory
