#include "adapters/buffer_memory/memory_buffer.hpp"

#include <utility>

#include "base/adler32.hpp"

namespace reclaim::buffer_memory {

using ports::Delivery;

class MemoryDelivery : public ports::DeliveryFile {
 public:
  MemoryDelivery(MemoryBuffer& buffer, Delivery delivery) : buffer_(buffer), delivery_(std::move(delivery)) {}
  MemoryDelivery(const MemoryDelivery&) = delete;
  MemoryDelivery& operator=(const MemoryDelivery&) = delete;
  ~MemoryDelivery() override {
    const std::lock_guard lock(buffer_.mutex_);
    buffer_.begun_.erase(key());
  }

  Status append(std::string_view bytes) override {
    const std::lock_guard lock(buffer_.mutex_);
    const auto begun = buffer_.begun_.find(key());
    if (begun == buffer_.begun_.end()) return done();  // as on a disk, where a file without a name can be written
    if (bytes.size() > delivery_.size - begun->second.size()) return corrupt("has more bytes than it should");
    if (buffer_.used() + bytes.size() > buffer_.room_) return too_large("no room is left");
    begun->second += bytes;
    return done();
  }

  Status finish(const ports::Tick& tick) override {
    TRY(tick());
    const std::lock_guard lock(buffer_.mutex_);
    const auto begun = buffer_.begun_.find(key());
    if (begun == buffer_.begun_.end()) return fenced("a later epoch of the drive has swept it away", "epoch");
    if (begun->second.size() != delivery_.size) return corrupt("has " + std::to_string(begun->second.size()) + " bytes");
    Adler32 sum;
    sum.add(begun->second);
    if (sum.text() != delivery_.checksum) return corrupt("has the checksum " + sum.text());
    if (!TRY(buffer_.is_delivered(delivery_))) buffer_.files_.emplace(delivery_.destination, std::move(begun->second));
    buffer_.begun_.erase(begun);
    return done();
  }

 private:
  MemoryBuffer::Begun key() const { return {delivery_.writer, delivery_.epoch, delivery_.request}; }

  MemoryBuffer& buffer_;
  Delivery delivery_;
};

Result<bool> MemoryBuffer::is_delivered(const Delivery& delivery) const {
  const auto below = files_.lower_bound(delivery.destination + "/");
  if (below != files_.end() && below->first.starts_with(delivery.destination + "/")) return conflict("there is a directory");
  for (std::size_t slash = delivery.destination.find('/'); slash != std::string::npos; slash = delivery.destination.find('/', slash + 1)) {
    if (files_.contains(delivery.destination.substr(0, slash))) return conflict("there is a file on the way");
  }
  const auto there = files_.find(delivery.destination);
  if (there == files_.end()) return false;
  Adler32 sum;
  sum.add(there->second);
  if (there->second.size() == delivery.size && sum.text() == delivery.checksum) return true;
  return conflict("there is another file already, which is left as it is");
}

std::uint64_t MemoryBuffer::used() const {
  std::uint64_t used = 0;
  for (const auto& [path, bytes] : files_) used += bytes.size();
  for (const auto& [key, bytes] : begun_) used += bytes.size();
  return used;
}

Result<std::unique_ptr<ports::DeliveryFile>> MemoryBuffer::begin(const Delivery& delivery, const ports::Tick& tick) {
  TRY(ports::check_delivery(delivery));
  TRY(tick());
  const std::lock_guard lock(mutex_);
  if (TRY(is_delivered(delivery))) return std::unique_ptr<ports::DeliveryFile>();
  if (delivery.size > room_) return invalid("size", "it is larger than the whole buffer");
  if (used() + delivery.size > room_) return too_large("no room is left");
  begun_[{delivery.writer, delivery.epoch, delivery.request}].clear();
  return std::unique_ptr<ports::DeliveryFile>(new MemoryDelivery(*this, delivery));
}

Status MemoryBuffer::sweep(const std::string& writer, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(begun_, [&](const auto& begun) { return std::get<0>(begun.first) == writer && std::get<1>(begun.first) < epoch; });
  return done();
}

void MemoryBuffer::put(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  files_[path] = std::move(bytes);
}

void MemoryBuffer::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_.erase(path);
}

void MemoryBuffer::set_room(std::uint64_t room) {
  const std::lock_guard lock(mutex_);
  room_ = room;
}

std::map<std::string, std::string> MemoryBuffer::files() {
  const std::lock_guard lock(mutex_);
  return files_;
}

std::size_t MemoryBuffer::unfinished() {
  const std::lock_guard lock(mutex_);
  return begun_.size();
}

}  // namespace reclaim::buffer_memory
