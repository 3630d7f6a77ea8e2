// One root of a worker, whatever becomes of it while the worker runs. A disk may be away when the worker starts, come later, be unmounted
// under its hands, or come back as another one. None of that stops the worker's other roots.
//
// What callers may rely on
//  * Nothing is listed or destroyed under a root that is not there, not locked by this worker, without the marker that it should carry,
//    or not at its path any more: both calls then fail and say why. So a disk that is away never looks like an empty one.
//  * list() looks for such a root again, at most once a second, and takes it in when it is fit: locked first, its marker read, then
//    listed. What was listed while the root went away is not believed.
//  * Who works under a root that went away finishes there; its lock is held until then, so that nobody acts under it meanwhile.
//
// Before the session: hold(), read_marker(), expect(), adopt(), from one thread. After that it is a driver like any other.
// A crash leaves the lock to the kernel and the marker as it was.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/system/root_directory.hpp"
#include "apps/worker_drivers.hpp"
#include "apps/worker_options.hpp"
#include "base/result.hpp"
#include "ports/resource_driver.hpp"
#include "worker/roots.hpp"

namespace reclaim::apps {

class WorkerRoot : public ports::ResourceDriver {
 public:
  WorkerRoot(RootSpec spec, const Clock& clock) : spec_(std::move(spec)), clock_(clock) {}

  // Opens and locks what is there. False while somebody else holds its lock; an error says why the root is not fit now.
  Result<bool> hold();
  // Of a root that is held.
  Result<std::optional<worker::Marker>> read_marker() const;
  // The root carries this marker from now on, and only with it is anything done here. `accepts_empty`: a root that should carry it and
  // has none begins anew.
  void expect(const worker::Marker& marker, bool accepts_empty);
  // Of a root that is held: it is fit from now on, or the error says why not.
  Status adopt();
  // Of a root that is fit.
  Status write_marker() const;

  const RootSpec& spec() const { return spec_; }
  // Its marker lies with its volumes: without the one it is without the other.
  bool is_disk() const { return spec_.kind == ResourceKind::kVolume && spec_.home == spec_.path; }
  bool is_fit() const { return fit() != nullptr; }

  ResourceKind kind() const override { return spec_.kind; }
  std::string name() const override { return spec_.driver + ":" + spec_.path; }
  Result<std::vector<ports::Listed>> list() override;
  Status destroy(const Handle& handle, Instant deadline) override;
  void sweep(Instant deadline) const;
  // What the last list found.
  std::optional<wire::Disk> disk() const;

 private:
  // Closed by the last who works under it.
  struct Opened {
    explicit Opened(system::RootDirectory root) : directory(std::move(root)) {}
    system::RootDirectory directory;
    bool locked = false;
    OpenedDriver driver;
  };
  using Hold = std::shared_ptr<Opened>;

  Hold fit() const;
  void set_fit(Hold hold);
  Status check(const Opened& opened) const;
  Result<Hold> look_again();
  Status take_in();

  const RootSpec spec_;
  const Clock& clock_;
  bool accepts_empty_ = false;
  bool was_fit_ = false;
  Hold held_;  // until it is fit
  std::optional<worker::Marker> ours_;
  std::optional<Error> unfit_;  // what the last look found
  Instant next_look_;

  mutable std::mutex mutex_;  // guards what follows
  Hold fit_;
  std::optional<wire::Disk> disk_;
};

}  // namespace reclaim::apps
