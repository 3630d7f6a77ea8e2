#include "adapters/objects_rados/flight.hpp"

namespace reclaim::objects_rados {
namespace {

using Op = ports::StoreCall::Op;

// Nearly all objects fit into the first; who does not is read again, whole.
constexpr std::size_t kFirstRoom = std::size_t{1} << 20U;
constexpr std::size_t kRoomMax = ports::kObjectBytesMax + 1;

// Set by every write. RADOS takes no bytes over no bytes for nothing done, and such an object would keep its version.
constexpr const char* kMark = "reclaim";

struct ReleaseRead {
  void operator()(rados_read_op_t operation) const { rados_release_read_op(operation); }
};
struct ReleaseWrite {
  void operator()(rados_write_op_t operation) const { rados_release_write_op(operation); }
};

rados_completion_t new_completion() {
  rados_completion_t completion = nullptr;
  check(rados_aio_create_completion2(nullptr, nullptr, &completion) == 0, "a completion");
  return completion;
}

}  // namespace

Flight::Flight(rados_ioctx_t door, const ports::StoreCall& call) : door_(door), call_(call) {
  if (call.op == Op::kRead) {
    read(kFirstRoom);
  } else {
    write();
  }
}

// The cluster writes into it until then.
Flight::~Flight() {
  if (completion_) (void)land();
}

int Flight::wait() {
  if (completion_) code_ = land();
  if (code_ != 0 || length_ < room_size_ || room_size_ == 0 || room_size_ == kRoomMax) return code_;
  read(kRoomMax);
  return wait();
}

int Flight::land() {
  if (code_ != 0) return code_;
  rados_aio_wait_for_complete(completion_.get());
  return rados_aio_get_return_value(completion_.get());
}

void Flight::read(std::size_t room) {
  room_ = std::make_unique_for_overwrite<char[]>(room);
  room_size_ = room;
  length_ = 0;
  completion_.reset(new_completion());
  const std::unique_ptr<std::remove_pointer_t<rados_read_op_t>, ReleaseRead> operation(rados_create_read_op());
  rados_read_op_read(operation.get(), 0, room, room_.get(), &length_, nullptr);
  code_ = rados_aio_read_op_operate(operation.get(), door_, completion_.get(), call_.name.key.c_str(), 0);
}

void Flight::write() {
  completion_.reset(new_completion());
  const std::unique_ptr<std::remove_pointer_t<rados_write_op_t>, ReleaseWrite> owner(rados_create_write_op());
  const rados_write_op_t operation = owner.get();
  if (call_.op == Op::kCreate) {
    rados_write_op_create(operation, LIBRADOS_CREATE_EXCLUSIVE, nullptr);
  } else {
    rados_write_op_assert_exists(operation);
    rados_write_op_assert_version(operation, call_.version.number);
  }
  if (call_.op == Op::kRemove) {
    rados_write_op_remove(operation);
  } else {
    rados_write_op_write_full(operation, call_.bytes.data(), call_.bytes.size());
    rados_write_op_setxattr(operation, kMark, "1", 1);
  }
  // A full pool refuses at once instead of waiting until it is not, and still takes removes.
  code_ = rados_aio_write_op_operate(operation, door_, completion_.get(), call_.name.key.c_str(), nullptr, LIBRADOS_OPERATION_FULL_TRY);
}

}  // namespace reclaim::objects_rados
