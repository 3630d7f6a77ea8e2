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
#include "apps/data_directory.hpp"
#include "apps/flag_text.hpp"
#include "apps/maintenance_loops.hpp"
#include "apps/open_database.hpp"
#include "apps/open_store.hpp"
#include "apps/report_pass.hpp"
#include "base/duration.hpp"
#include "runtime/log.hpp"
#include "runtime/signals.hpp"
#include "server/maintenance.hpp"

namespace reclaim::apps {
namespace {

constexpr int kReportAttemptsMax = 1'000'000;

struct MaintenanceFlags {
  std::string data;
  std::string database;
  std::string store;
  std::vector<std::string> passes;
  std::string interval = "10s";
  std::string heartbeat = "1s";
  std::string timeout = "5s";
  std::uint32_t report_attempts = archive::ReporterOptions{}.tries_max;
  std::string report_backoff = "30s";
  std::string done_retention = "24h";
  std::int64_t done_max = DoneRetention{}.most;
};

Status fill_in(MaintenanceFlags& flags) {
  const bool has_both = !flags.database.empty() && !flags.store.empty();
  if (flags.data.empty() && !has_both) return invalid("data", "give --data DIR, or both --database and --store");
  if (!flags.data.empty()) TRY(check_data_directory(flags.data));
  if (flags.database.empty()) flags.database = "sqlite:" + flags.data + "/reclaim.db";
  if (flags.store.empty()) flags.store = store_of(flags.data);
  return done();
}

Result<MaintenancePeriods> periods_of(const MaintenanceFlags& flags) {
  MaintenancePeriods periods{.interval = TRY(parse_duration(flags.interval)),
                             .heartbeat = TRY(parse_duration(flags.heartbeat)),
                             .agent_timeout = TRY(parse_duration(flags.timeout))};
  TRY(check_agent_times(periods.heartbeat, periods.agent_timeout));
  periods.heartbeat = beat_period(periods.heartbeat, periods.agent_timeout);
  return periods;
}

Status run(MaintenanceFlags flags) {
  std::binary_semaphore stopping(0);
  const runtime::Signals signals({SIGTERM, SIGINT}, [&](int) { stopping.release(); });
  TRY(fill_in(flags));
  const MaintenancePeriods periods = TRY(periods_of(flags));
  const system::SystemClock clock;
  const OpenedDatabase database = TRY(open_database(flags.database));
  const std::unique_ptr<ports::ObjectStore> store = TRY(open_store(flags.store));
  server::Maintenance maintenance(
      *database.database, *store, clock,
      {.process = "maintenance", .passes = flags.passes, .agent_timeout = periods.agent_timeout, .sweep_period = *periods.interval});
  const DoneRetention retention{.time = TRY(parse_duration(flags.done_retention)), .most = flags.done_max};
  ReportPass reports(clock, {.tries_max = flags.report_attempts, .backoff = TRY(parse_duration(flags.report_backoff))}, retention);
  reports.add_to(maintenance);
  MaintenanceLoops loops(maintenance, clock,
                         [](const std::string& pass, const Result<server::PassRun>& run, Millis) { log_maintenance(pass, run); });
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

}  // namespace

void add_maintenance_command(cli::CommandLine& line) {
  auto flags = std::make_shared<MaintenanceFlags>();
  CLI::App* command = line.app().get_subcommand("maintenance");
  line.also(command, "reclaim maintenance --data /var/lib/reclaim --passes agents,cleanup",
            [flags, &line] { return run_and_tell(*flags, line.console()); });
  command->description("The archive's passes: without a command a process that runs them, beside servers.");
  command->add_option("--data", flags->data, "Directory of a server on this machine");
  command->add_option("--database", flags->database, "sqlite:PATH or postgres://... [sqlite:DATA/reclaim.db]");
  command->add_option("--store", flags->store, "lmdb:PATH or rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME] [lmdb:DATA/store]");
  command->add_option("--passes", flags->passes, "Which ones; all when left out")
      ->delimiter(',')
      ->check(CLI::IsMember(server::Maintenance::all_names()));
  const auto add_duration = [command](const char* name, std::string& text, const char* what) {
    command->add_option(name, text, what)->check(cli::duration_check())->capture_default_str();
  };
  add_duration("--maintenance-interval", flags->interval, "Period of every pass");
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
