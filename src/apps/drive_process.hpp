// A tape drive as a process: its agent, whose heart beats on a thread of its own, and mount after mount on another.
//
// Who is collected stops at once and registers again; so does who is in doubt. What goes wrong is told and tried again after a rest.
// Stopping gives up the file in hand, hands everything back and leaves. A crash leaves an agent to be collected.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agents/agent.hpp"
#include "archive/estate.hpp"
#include "archive/hand.hpp"
#include "drive/session.hpp"
#include "http/metrics.hpp"
#include "ports/database.hpp"
#include "runtime/loop.hpp"

namespace reclaim::apps {

struct DriveParts {
  ports::Database& database;
  ports::ObjectStore& store;
  ports::TapeLibrary& library;
  ports::DiskBuffer& buffer;
  const Clock& clock;
  http::Metrics& metrics;
};

struct DriveOptions {
  archive::DriveName name;
  std::string mount_hook;  // a program; empty: tapes need none
  Millis heartbeat{1000};
};

class DriveProcess {
 public:
  DriveProcess(const DriveParts& parts, DriveOptions options) : parts_(parts), options_(std::move(options)) {}
  ~DriveProcess() { stop(); }

  // The drive is in the catalogue and its agent registered, or the reason why not.
  Status start();
  // Waits for the step at hand.
  void stop();

 private:
  // One registration.
  struct Registered {
    Registered(ports::ObjectStore& store, std::unique_ptr<agents::Agent> one, std::function<archive::Context()> context)
        : agent(std::move(one)), hand(store, *agent), estate(hand, std::move(context)) {}

    std::unique_ptr<agents::Agent> agent;
    archive::Hand hand;
    archive::ArchiveEstate estate;
  };

  archive::Context context() const;
  Status sign_on();
  std::shared_ptr<Registered> registered() const;
  void give_up();
  void beat();
  std::optional<Millis> work();
  Result<drive::MountReport> serve(Registered& registered);
  drive::Drive drive_of(Registered& registered);
  void tell(const drive::MountReport& report);
  void count(const drive::Try& tried);
  void measure(const Result<drive::MountReport>& report, Millis took);
  Status load(const archive::Vid& vid);
  Status unload(const archive::Vid& vid);
  Status run_hook(const char* what, const archive::Vid& vid);
  void leave();

  DriveParts parts_;
  DriveOptions options_;
  std::string idle_because_;  // as it was told last; of the working thread
  std::shared_ptr<drive::Resting> resting_ = std::make_shared<drive::Resting>();
  std::atomic<bool> is_stopping_ = false;
  mutable std::mutex mutex_;
  std::shared_ptr<Registered> registered_;  // null: to be registered anew
  std::unique_ptr<runtime::Loop> heart_;
  std::unique_ptr<runtime::Loop> loop_;
};

}  // namespace reclaim::apps
