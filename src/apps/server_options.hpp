// The flags of `reclaim server`, and the configuration file whose keys are the same names. A flag wins over the file.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "apps/report_pass.hpp"
#include "archive/reporter.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "fleet/policy.hpp"
#include "runtime/log.hpp"

namespace reclaim::apps {

struct ServerOptions {
  std::string data;
  std::string database;  // empty: sqlite:DATA/reclaim.db
  std::string store;     // empty: lmdb:DATA/store
  Endpoint listen;
  Endpoint gateway_listen;
  Endpoint metrics_listen;
  std::size_t gateway_sessions_max = 0;
  std::size_t gateway_sessions_per_key_max = 0;
  std::size_t gateway_unauthenticated_max = 0;
  fleet::Policy policy;
  std::optional<Millis> collector_interval;    // empty: only when asked
  std::optional<Millis> maintenance_interval;  // empty: only when asked
  Millis agent_heartbeat{1000};
  Millis agent_timeout{5000};
  archive::ReporterOptions reporter;
  DoneRetention done;
  Millis event_retention{0};
  std::int64_t event_max = 0;
  std::string record_exchanges;
  runtime::LogLevel log_level = runtime::LogLevel::kInfo;
};

// Defines the flags; read_server_options() is to be called once the line was parsed.
class ServerFlags {
 public:
  explicit ServerFlags(CLI::App& command);
  // kInvalid names the flag, or the file and line, in its message.
  Result<ServerOptions> read() const;

 private:
  struct Texts;
  std::shared_ptr<Texts> texts_;
  CLI::App& command_;
};

}  // namespace reclaim::apps
