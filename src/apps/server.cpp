#include "apps/server.hpp"

#include <unistd.h>

#include <csignal>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <utility>

#include "adapters/system/system_time.hpp"
#include "apps/data_directory.hpp"
#include "apps/flag_text.hpp"
#include "apps/ledger_loop.hpp"
#include "apps/local_door.hpp"
#include "apps/maintenance_loops.hpp"
#include "apps/open_database.hpp"
#include "apps/open_store.hpp"
#include "apps/process_name.hpp"
#include "apps/report_pass.hpp"
#include "apps/server_metrics.hpp"
#include "apps/server_options.hpp"
#include "gateway/gateway.hpp"
#include "http/api.hpp"
#include "http/transport.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/signals.hpp"
#include "server/archive_plane.hpp"
#include "server/control_plane.hpp"

namespace reclaim::apps {
namespace {

constexpr Millis kTick{1'000};
constexpr Millis kTrimPeriod{60'000};
constexpr Millis kLevelsPeriod{10'000};
constexpr std::size_t kLargeSyncsAtOnce = 2;

server::ControlPlaneOptions plane_options(const ServerOptions& options, const std::string& holder, bool is_embedded) {
  return {.policy = options.policy,
          .holder = holder,
          .claim_timeout = is_embedded ? Millis(0) : options.agent_timeout,
          .event_retention = options.event_retention,
          .event_max = options.event_max};
}

// Runs every pass of the fleet in a loop of its own: none waits for another.
class Passes {
 public:
  Passes(server::ControlPlane& plane, http::Metrics& metrics, const Clock& clock) : plane_(plane), metrics_(metrics), clock_(clock) {
    plane_.set_wake([this](std::string_view name) { wake(name); });
  }

  void start(std::optional<Millis> interval) {
    add("service-clock", kTick, [this] { report("service-clock", plane_.tick()); });
    add("held-syncs", server::kHeldCheck, [this] { plane_.serve_held(); });
    for (const std::string& name : server::ControlPlane::pass_names()) {
      const bool is_collector = name != server::kTrimEvents;
      if (is_collector && !interval) continue;
      add(name, is_collector ? *interval : kTrimPeriod, [this, name] { run(name); });
    }
  }

  // No pass starts any more.
  void stop() {
    const std::lock_guard lock(mutex_);
    for (auto& [name, loop] : loops_) loop->stop();
  }

 private:
  void add(const std::string& name, Millis period, std::function<void()> pass) {
    const std::lock_guard lock(mutex_);
    loops_.emplace(name, std::make_unique<runtime::Loop>(clock_, period, [pass = std::move(pass)](const std::stop_token&) { pass(); }));
  }

  void wake(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto loop = loops_.find(name);
    if (loop != loops_.end()) loop->second->wake();
  }

  void run(const std::string& name) {
    const Instant began = clock_.now();
    const Result<fleet::PassReport> report = plane_.run_pass(name);
    measure(name, began);
    if (!report.ok()) return this->report(name, report.error());
    metrics_.add(http::Metric::kPassChangedTotal, {name}, static_cast<double>(report.value().changed));
    for (const std::string& failure : report.value().failures) this->report(name, unavailable(failure));
    if (report.value().changed > 0) runtime::log_info(name + ": " + std::to_string(report.value().changed) + " changed");
  }

  void measure(const std::string& name, Instant began) {
    metrics_.observe(http::Metric::kPassSeconds, {name}, static_cast<double>((clock_.now() - began).count()) / 1000.0);
  }

  void report(const std::string& name, const Status& status) {
    if (status.ok()) return;
    metrics_.add(http::Metric::kPassFailuresTotal, {name});
    runtime::log_warning(name + ": " + status.error().message + "; it is tried again");
  }

  server::ControlPlane& plane_;
  http::Metrics& metrics_;
  const Clock& clock_;
  std::mutex mutex_;  // of the map, not of the passes
  std::map<std::string, std::unique_ptr<runtime::Loop>, std::less<>> loops_;
};

// Everything of a running server, in the order in which it is made; it is taken down in the reverse.
class Server {
 public:
  Server(const ServerOptions& options, const Clock& clock, Random& random) : options_(options), clock_(clock), random_(random) {}

  Status start() {
    data_ = std::make_unique<DataDirectory>(TRY(DataDirectory::open(options_.data)));
    OpenedDatabase opened = TRY(open_database(options_.database));
    database_ = std::move(opened.database);
    store_ = std::make_unique<server::CountedStore>(TRY(open_store(options_.store)));
    archive_ = std::make_unique<server::ArchivePlane>(
        *database_, *store_, clock_,
        server::MaintenanceOptions{.process = process_name("server"),
                                   .agent_timeout = options_.agent_timeout,
                                   .sweep_period = options_.maintenance_interval.value_or(Millis(0))});
    plane_ = std::make_unique<server::ControlPlane>(*database_, clock_, plane_options(options_, make_uuid(random_), opened.is_embedded));
    TRY(plane_->open(random_));
    plane_->set_sync_observer([this](const Result<fleet::SyncOutcome>& outcome, Millis took) { measure_sync(metrics_, outcome, took); });
    TRY(data_->ensure_admin_token(*database_, random_, clock_.wall()));
    passes_ = std::make_unique<Passes>(*plane_, metrics_, clock_);
    reports_ = std::make_unique<ReportPass>(clock_, options_.reporter, options_.done);
    reports_->add_to(archive_->maintenance());
    maintenance_ = std::make_unique<MaintenanceLoops>(
        archive_->maintenance(), clock_,
        [this](const std::string& pass, const Result<server::PassRun>& run, Millis took) {
          measure_maintenance(metrics_, pass, run, took);
        },
        [this] { (void)archive_->retrieves().beat(); });
    archive_->set_wake([this] { maintenance_->wake(server::kCleanup); });
    TRY(start_doors());
    passes_->start(options_.collector_interval);
    maintenance_->start(
        {.interval = options_.maintenance_interval, .heartbeat = options_.agent_heartbeat, .agent_timeout = options_.agent_timeout});
    return done();
  }

  void stop() {
    if (passes_) passes_->stop();
    if (plane_) plane_->release_held();
    if (gateway_) gateway_->stop();
    if (transport_) transport_->stop();
    if (metrics_transport_) metrics_transport_->stop();
    levels_.reset();
    ledger_.reset();
    if (reports_) reports_->stop();
    if (archive_) leave_desk();
    if (maintenance_) maintenance_->stop();
    passes_.reset();
  }

  std::string summary() const {
    return "ready: API on http://" + options_.listen.host + ":" + std::to_string(transport_->port()) + ", gateway on " +
           options_.gateway_listen.host + ":" + std::to_string(gateway_->port()) + " (" + gateway_->fingerprint() +
           "), metrics on http://" + options_.metrics_listen.host + ":" + std::to_string(metrics_transport_->port()) + "/metrics";
  }

 private:
  // Nobody calls any more.
  void leave_desk() {
    const Status left = archive_->retrieves().leave();
    if (!left.ok()) runtime::log_warning("the desk could not leave: " + left.error().message + "; another process gives back what it had");
  }

  Status start_doors() {
    // Apart from the doors: a store that does not answer keeps nobody from the fleet's metrics.
    levels_ = std::make_unique<runtime::Loop>(
        clock_, kLevelsPeriod, [this](const std::stop_token&) { refresh_archive(metrics_, *store_, archive_->maintenance().watched()); });
    ledger_ = std::make_unique<LedgerLoop>(metrics_, *archive_, clock_);
    const auto refresh = [this] {
      refresh_metrics(metrics_, *plane_, *transport_, *gateway_, *syncs_);
      refresh_store(metrics_, *store_);
      count_late(metrics_, archive_->retrieves().take_late());
      levels_->wake();
    };
    syncs_ = std::make_unique<http::SyncDesk>(*plane_, metrics_, clock_, runtime::Lane::Limits{.threads = kLargeSyncsAtOnce});
    api_ = std::make_unique<http::Api>(http::ApiParts{.plane = *plane_,
                                                      .archive = *archive_,
                                                      .syncs = *syncs_,
                                                      .clock = clock_,
                                                      .random = random_,
                                                      .metrics = metrics_,
                                                      .refresh_metrics = refresh,
                                                      .readiness = [this] { return plane_->readiness(); }});
    door_ = std::make_unique<LocalDoor>(*plane_, *syncs_);
    const std::string host_key = data_->path() + "/ssh_host_ed25519_key";
    gateway_ = std::make_unique<gateway::Gateway>(gateway::GatewayOptions{.listen_host = options_.gateway_listen.host,
                                                                          .listen_port = options_.gateway_listen.port,
                                                                          .host_key = host_key,
                                                                          .sessions_max = options_.gateway_sessions_max,
                                                                          .sessions_per_key_max = options_.gateway_sessions_per_key_max,
                                                                          .unauthenticated_max = options_.gateway_unauthenticated_max},
                                                  *door_, clock_);
    TRY(gateway_->start());
    transport_ = TRY(http::Transport::start(
        {.host = options_.listen.host, .port = options_.listen.port, .record_file = options_.record_exchanges}, *api_));
    metrics_service_ = std::make_unique<http::MetricsService>(metrics_, refresh);
    metrics_transport_ = TRY(http::Transport::start({.host = options_.metrics_listen.host,
                                                     .port = options_.metrics_listen.port,
                                                     .threads = 1,
                                                     .descriptors_left = runtime::kLeftByMetrics},
                                                    *metrics_service_));
    return done();
  }

  const ServerOptions& options_;
  const Clock& clock_;
  Random& random_;
  http::Metrics metrics_;
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<ports::Database> database_;
  std::unique_ptr<server::CountedStore> store_;
  std::unique_ptr<server::ArchivePlane> archive_;
  std::unique_ptr<server::ControlPlane> plane_;
  std::unique_ptr<http::SyncDesk> syncs_;
  std::unique_ptr<LocalDoor> door_;
  std::unique_ptr<http::Api> api_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<http::Transport> transport_;
  std::unique_ptr<http::MetricsService> metrics_service_;
  std::unique_ptr<http::Transport> metrics_transport_;
  std::unique_ptr<Passes> passes_;
  std::unique_ptr<ReportPass> reports_;
  std::unique_ptr<MaintenanceLoops> maintenance_;
  std::unique_ptr<runtime::Loop> levels_;  // of the archive, for metrics
  std::unique_ptr<LedgerLoop> ledger_;
};

int exit_code_of(const Error& error) {
  if (error.kind == Error::Kind::kInvalid) return cli::kUsage;
  return error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended ? cli::kTemporary : cli::kFailed;
}

int run_server(const ServerOptions& options) {
  std::binary_semaphore stopping(0);
  const runtime::Signals signals({SIGTERM, SIGINT}, [&](int) { stopping.release(); });
  const system::SystemClock clock;
  system::SystemRandom random;
  Server server(options, clock, random);
  const Status started = server.start();
  if (!started.ok()) {
    server.stop();
    runtime::log_error("cannot start: " + text_of_flag_error(started.error()));
    return exit_code_of(started.error());
  }
  runtime::log_info(server.summary());
  stopping.acquire();
  runtime::log_info("stopping");
  server.stop();
  return cli::kDone;
}

}  // namespace

void add_server_command(cli::CommandLine& line) {
  auto flags = std::make_shared<std::unique_ptr<ServerFlags>>();
  CLI::App* command = line.add(nullptr, "server", "Serves the API and the SSH gateway, and runs the collectors",
                               "reclaim server --data /var/lib/reclaim", [flags, &line]() -> int {
                                 const Result<ServerOptions> options = (*flags)->read();
                                 if (!options.ok()) {
                                   cli::complain(line.console(), options.error().message);
                                   return cli::kUsage;
                                 }
                                 runtime::start_log(options.value().log_level);
                                 return run_server(options.value());
                               });
  *flags = std::make_unique<ServerFlags>(*command);
}

}  // namespace reclaim::apps
