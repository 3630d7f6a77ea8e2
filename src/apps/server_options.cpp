#include "apps/server_options.hpp"

#include <charconv>
#include <map>

#include "apps/agent_times.hpp"
#include "apps/open_database.hpp"
#include "apps/open_store.hpp"
#include "base/duration.hpp"
#include "runtime/config.hpp"

namespace reclaim::apps {
namespace {

using runtime::ConfigType;

struct Flag {
  const char* name;
  ConfigType type;
  const char* standard;
  const char* help;
};

// Every flag and configuration key of the server: the one list.
constexpr Flag kFlags[] = {
    {"data", ConfigType::kText, "", "Directory of the database, keys and admin token; made when it is not there"},
    {"listen", ConfigType::kText, "127.0.0.1:7070", "HTTP API"},
    {"gateway-listen", ConfigType::kText, "127.0.0.1:7022", "SSH gateway"},
    {"gateway-sessions-max", ConfigType::kInteger, "4096", "Sessions of the SSH gateway at once"},
    {"gateway-sessions-per-key-max", ConfigType::kInteger, "4", "Of one worker's key"},
    {"gateway-unauthenticated-max", ConfigType::kInteger, "128", "That have not logged in yet; more wait for a place"},
    {"metrics-listen", ConfigType::kText, "127.0.0.1:7071", "Metrics for Prometheus"},
    {"database", ConfigType::kText, "", "sqlite:PATH or postgres://... [sqlite:DATA/reclaim.db]"},
    {"store", ConfigType::kText, "",
     "lmdb:PATH or rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME], the archive's queues [lmdb:DATA/store]"},
    {"sync-interval", ConfigType::kDuration, "30s", "How often a worker comes by when nothing happens"},
    {"worker-expiry", ConfigType::kDuration, "3m", "Without a sync for so long a worker is stalled"},
    {"ephemeral-expiry", ConfigType::kDuration, "10m", "Without a sync for so long an ephemeral worker is deleted"},
    {"stalled-timeout", ConfigType::kDuration, "0s", "Stalled for so long a worker is deleted; 0s: never"},
    {"collector-interval", ConfigType::kDurationOrNever, "10s", "Period of every collector; never: only when asked"},
    {"maintenance-interval", ConfigType::kDurationOrNever, "10s", "Period of the archive's passes; never: only when asked"},
    {"missing-grace", ConfigType::kDuration, "5m", "Missing for so long a resource is lost"},
    {"unknown-grace", ConfigType::kDuration, "5m", "Without a record for so long a resource is destroyed"},
    {"touch-grace", ConfigType::kDuration, "5m", "Touched within so long a resource is kept"},
    {"creating-timeout", ConfigType::kDuration, "1h", "Creating for so long a resource has failed"},
    {"brake-fraction", ConfigType::kNumber, "0.5",
     "More than this part of a worker's resources missing or unknown at once is not believed"},
    {"brake-min", ConfigType::kInteger, "20", "So many may be missing or unknown at once, whatever the fraction"},
    {"agent-heartbeat", ConfigType::kDuration, "1s", "How often this process says that it lives"},
    {"agent-timeout", ConfigType::kDuration, "5s", "A process silent for so long loses its work to another"},
    {"max-report-attempts", ConfigType::kInteger, "12", "After so many reports to no avail a request goes to the failed queue"},
    {"report-backoff", ConfigType::kDuration, "30s", "After the first report to no avail; then twice as long each time, up to 1h"},
    {"done-retention", ConfigType::kDuration, "24h", "How long a request that has ended is shown"},
    {"done-max", ConfigType::kInteger, "1000000", "How many requests that have ended are kept"},
    {"event-retention", ConfigType::kDuration, "30d", "How long the audit trail is kept"},
    {"event-max", ConfigType::kInteger, "10000000", "How many events are kept"},
    {"record-exchanges", ConfigType::kText, "", "File that every answer of the API is appended to, for diagnosis"},
    {"log-level", ConfigType::kText, "info", "debug, info, warning or error"},
};

std::vector<runtime::ConfigKey> config_keys() {
  std::vector<runtime::ConfigKey> keys;
  for (const Flag& flag : kFlags) keys.push_back({flag.name, flag.type});
  return keys;
}

}  // namespace

struct ServerFlags::Texts {
  std::map<std::string, std::string> values;
  std::string config;
};

ServerFlags::ServerFlags(CLI::App& command) : texts_(std::make_shared<Texts>()), command_(command) {
  for (const Flag& flag : kFlags) {
    std::string& text = texts_->values[flag.name];
    text = flag.standard;
    CLI::Option* option = command.add_option("--" + std::string(flag.name), text, flag.help);
    if (*flag.standard != '\0') option->default_str(flag.standard);
  }
  command.add_option("--config", texts_->config, "TOML file whose keys are the flags' names")->check(CLI::ExistingFile);
}

namespace {

constexpr std::int64_t kLimitMax = 1'000'000;

// The value of each flag, with where it was said.
class Settings {
 public:
  struct Setting {
    std::string text;
    std::string where;
  };
  explicit Settings(std::map<std::string, Setting> settings) : settings_(std::move(settings)) {}

  const std::string& text(const std::string& name) const { return settings_.at(name).text; }
  Result<Millis> duration(const std::string& name) const {
    const Result<Millis> duration = parse_duration(text(name));
    return duration.ok() ? duration : Result<Millis>(wrong(name, duration.error().message));
  }
  Result<std::optional<Millis>> duration_or_never(const std::string& name) const {
    if (text(name) == "never") return std::optional<Millis>{};
    return std::optional<Millis>(TRY(duration(name)));
  }
  Result<Endpoint> endpoint(const std::string& name) const {
    const Result<Endpoint> endpoint = parse_endpoint(text(name), name);
    return endpoint.ok() ? endpoint : Result<Endpoint>(wrong(name, endpoint.error().message));
  }
  Result<std::int64_t> count(const std::string& name) const {
    std::int64_t value = 0;
    const std::string& digits = text(name);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc() || end != digits.data() + digits.size() || value < 0)
      return wrong(name, "must be a whole number, 0 or more");
    return value;
  }
  // How many at most of what nobody can do without.
  Result<std::size_t> limit(const std::string& name) const {
    const std::int64_t value = TRY(count(name));
    if (value < 1 || value > kLimitMax) return wrong(name, "must be from 1 to " + std::to_string(kLimitMax));
    return static_cast<std::size_t>(value);
  }
  // From 0 to 1.
  Result<double> fraction(const std::string& name) const {
    double value = 0;
    const std::string& digits = text(name);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc() || end != digits.data() + digits.size() || !(value >= 0 && value <= 1)) {
      return wrong(name, "must be a number from 0 to 1");
    }
    return value;
  }
  Error wrong(const std::string& name, const std::string& what) const { return invalid(name, settings_.at(name).where + ": " + what); }

 private:
  std::map<std::string, Setting> settings_;
};

Status read_policy(const Settings& settings, fleet::Policy& policy) {
  const std::pair<const char*, Millis*> periods[] = {
      {"sync-interval", &policy.sync_interval},       {"worker-expiry", &policy.worker_expiry},
      {"ephemeral-expiry", &policy.ephemeral_expiry}, {"stalled-timeout", &policy.stalled_timeout},
      {"missing-grace", &policy.missing_grace},       {"unknown-grace", &policy.unknown_grace},
      {"touch-grace", &policy.touch_grace},           {"creating-timeout", &policy.creating_timeout},
  };
  for (const auto& [name, period] : periods) *period = TRY(settings.duration(name));
  policy.brake_fraction = TRY(settings.fraction("brake-fraction"));
  policy.brake_min = TRY(settings.count("brake-min"));
  if (policy.worker_expiry < Millis(1000)) return settings.wrong("worker-expiry", "must be at least 1s");
  return done();
}

}  // namespace

Result<ServerOptions> ServerFlags::read() const {
  std::map<std::string, Settings::Setting> given;
  for (const auto& [name, text] : texts_->values) given[name] = {text, "--" + name};
  if (!texts_->config.empty()) {
    for (const runtime::ConfigEntry& entry : TRY(runtime::read_config(texts_->config, config_keys()))) {
      if (command_.count("--" + entry.key) == 0) given[entry.key] = {entry.values.front(), entry.where};
    }
  }
  const Settings settings(std::move(given));
  ServerOptions options{.data = settings.text("data"), .database = settings.text("database")};
  if (options.data.empty()) return invalid("data", "--data: say where the server may keep its files");
  if (options.database.empty()) options.database = "sqlite:" + options.data + "/reclaim.db";
  if (!is_database_address(options.database)) return settings.wrong("database", "must be sqlite:PATH or postgres://...");
  options.store = settings.text("store").empty() ? store_of(options.data) : settings.text("store");
  if (const Status fits = check_store_address(options.store); !fits.ok()) return settings.wrong("store", fits.error().message);
  options.listen = TRY(settings.endpoint("listen"));
  options.gateway_listen = TRY(settings.endpoint("gateway-listen"));
  options.metrics_listen = TRY(settings.endpoint("metrics-listen"));
  options.gateway_sessions_max = TRY(settings.limit("gateway-sessions-max"));
  options.gateway_sessions_per_key_max = TRY(settings.limit("gateway-sessions-per-key-max"));
  options.gateway_unauthenticated_max = TRY(settings.limit("gateway-unauthenticated-max"));
  TRY(read_policy(settings, options.policy));
  options.collector_interval = TRY(settings.duration_or_never("collector-interval"));
  options.maintenance_interval = TRY(settings.duration_or_never("maintenance-interval"));
  options.reporter.tries_max = static_cast<std::uint32_t>(TRY(settings.limit("max-report-attempts")));
  options.reporter.backoff = TRY(settings.duration("report-backoff"));
  options.done.time = TRY(settings.duration("done-retention"));
  options.done.most = static_cast<std::int64_t>(TRY(settings.limit("done-max")));
  options.agent_heartbeat = TRY(settings.duration("agent-heartbeat"));
  options.agent_timeout = TRY(settings.duration("agent-timeout"));
  const Status times = check_agent_times(options.agent_heartbeat, options.agent_timeout);
  if (!times.ok()) return settings.wrong(times.error().field, times.error().message);
  options.agent_heartbeat = beat_period(options.agent_heartbeat, options.agent_timeout);
  options.event_retention = TRY(settings.duration("event-retention"));
  options.event_max = TRY(settings.count("event-max"));
  options.record_exchanges = settings.text("record-exchanges");
  const Result<runtime::LogLevel> level = runtime::parse_log_level(settings.text("log-level"));
  if (!level.ok()) return settings.wrong("log-level", level.error().message);
  options.log_level = level.value();
  return options;
}

}  // namespace reclaim::apps
