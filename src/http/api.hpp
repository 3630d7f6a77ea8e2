// The API: every route, who may take it, and the order in which errors are found: 400, 401/403, 404 of the path, 422, 409.
//
// A body is read before anything else is said about it, a token before the path's objects: what a stranger learns is that he is one.
// The exception is a large body without a valid token, which is refused unread.
//
// Who may call: any number of pool threads.
#pragma once

#include <functional>
#include <memory>

#include "base/time.hpp"
#include "http/metrics.hpp"
#include "http/service.hpp"
#include "http/sync_desk.hpp"
#include "server/archive_plane.hpp"
#include "server/control_plane.hpp"

namespace reclaim::http {

struct ApiParts {
  server::ControlPlane& plane;
  server::ArchivePlane& archive;
  SyncDesk& syncs;
  const Clock& clock;
  Random& random;  // from any thread
  Metrics& metrics;
  std::function<void()> refresh_metrics;
  std::function<Status()> readiness;  // why not, for /readyz
};

class Api : public Service {
 public:
  explicit Api(ApiParts parts);
  ~Api() override;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void handle(Call call, std::function<void(Reply)> answer) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reclaim::http
