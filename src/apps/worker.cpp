// `reclaim worker`: three kinds of threads around one agent. The loop's thread syncs, this one starts what is ordered and takes in
// what came of it, the pool's destroy. The agent is guarded by one mutex, which nobody holds while listing, talking or destroying.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <utility>

#include "adapters/link_ssh/ssh_link.hpp"
#include "adapters/system/system_time.hpp"
#include "apps/worker_machine.hpp"
#include "apps/worker_options.hpp"
#include "runtime/bounded_pool.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/signals.hpp"
#include "worker/agent.hpp"

namespace reclaim::apps {
namespace {

constexpr int kExitSuperseded = 4;

constexpr Millis kLockRetry{500};
constexpr Millis kLockMessageEvery{5'000};
constexpr Millis kResultsDebounce{30};  // results that become ready together go in one sync
constexpr Millis kLookEvery{1'000};
constexpr Millis kStopPatience{5'000};

// What the signals ask for. Set on the signal thread, seen by the others.
struct Wishes {
  std::atomic<bool> stop{false};
  std::atomic<bool> land{false};
  std::atomic<bool> retire{false};

  std::mutex mutex;            // guards wake, and keeps whom it wakes alive while it runs
  std::function<void()> wake;  // or empty
};

constexpr int kRunning = -1;

struct Outcome {
  worker::Start order;
  Status status;
};

class WorkerProcess {
 public:
  WorkerProcess(const WorkerOptions& options, WorkerMachine& machine, worker::Agent& agent, link_ssh::SshLink& link, Wishes& wishes,
                const Clock& clock)
      : machine_(machine),
        agent_(agent),
        link_(link),
        wishes_(wishes),
        clock_(clock),
        destroy_timeout_(options.destroy_timeout),
        pool_(worker::running_max(options.in_flight.containers) + worker::running_max(options.in_flight.volumes) + 1) {}

  int run() {
    pool_.submit([this] { machine_.sweep(clock_.now() + destroy_timeout_); });
    {
      runtime::Loop loop(clock_, [this](const std::stop_token&) { return sync(); });
      while (!wishes_.stop && exit_code_ == kRunning) {
        start_orders();
        if (take_outcomes()) loop.wake(kResultsDebounce);
        if (wishes_.land || wishes_.retire) loop.wake();
      }
      loop.stop();
      link_.interrupt();
      // A superseded worker finishes what it began; one that is told to stop does not wait for long.
      const bool finished = pool_.wait_idle(exit_code_ == kExitSuperseded ? destroy_timeout_ : kStopPatience);
      if (!finished) leave_at_once("something is still being destroyed");
      if (!loop.wait_ended(kStopPatience)) leave_at_once("a sync hangs");
    }
    return exit_code();
  }

  // Ends the wait of the thread in run(), and a held answer.
  void wake() {
    outcomes_.wake();
    link_.interrupt();
  }

 private:
  // Threads that the kernel holds cannot be joined. The roots' locks are let go when the last of them is gone.
  [[noreturn]] void leave_at_once(const std::string& why) {
    runtime::log_warning("leaves although " + why);
    std::_Exit(exit_code());
  }

  int exit_code() const { return exit_code_ == kRunning ? 0 : exit_code_.load(); }

  std::optional<Millis> sync() {
    if (wishes_.stop || exit_code_ != kRunning) return std::nullopt;
    make_calls();
    {
      const std::lock_guard lock(mutex_);
      agent_.begin();
    }
    worker::Listings listings = machine_.list();
    std::optional<wire::Disk> disk = machine_.disk_use();
    wire::SyncRequest request;
    {
      const std::lock_guard lock(mutex_);
      request = agent_.prepare(std::move(listings), disk, clock_.now());
    }
    const bool asked_before = wishes_.land || wishes_.retire;
    const auto answer = link_.exchange(request);
    // Given up for a signal's sake: to the agent it is a lost answer like any other.
    if (!answer.ok() && (wishes_.stop || (!asked_before && (wishes_.land || wishes_.retire)))) return Millis(0);
    worker::Turn turn;
    {
      const std::lock_guard lock(mutex_);
      turn = agent_.take(answer, clock_.now());
    }
    tell(turn.notes);
    if (turn.verdict == worker::Turn::Verdict::kSuperseded) exit_code_ = kExitSuperseded;
    if (retired_ && !answer.ok() && answer.error().kind == Error::Kind::kUnauthenticated) {
      runtime::log_info("retired");
      exit_code_ = 0;
    }
    outcomes_.wake();
    return turn.pause;
  }

  // Calls that fail are made again by the next turn.
  void make_calls() {
    if (wishes_.land) made("land", link_.land(), wishes_.land);
    if (wishes_.retire && made("retire", link_.retire(), wishes_.retire)) retired_ = true;
  }

  static bool made(const std::string& call, const Status& status, std::atomic<bool>& wish) {
    if (status.ok()) {
      runtime::log_info(call + ": accepted");
    } else {
      runtime::log_warning(call + ": " + status.error().message);
    }
    const bool is_final = status.ok() || status.error().kind != Error::Kind::kUnavailable;
    if (is_final) wish = false;
    return status.ok();
  }

  static void tell(const std::vector<worker::Note>& notes) {
    for (const worker::Note& note : notes)
      runtime::log(note.is_warning ? runtime::LogLevel::kWarning : runtime::LogLevel::kInfo, note.text);
  }

  void start_orders() {
    std::vector<std::pair<worker::Start, std::vector<ports::ResourceDriver*>>> starts;
    {
      const std::lock_guard lock(mutex_);
      for (worker::Start& start : agent_.destroyer().start(clock_.now())) {
        std::vector<ports::ResourceDriver*> drivers = agent_.drivers_of(start.kind, start.handle);
        starts.emplace_back(std::move(start), std::move(drivers));
      }
    }
    for (auto& [start, drivers] : starts) {
      pool_.submit([this, start = std::move(start), drivers = std::move(drivers)] {
        Status status = destroy(start, drivers);
        outcomes_.push({start, std::move(status)});
      });
    }
  }

  static Status destroy(const worker::Start& start, const std::vector<ports::ResourceDriver*>& drivers) {
    if (drivers.empty()) return conflict("it is under several roots: nobody can tell which is meant");
    const Handle handle = TRY(parse_handle(start.handle));
    for (ports::ResourceDriver* driver : drivers) TRY(driver->destroy(handle, start.deadline));
    return done();
  }

  bool take_outcomes() {
    std::optional<Instant> next;
    {
      const std::lock_guard lock(mutex_);
      next = agent_.destroyer().next_start();
    }
    const Millis patience = next ? std::clamp(*next - clock_.now(), Millis(1), kLookEvery) : kLookEvery;
    const std::vector<Outcome> outcomes = outcomes_.wait(patience);
    const std::lock_guard lock(mutex_);
    for (const auto& [order, status] : outcomes) {
      const std::string what = std::string(name_of(order.kind)) + " " + order.handle;
      if (status.ok()) {
        runtime::log_info("destroyed " + what);
      } else {
        runtime::log_warning("cannot destroy " + what + ": " + status.error().message);
      }
      agent_.destroyer().finished(order.kind, order.handle, status, clock_.now());
    }
    return !outcomes.empty();
  }

  WorkerMachine& machine_;
  worker::Agent& agent_;
  link_ssh::SshLink& link_;
  Wishes& wishes_;
  const Clock& clock_;
  const Millis destroy_timeout_;
  std::mutex mutex_;  // guards agent_
  std::atomic<int> exit_code_{kRunning};
  bool retired_ = false;
  runtime::ResultQueue<Outcome> outcomes_;
  runtime::BoundedPool pool_;
};

// False when a signal came first.
Result<bool> wait_for_roots(WorkerMachine& machine, const Wishes& wishes, const Clock& clock) {
  Instant next_message{};
  for (;;) {
    const std::vector<std::string> held = TRY(machine.lock_roots());
    if (held.empty()) return true;
    if (wishes.stop) return false;
    if (clock.now() >= next_message) {
      runtime::log_warning("waits for " + held.front() + ": another worker, or a child that it left behind, still holds its lock");
      next_message = clock.now() + kLockMessageEvery;
    }
    system::pause_for(kLockRetry);
  }
}

int exit_code_of(const Error& error) {
  std::cerr << "reclaim worker: " << (error.field.empty() ? "" : "--" + error.field + " ") << error.message << "\n";
  return error.kind == Error::Kind::kUnavailable ? cli::kFailed : cli::kUsage;
}

void set_wake(Wishes& wishes, std::function<void()> wake) {
  const std::lock_guard lock(wishes.mutex);
  wishes.wake = std::move(wake);
}

Result<int> live(const WorkerOptions& options, Wishes& wishes) {
  const system::SystemClock clock;
  system::SystemRandom random;
  FileMemory memory = TRY(FileMemory::open(options.state));
  const std::unique_ptr<link_ssh::SshLink> link = TRY(link_ssh::SshLink::open({.host = options.gateway_host,
                                                                               .port = options.gateway_port,
                                                                               .worker = options.name,
                                                                               .key_file = options.key,
                                                                               .gateway_key_file = options.gateway_key,
                                                                               .gateway_fingerprint = options.gateway_fingerprint},
                                                                              clock));
  WorkerMachine machine = TRY(WorkerMachine::open(options.roots, clock));
  if (!TRY(wait_for_roots(machine, wishes, clock))) return 0;
  const worker::Marker marker = TRY(machine.mark_roots(random));
  TRY(machine.open_drivers());
  worker::AgentOptions agent_options{
      {make_uuid(random), marker.incarnation, marker.started}, options.sync_interval, {}, options.observe, {}};
  agent_options.hold_max = options.sync_interval;
  agent_options.limits = {options.in_flight, options.straggler_after, options.destroy_timeout};
  worker::Agent agent(agent_options, machine.drivers(), memory, random);
  TRY(agent.open());
  runtime::log_info("worker " + options.name + ", incarnation " + marker.incarnation + ", start " + std::to_string(marker.started));
  WorkerProcess process(options, machine, agent, *link, wishes, clock);
  set_wake(wishes, [&process] { process.wake(); });
  const int exit_code = process.run();
  set_wake(wishes, nullptr);
  return exit_code;
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  runtime::start_log(runtime::LogLevel::kInfo);
  Wishes wishes;
  const runtime::Signals signals({SIGTERM, SIGINT, SIGUSR1, SIGUSR2}, [&wishes](int number) {
    if (number == SIGUSR1) {
      wishes.land = true;
    } else if (number == SIGUSR2) {
      wishes.retire = true;
    } else {
      wishes.stop = true;
    }
    const std::lock_guard lock(wishes.mutex);
    if (wishes.wake) wishes.wake();
  });
  auto exit_code = live(options, wishes);
  return exit_code.ok() ? exit_code.value() : exit_code_of(exit_code.error());
}

}  // namespace reclaim::apps
