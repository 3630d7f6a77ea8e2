#include "stores.hpp"

#include "adapters/objects_lmdb/lmdb_store.hpp"
#ifdef RECLAIM_HAS_RADOS
#include "adapters/objects_rados/rados_store.hpp"
#include "support/ceph.hpp"
#endif

namespace reclaim::bench {
namespace {

class LmdbStores : public Stores {
 public:
  std::string name() const override { return "lmdb, fsync"; }
  std::unique_ptr<ports::ObjectStore> open(const std::filesystem::path& directory) override {
    return objects_lmdb::open_lmdb({.directory = directory}).value();
  }
};

#ifdef RECLAIM_HAS_RADOS
class RadosStores : public Stores {
 public:
  std::string name() const override { return "rados, bluestore"; }
  std::unique_ptr<ports::ObjectStore> open(const std::filesystem::path&) override {
    return objects_rados::open_rados({.pool = ceph_.fresh_pool(), .conf = ceph_.conf()}, testing_support::real_clock()).value();
  }

 private:
  test::PrivateCeph ceph_{"bluestore"};
};
#endif

}  // namespace

#ifdef RECLAIM_HAS_RADOS
std::vector<std::string> names_of_stores() { return {"lmdb", "rados"}; }

std::unique_ptr<Stores> stores_named(const std::string& name) {
  if (name == "rados") return std::make_unique<RadosStores>();
  return std::make_unique<LmdbStores>();
}
#else
std::vector<std::string> names_of_stores() { return {"lmdb"}; }

std::unique_ptr<Stores> stores_named(const std::string&) { return std::make_unique<LmdbStores>(); }
#endif

}  // namespace reclaim::bench
