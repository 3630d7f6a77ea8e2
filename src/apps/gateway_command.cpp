#include "apps/gateway_command.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <semaphore>
#include <string>

#include "adapters/link_http/http_door.hpp"
#include "adapters/system/files.hpp"
#include "adapters/system/system_time.hpp"
#include "apps/metrics_door.hpp"
#include "apps/server_metrics.hpp"
#include "base/endpoint.hpp"
#include "gateway/gateway.hpp"
#include "http/metrics.hpp"
#include "http/transport.hpp"
#include "runtime/bounded_pool.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/log.hpp"
#include "runtime/signals.hpp"

namespace reclaim::apps {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;
constexpr int kLimitMax = 1'000'000;
constexpr std::size_t kSyncsMax = 256;
// Every sync under way takes a connection to the server beside its session. They come out of what sessions leave, and leave enough for
// lookups, for who is turned away and for the metrics; an operator may change the limit while they run.
constexpr std::size_t kDescriptorsLeft = 40;  // percent
constexpr std::size_t kSyncsPart = 6;         // of all descriptors

std::size_t syncs_max() { return std::min(kSyncsMax, runtime::descriptor_limit() / kSyncsPart); }

struct GatewayFlags {
  std::string server;
  std::string token_file;
  std::string listen;
  std::string host_key = "ssh_host_ed25519_key";
  std::string metrics_listen;
  gateway::GatewayOptions limits;
};

Result<std::string> read_token(const std::string& file) {
  const auto slash = file.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Result<system::Fd> opened = system::open_directory(directory);
  if (!opened.ok()) return invalid("token-file", opened.error().message);
  const Result<std::string> text = system::read_file_at(opened.value().get(), file.substr(slash + 1), kTokenBytesMax);
  if (!text.ok()) return invalid("token-file", text.error().message);
  std::string token = text.value();
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.empty() || token.find_first_of("\r\n") != std::string::npos) return invalid("token-file", file + " does not hold one token");
  return token;
}

Status check_server(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return done();
  return invalid("server", "must be http://HOST:PORT or https://HOST:PORT");
}

// The server may be away for now; a token that it refuses stays refused.
Status greet(link_http::HttpDoor& door, const std::string& server) {
  const Status checked = door.check_token();
  if (checked.ok()) return done();
  if (checked.error().kind == Error::Kind::kForbidden) return invalid("token-file", checked.error().message);
  runtime::log_warning(server + ": " + checked.error().message);
  return done();
}

Status run(const GatewayFlags& flags) {
  std::binary_semaphore stopping(0);
  const runtime::Signals signals({SIGTERM, SIGINT}, [&](int) { stopping.release(); });
  TRY(check_server(flags.server));
  const Endpoint listen = TRY(parse_endpoint(flags.listen, "listen"));
  const std::string token = TRY(read_token(flags.token_file));
  const system::SystemClock clock;
  runtime::BoundedPool pool(kSyncsMax);
  link_http::HttpDoor door({.server = flags.server, .token = token, .syncs_max = &syncs_max},
                           [&pool](std::function<void()> task) { return pool.try_submit(std::move(task)); });
  TRY(greet(door, flags.server));
  gateway::Gateway gateway({.listen_host = listen.host,
                            .listen_port = listen.port,
                            .host_key = flags.host_key,
                            .sessions_max = flags.limits.sessions_max,
                            .sessions_per_key_max = flags.limits.sessions_per_key_max,
                            .unauthenticated_max = flags.limits.unauthenticated_max,
                            .descriptors_left = kDescriptorsLeft},
                           door, clock);
  TRY(gateway.start());
  http::Metrics metrics;
  http::MetricsService service(metrics, [&] { refresh_gateway(metrics, gateway.counters()); });
  const auto shown = show_metrics(flags.metrics_listen, service);
  if (shown.ok()) {
    runtime::log_info("gateway on " + listen.host + ":" + std::to_string(gateway.port()) + " (" + gateway.fingerprint() + ") for " +
                      flags.server);
    stopping.acquire();
    runtime::log_info("stopping");
  }
  door.stop();
  gateway.stop();
  // Again, for the request that was not on its way yet.
  while (!pool.wait_idle(Millis(100))) door.stop();
  return shown.ok() ? Status() : shown.error();
}

int run_and_tell(const GatewayFlags& flags, cli::Console& console) {
  runtime::start_log(runtime::LogLevel::kInfo);
  const Status status = run(flags);
  if (status.ok()) return cli::kDone;
  cli::complain(console, (status.error().field.empty() ? "" : "--" + status.error().field + ": ") + status.error().message);
  if (status.error().kind == Error::Kind::kInvalid) return cli::kUsage;
  return status.error().kind == Error::Kind::kUnavailable ? cli::kTemporary : cli::kFailed;
}

}  // namespace

void add_gateway_command(cli::CommandLine& line) {
  auto flags = std::make_shared<GatewayFlags>();
  CLI::App* command = line.add(nullptr, "gateway", "Serves the SSH gateway alone, in front of a server elsewhere",
                               "reclaim gateway --server http://10.0.0.1:7070 --token-file gateway.token --listen 0.0.0.0:7022",
                               [flags, &line] { return run_and_tell(*flags, line.console()); });
  command->add_option("--server", flags->server, "URL of the server")->required();
  command->add_option("--token-file", flags->token_file, "file with a token of role gateway")->required();
  command->add_option("--listen", flags->listen, "HOST:PORT to listen on")->required();
  command->add_option("--metrics-listen", flags->metrics_listen, kMetricsListenHelp);
  command->add_option("--host-key", flags->host_key, "the gateway's private host key, made when it is not there")->capture_default_str();
  const auto add_limit = [command](const char* name, std::size_t& limit, const char* what) {
    command->add_option(name, limit, what)->check(CLI::Range(1, kLimitMax))->capture_default_str();
  };
  add_limit("--sessions-max", flags->limits.sessions_max, "sessions at once");
  add_limit("--sessions-per-key-max", flags->limits.sessions_per_key_max, "of one worker's key");
  add_limit("--unauthenticated-max", flags->limits.unauthenticated_max, "that have not logged in yet; more wait for a place");
}

}  // namespace reclaim::apps
