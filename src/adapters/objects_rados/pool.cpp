#include "adapters/objects_rados/pool.hpp"

#include <array>
#include <cerrno>
#include <system_error>

namespace reclaim::objects_rados {
namespace {

Status set(rados_t cluster, const char* option, const std::string& value) {
  if (rados_conf_set(cluster, option, value.c_str()) == 0) return done();
  return invalid("", std::string("librados does not know ") + option + " = " + value);
}

Status configure(rados_t cluster, std::chrono::seconds call_timeout) {
  const std::string seconds = std::to_string(call_timeout.count());
  for (const char* option : {"rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout"}) TRY(set(cluster, option, seconds));
  // A client whose calls end before it asks for a new map would never learn that an OSD came back, so it asks after a second.
  TRY(set(cluster, "objecter_timeout", "1"));
  TRY(set(cluster, "objecter_tick_interval", "0.5"));
  // A read counts with all that it has room for.
  return set(cluster, "objecter_inflight_op_bytes", std::to_string(std::size_t{1} << 30U));
}

Error cannot_connect(int code, const RadosOptions& options) {
  const std::string client = "client." + options.user;
  switch (-code) {
    case ETIMEDOUT: return unavailable("no monitor answers");
    case ENOENT: return unavailable("there is no keyring for " + client);
    case EACCES:
    case EPERM: return unavailable("the cluster does not let " + client + " in");
    default: return unavailable("cannot connect: " + error_of(code).message);
  }
}

}  // namespace

Error error_of(int code) {
  switch (-code) {
    case ETIMEDOUT: return unavailable("the cluster did not answer in time");
    case EPERM:
    case EACCES: return unavailable("not permitted: the client needs mon 'allow r' and osd 'allow rw' on the pool and its namespaces");
    case ENOSPC:
    case EDQUOT: return unavailable("the pool is full");
    case ESHUTDOWN: return unavailable("the cluster has shut this client out: its address is blocklisted");
    default: return unavailable(std::generic_category().message(-code));
  }
}

Result<std::unique_ptr<Pool>> Pool::connect(const RadosOptions& options) {
  rados_t cluster = nullptr;
  if (const int code = rados_create(&cluster, options.user.c_str()); code != 0) return error_of(code);
  std::unique_ptr<Pool> pool(new Pool(cluster));
  const int read = rados_conf_read_file(cluster, options.conf.c_str());
  if (read == -ENOENT) return not_found("there is no " + options.conf);
  if (read != 0) return invalid("", options.conf + " cannot be read: " + error_of(read).message);
  TRY(configure(cluster, options.call_timeout));
  if (const int code = rados_connect(cluster); code != 0) return cannot_connect(code, options);
  pool->id_ = rados_pool_lookup(cluster, options.pool.c_str());
  if (pool->id_ == -ENOENT) return not_found("there is no pool " + options.pool);
  if (pool->id_ < 0) return error_of(static_cast<int>(pool->id_));
  return pool;
}

Result<Door> Pool::open(const std::string& name_space) {
  rados_ioctx_t io = nullptr;
  const int code = rados_ioctx_create2(cluster_, id_, &io);
  if (code == -ENOENT) return unavailable("the pool was deleted");
  if (code != 0) return error_of(code);
  rados_ioctx_set_namespace(io, name_space.c_str());
  return Door(io);
}

bool Pool::is_deleted() {
  std::array<char, 1> too_small{};
  return rados_pool_reverse_lookup(cluster_, id_, too_small.data(), too_small.size()) == -ENOENT;
}

}  // namespace reclaim::objects_rados
