// `reclaim worker`: four kinds of threads around one agent. The loop's thread syncs, this one starts what is ordered and takes in
// what came of it, those of one pool list, each driver its own, those of the other destroy. The agent is guarded by one mutex, which
// nobody holds while listing, talking or destroying.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <utility>

#include "adapters/link_ssh/ssh_link.hpp"
#include "adapters/system/boot.hpp"
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

constexpr Millis kRootsRetry{500};
constexpr Millis kRootsMessageEvery{60'000};
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
        drivers_(machine.drivers()),
        lists_(drivers_.size()),
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
    if (!lists_.wait_idle(kStopPatience)) leave_at_once("a list hangs");
    return exit_code();
  }

  // Ends the wait of the thread in run(), and a held answer.
  void wake() {
    outcomes_.wake();
    listed_.notify_all();
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
    const std::optional<wire::SyncRequest> request = list();
    if (!request) return std::nullopt;
    const bool asked_before = wishes_.land || wishes_.retire;
    const auto answer = link_.exchange(*request);
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

  // The next sync, once every list has come back or there is none left to wait for; nothing when told to stop meanwhile.
  std::optional<wire::SyncRequest> list() {
    std::unique_lock lock(mutex_);
    for (const std::size_t place : agent_.begin(clock_.now())) {
      lists_.submit([this, place] {
        worker::Listing listing = drivers_[place]->list();
        const std::lock_guard guard(mutex_);
        agent_.listed(place, std::move(listing), clock_.now());
        listed_.notify_all();
      });
    }
    for (std::optional<Instant> until = agent_.waits_until(); until && *until > clock_.now(); until = agent_.waits_until()) {
      if (wishes_.stop || exit_code_ != kRunning) return std::nullopt;
      listed_.wait_for(lock, std::min(*until - clock_.now(), kLookEvery));
    }
    return agent_.prepare(machine_.disk_use(), clock_.now());
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
    Status first;
    for (ports::ResourceDriver* driver : drivers) {
      Status status = driver->destroy(handle, start.deadline);
      if (first.ok()) first = std::move(status);
    }
    return first;
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
      const std::size_t slots = agent_.destroyer().slots(order.kind);
      agent_.destroyer().finished(order.kind, order.handle, status, clock_.now());
      tell_slots(order.kind, slots, agent_.destroyer().slots(order.kind));
    }
    return !outcomes.empty();
  }

  static void tell_slots(ResourceKind kind, std::size_t before, std::size_t now) {
    if (now == before) return;
    runtime::log_info("destroys " + std::to_string(now) + " " + std::string(plural_of(kind)) + " at once, not " + std::to_string(before) +
                      (now < before ? ": most fail, or take far longer than usual" : ": it goes well"));
  }

  WorkerMachine& machine_;
  worker::Agent& agent_;
  link_ssh::SshLink& link_;
  Wishes& wishes_;
  const Clock& clock_;
  const Millis destroy_timeout_;
  const std::vector<ports::ResourceDriver*> drivers_;
  std::mutex mutex_;  // guards agent_
  std::condition_variable listed_;
  std::atomic<int> exit_code_{kRunning};
  bool retired_ = false;
  runtime::ResultQueue<Outcome> outcomes_;
  runtime::BoundedPool lists_;  // no driver is listed twice at once, so there is always a thread free
  runtime::BoundedPool pool_;
};

// False when a signal came first.
Result<bool> wait_for_roots(WorkerMachine& machine, const Wishes& wishes, const Clock& clock) {
  Instant next_message{};
  std::string said;
  for (;;) {
    const std::string obstacle = TRY(machine.hold_roots());
    if (obstacle.empty()) return true;
    if (wishes.stop) return false;
    if (obstacle != said || clock.now() >= next_message) {
      runtime::log_warning("waits for " + obstacle);
      next_message = clock.now() + kRootsMessageEvery;
      said = obstacle;
    }
    system::pause_for(kRootsRetry);
  }
}

// Without it the control plane only does not learn that containers are of an earlier boot.
std::string boot() {
  auto id = system::boot_id();
  if (id.ok()) return std::move(id).value();
  runtime::log_warning("cannot tell which boot this is: " + id.error().message);
  return "";
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
  WorkerMachine machine(options.roots, clock);
  if (!TRY(wait_for_roots(machine, wishes, clock))) return 0;
  const worker::Marker marker = TRY(machine.mark_roots(random, options.accepts_new_incarnation));
  worker::AgentOptions agent_options{
      {make_uuid(random), marker.incarnation, marker.started}, options.sync_interval, {}, options.observe, {}};
  agent_options.hold_max = options.sync_interval;
  agent_options.limits = {options.in_flight, options.straggler_after, options.destroy_timeout};
  agent_options.boot = boot();
  agent_options.accepts_new_incarnation = options.accepts_new_incarnation;
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
