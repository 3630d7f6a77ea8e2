// One call, on its way to the cluster and back.
#pragma once

#include <rados/librados.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "ports/object_store.hpp"

namespace reclaim::objects_rados {

class Flight {
 public:
  // Sends it through the door to its kind. Both are there until wait() has returned.
  Flight(rados_ioctx_t door, const ports::StoreCall& call);
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight();

  // librados's code, when there is an answer or its deadline has passed.
  int wait();
  // After wait() returned 0. Of what was read or written.
  std::uint64_t version() const { return rados_aio_get_version(completion_.get()); }
  std::string bytes() const { return {room_.get(), length_}; }
  std::size_t size() const { return length_; }

 private:
  struct Release {
    void operator()(rados_completion_t completion) const { rados_aio_release(completion); }
  };
  using Completion = std::unique_ptr<std::remove_pointer_t<rados_completion_t>, Release>;

  void read(std::size_t room);
  void write();
  int land();

  const rados_ioctx_t door_;
  const ports::StoreCall& call_;
  Completion completion_;  // none: it is not on its way
  int code_ = 0;           // of one that was not sent, or has landed
  std::unique_ptr<char[]> room_;
  std::size_t room_size_ = 0;
  std::size_t length_ = 0;
};

}  // namespace reclaim::objects_rados
