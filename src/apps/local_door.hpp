// The gateway's door when the server is in the same process.
#pragma once

#include "http/sync_desk.hpp"
#include "ports/control_door.hpp"
#include "server/control_plane.hpp"

namespace reclaim::apps {

class LocalDoor : public ports::ControlDoor {
 public:
  LocalDoor(server::ControlPlane& plane, http::SyncDesk& syncs) : plane_(plane), syncs_(syncs) {}

  Result<WorkerName> worker_of(const std::string& key) override;
  void sync(const std::string& key, std::string frame, Answer answer) override;
  Result<std::string> call(const std::string& key, ports::WorkerCall call) override;

 private:
  server::ControlPlane& plane_;
  http::SyncDesk& syncs_;
};

}  // namespace reclaim::apps
