// What every use case of the catalogue is handed: the database, the time that people read, and who acts.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::archive {

struct Context {
  ports::Database& database;
  WallTime wall;
  std::string actor;  // for the audit trail: `token:ci`, `pass:cleanup`
};

template <class T>
struct Outcome {
  T value;
  bool created = false;
};

// Whether a request names the thing that is about to be removed. The catalogue does not know: requests are not in the database. Asked
// under the lock of the thing's row; who enqueues a request for it looks at the catalogue afterwards.
using HasRequests = std::function<Result<bool>()>;

}  // namespace reclaim::archive
