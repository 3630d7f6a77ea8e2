// Which driver stands behind a root: the one place of `reclaim worker` that knows them by name.
#pragma once

#include <functional>
#include <memory>

#include "apps/worker_options.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/resource_driver.hpp"

namespace reclaim::apps {

struct OpenedDriver {
  std::unique_ptr<ports::ResourceDriver> driver;
  std::function<Status(Instant)> sweep;  // removes what former processes left half destroyed, beside destroy(); empty where none is needed
};

// `lock_fd` is the root's lock, for children to hold on. The root is there and locked.
Result<OpenedDriver> open_driver(const RootSpec& root, int lock_fd, const Clock& clock);

}  // namespace reclaim::apps
