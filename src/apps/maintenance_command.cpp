#include "apps/maintenance_command.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "adapters/system/system_time.hpp"
#include "apps/agent_times.hpp"
#include "apps/engines.hpp"
#include "apps/flag_text.hpp"
#include "apps/maintenance_loops.hpp"
#include "apps/metrics_door.hpp"
#include "apps/process_name.hpp"
#include "apps/report_pass.hpp"
#include "apps/server_metrics.hpp"
#include "base/duration.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/signals.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {
namespace {

constexpr int kReportAttemptsMax = 1'000'000;
constexpr Millis kLevelsPeriod{10'000};

struct MaintenanceFlags {
  EngineFlags engines;
  std::string metrics_listen;
  std::vector<std::string> passes;
  std::string interval = "10s";
  std::string heartbeat = "1s";
  std::string timeout = "5s";
  std::uint32_t report_attempts = archive::ReporterOptions{}.tries_max;
  std::string report_backoff = "30s";
  std::string done_retention = "24h";
  std::int64_t done_max = DoneRetention{}.most;
};

Result<MaintenancePeriods> periods_of(const MaintenanceFlags& flags) {
  MaintenancePeriods periods;
  periods.interval = TRY(parse_duration(flags.interval));
  periods.heartbeat = TRY(parse_duration(flags.heartbeat));
  periods.agent_timeout = TRY(parse_duration(flags.timeout));
  TRY(check_agent_times(periods.heartbeat, periods.agent_timeout));
  periods.heartbeat = beat_period(periods.heartbeat, periods.agent_timeout);
  return periods;
}

Status run(const MaintenanceFlags& flags) {
  std::binary_semaphore stopping(0);
  const runtime::Signals signals({SIGTERM, SIGINT}, [&](int) { stopping.release(); });
  const MaintenancePeriods periods = TRY(periods_of(flags));
  const system::SystemClock clock;
  const Engines engines = TRY(open_engines(flags.engines));
  server::Maintenance maintenance(*engines.database.database, *engines.store, clock,
                                  {.process = process_name("maintenance"),
                                   .passes = flags.passes,
                                   .agent_timeout = periods.agent_timeout,
                                   .sweep_period = *periods.interval});
  const DoneRetention retention{.time = TRY(parse_duration(flags.done_retention)), .most = flags.done_max};
  const Millis backoff = TRY(parse_duration(flags.report_backoff));
  ReportPass reports(clock, {.tries_max = flags.report_attempts, .backoff = backoff}, retention);
  reports.add_to(maintenance);
  http::Metrics metrics;
  // Apart from the door, which waits for no store.
  std::unique_ptr<runtime::Loop> levels;
  if (!flags.metrics_listen.empty()) {
    levels = std::make_unique<runtime::Loop>(
        clock, kLevelsPeriod, [&](const std::stop_token&) { refresh_archive(metrics, *engines.store, maintenance.watched()); });
  }
  http::MetricsService service(metrics, [&] {
    refresh_store(metrics, *engines.store);
    levels->wake();
  });
  const auto shown = TRY(show_metrics(flags.metrics_listen, service));
  MaintenanceLoops loops(maintenance, clock, [&](const std::string& pass, const Result<server::PassRun>& run, Millis took) {
    measure_maintenance(metrics, pass, run, took);
  });
  loops.start(periods);
  runtime::log_info("ready");
  stopping.acquire();
  runtime::log_info("stopping");
  reports.stop();
  loops.stop();
  return done();
}

int run_and_tell(const MaintenanceFlags& flags, cli::Console& console) {
  runtime::start_log(runtime::LogLevel::kInfo);
  const Status status = run(flags);
  if (status.ok()) return cli::kDone;
  cli::complain(console, text_of_flag_error(status.error()));
  if (status.error().kind == Error::Kind::kInvalid) return cli::kUsage;
  const bool is_temporary = status.error().kind == Error::Kind::kUnavailable || status.error().kind == Error::Kind::kContended;
  return is_temporary ? cli::kTemporary : cli::kFailed;
}

CLI::Validator some_period() {
  const auto check_text = [](const std::string& text) -> std::string {
    if (text != "never") return {};
    return "nobody can ask this process for a pass: give a period, or run no such process and ask a server: reclaim maintenance run";
  };
  return {check_text, ""};
}

}  // namespace

void add_maintenance_command(cli::CommandLine& line) {
  auto flags = std::make_shared<MaintenanceFlags>();
  CLI::App* command = line.app().get_subcommand("maintenance");
  line.also(command, "reclaim maintenance --data /var/lib/reclaim --passes agents,cleanup",
            [flags, &line] { return run_and_tell(*flags, line.console()); });
  command->description("The archive's passes: without a command a process that runs them, beside servers.");
  add_engine_flags(*command, flags->engines);
  command->add_option("--metrics-listen", flags->metrics_listen, kMetricsListenHelp);
  command->add_option("--passes", flags->passes, "Which ones; all when left out")
      ->delimiter(',')
      ->check(CLI::IsMember(server::Maintenance::all_names()));
  const auto add_duration = [command](const char* name, std::string& text, const char* what) {
    command->add_option(name, text, what)->check(cli::duration_check())->capture_default_str();
  };
  command->add_option("--maintenance-interval", flags->interval, "Period of every pass")
      ->check(some_period())
      ->check(cli::duration_check())
      ->capture_default_str();
  add_duration("--agent-heartbeat", flags->heartbeat, "How often this process says that it lives");
  add_duration("--agent-timeout", flags->timeout, "A process silent for so long loses its work to another");
  command
      ->add_option("--max-report-attempts", flags->report_attempts, "After so many reports to no avail a request goes to the failed queue")
      ->check(CLI::Range(1, kReportAttemptsMax))
      ->capture_default_str();
  add_duration("--report-backoff", flags->report_backoff, "After the first report to no avail; then twice as long each time, up to 1h");
  add_duration("--done-retention", flags->done_retention, "How long a request that has ended is shown");
  command->add_option("--done-max", flags->done_max, "How many requests that have ended are kept")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
}

}  // namespace reclaim::apps
