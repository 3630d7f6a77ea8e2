// The store that needs a Ceph.
#include <memory>

#include "adapters/objects_rados/rados_store.hpp"
#include "contract/store/stores.hpp"
#include "support/ceph.hpp"

namespace reclaim::test {
namespace {

// A pool of its own: a list looks at every name in the pool.
class RadosSubject : public Subject {
 public:
  ~RadosSubject() override { PrivateCeph::shared().delete_pool(pool_); }
  std::shared_ptr<ports::ObjectStore> open() override {
    return objects_rados::open_rados({.pool = pool_, .conf = PrivateCeph::shared().conf()}, testing_support::real_clock()).value();
  }

 private:
  const std::string pool_ = PrivateCeph::shared().fresh_pool();
};

}  // namespace

std::vector<Maker> makers() {
  return {{"Rados", []() -> std::unique_ptr<Subject> { return std::make_unique<RadosSubject>(); }}};
}

}  // namespace reclaim::test
