// A connection to the cluster, and one pool in it. Any thread.
#pragma once

#include <rados/librados.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "adapters/objects_rados/rados_store.hpp"
#include "base/result.hpp"

namespace reclaim::objects_rados {

// What a code of librados says, for calls that say nothing else by it.
Error error_of(int code);

struct Destroy {
  void operator()(rados_ioctx_t io) const { rados_ioctx_destroy(io); }
};
// A namespace of the pool.
using Door = std::unique_ptr<std::remove_pointer_t<rados_ioctx_t>, Destroy>;

class Pool {
 public:
  static Result<std::unique_ptr<Pool>> connect(const RadosOptions& options);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { rados_shutdown(cluster_); }  // after its doors

  // Of this very pool: one that was deleted and made again under its name is another.
  Result<Door> open(const std::string& name_space);
  // By the newest map that this client has seen. An object that is not there and a pool that is not there have one code.
  bool is_deleted();

 private:
  explicit Pool(rados_t cluster) : cluster_(cluster) {}

  const rados_t cluster_;
  std::int64_t id_ = -1;
};

}  // namespace reclaim::objects_rados
