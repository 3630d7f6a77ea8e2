// The gateway's door when the server is in the same process.
#pragma once

#include "ports/control_door.hpp"
#include "server/control_plane.hpp"

namespace reclaim::apps {

class LocalDoor : public ports::ControlDoor {
 public:
  explicit LocalDoor(server::ControlPlane& plane) : plane_(plane) {}

  Result<WorkerName> worker_of(const std::string& key) override;
  void sync(const std::string& key, std::string frame, Answer answer) override;
  Result<std::string> call(const std::string& key, ports::WorkerCall call) override;

 private:
  server::ControlPlane& plane_;
};

}  // namespace reclaim::apps
