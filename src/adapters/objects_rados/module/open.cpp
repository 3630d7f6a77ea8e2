// The module's one door.
#include "adapters/objects_rados/rados_store.hpp"

extern "C" void reclaim_open_rados(const reclaim::objects_rados::RadosOptions& options, const reclaim::Clock& clock,
                                   reclaim::Result<std::unique_ptr<reclaim::ports::ObjectStore>>& opened) {
  opened = reclaim::objects_rados::open_rados(options, clock);
}
