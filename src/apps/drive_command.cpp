#include "apps/drive_command.hpp"

#include <csignal>
#include <memory>
#include <semaphore>
#include <string>

#include "adapters/buffer_dir/buffer_dir.hpp"
#include "adapters/system/system_time.hpp"
#include "apps/agent_times.hpp"
#include "apps/drive_process.hpp"
#include "apps/engines.hpp"
#include "apps/flag_text.hpp"
#include "apps/metrics_door.hpp"
#include "apps/open_library.hpp"
#include "apps/server_metrics.hpp"
#include "base/duration.hpp"
#include "runtime/log.hpp"
#include "runtime/signals.hpp"

namespace reclaim::apps {
namespace {

struct DriveFlags {
  std::string name;
  std::string library;
  std::string buffer;
  EngineFlags engines;
  std::string mount_hook;
  std::string metrics_listen;
  std::string heartbeat = "1s";
  std::string timeout = "5s";
};

Result<DriveOptions> options_of(const DriveFlags& flags) {
  DriveOptions options{.name = archive::DriveName(flags.name), .mount_hook = flags.mount_hook};
  options.heartbeat = TRY(parse_duration(flags.heartbeat));
  const Millis timeout = TRY(parse_duration(flags.timeout));
  const Status times = check_agent_times(options.heartbeat, timeout);
  if (!times.ok()) return invalid("--" + times.error().field, "--" + times.error().field + " " + times.error().message);
  options.heartbeat = beat_period(options.heartbeat, timeout);
  return options;
}

Result<std::unique_ptr<buffer_dir::BufferDir>> open_buffer(const std::string& path) {
  auto buffer = buffer_dir::BufferDir::open(path);
  if (buffer.ok() || buffer.error().kind == Error::Kind::kUnavailable) return buffer;
  return invalid("--buffer", "--buffer: " + buffer.error().message);
}

Status run(const DriveFlags& flags) {
  std::binary_semaphore stopping(0);
  const runtime::Signals signals({SIGTERM, SIGINT}, [&](int) { stopping.release(); });
  const DriveOptions options = TRY(options_of(flags));
  const auto library = TRY(open_library(flags.library));
  const auto buffer = TRY(open_buffer(flags.buffer));
  const system::SystemClock clock;
  const Engines engines = TRY(open_engines(flags.engines));
  http::Metrics metrics;
  http::MetricsService service(metrics, [&] { refresh_store(metrics, *engines.store); });
  const auto shown = TRY(show_metrics(flags.metrics_listen, service));
  DriveProcess process({.database = *engines.database.database,
                        .store = *engines.store,
                        .library = *library,
                        .buffer = *buffer,
                        .clock = clock,
                        .metrics = metrics},
                       options);
  TRY(process.start());
  runtime::log_info("drive " + flags.name + " ready: library " + library->name() + ", buffer " + flags.buffer);
  stopping.acquire();
  runtime::log_info("stopping");
  process.stop();
  return done();
}

int run_and_tell(const DriveFlags& flags, cli::Console& console) {
  runtime::start_log(runtime::LogLevel::kInfo);
  const Status status = run(flags);
  if (status.ok()) return cli::kDone;
  cli::complain(console, text_of_flag_error(status.error()));
  if (status.error().kind == Error::Kind::kInvalid) return cli::kUsage;
  const bool is_temporary = status.error().kind == Error::Kind::kUnavailable || status.error().kind == Error::Kind::kContended;
  return is_temporary ? cli::kTemporary : cli::kFailed;
}

}  // namespace

void add_drive_command(cli::CommandLine& line) {
  auto flags = std::make_shared<DriveFlags>();
  CLI::App* command = line.add(nullptr, "drive", "Serves a tape drive: mounts tapes and copies what is asked for to the disk buffer.",
                               "reclaim drive --name D1 --library dir:/srv/library --buffer /srv/buffer --data /var/lib/reclaim",
                               [flags, &line] { return run_and_tell(*flags, line.console()); });
  command->add_option("--name", flags->name, "The drive's name")->required()->check(cli::name_check());
  command->add_option("--library", flags->library, "Where the tapes are: a directory with a folder for each")
      ->required()
      ->type_name("dir:PATH");
  command->add_option("--buffer", flags->buffer, "The directory to copy into; names in it that begin with a dot are the drive's")
      ->required();
  add_engine_flags(*command, flags->engines);
  command->add_option("--mount-hook", flags->mount_hook, "A program that moves tapes: called with mount VID and unmount VID");
  command->add_option("--metrics-listen", flags->metrics_listen, kMetricsListenHelp);
  const auto add_duration = [command](const char* name, std::string& text, const char* what) {
    command->add_option(name, text, what)->check(cli::duration_check())->capture_default_str();
  };
  add_duration("--agent-heartbeat", flags->heartbeat, "How often this process says that it lives");
  add_duration("--agent-timeout", flags->timeout, "A process silent for so long loses its work to another; as the servers have it");
}

}  // namespace reclaim::apps
