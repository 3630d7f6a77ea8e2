#include "apps/worker_options.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/duration.hpp"
#include "base/ids.hpp"
#include "worker/roots.hpp"

namespace reclaim::apps {
namespace {

constexpr std::size_t kInFlightMax = 64;
constexpr std::size_t kFileNameMax = 255;

// As the flags were given, before they are understood.
struct Given {
  std::string name, gateway, gateway_key, gateway_fingerprint, key, state;
  std::vector<std::string> containers, volumes;
  std::string sync_interval = "30s", destroy_timeout = "5m", straggler_after = "2s", in_flight = "container=5,volume=3";
  std::string new_incarnation = "hold";
  bool observe = false;
};

std::optional<std::size_t> parse_count(std::string_view text, std::size_t min, std::size_t max) {
  std::size_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < min || value > max) return std::nullopt;
  return value;
}

Result<Millis> duration_of(const std::string& flag, const std::string& text) {
  auto duration = parse_duration(text);
  if (!duration.ok()) return invalid(flag, duration.error().message);
  return duration.value();
}

Status understand_gateway(const std::string& text, WorkerOptions& options) {
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_count(std::string_view(text).substr(colon + 1), 1, 65535);
  if (!port || colon == 0) return invalid("gateway", "must be HOST:PORT");
  options.gateway_host = text.substr(0, colon);
  if (options.gateway_host.starts_with('[') && options.gateway_host.ends_with(']')) {
    options.gateway_host = options.gateway_host.substr(1, options.gateway_host.size() - 2);
  }
  options.gateway_port = static_cast<int>(*port);
  return done();
}

Result<std::string> state_of(const Given& given) {
  if (!given.state.empty()) return given.state;
  if (geteuid() == 0) return "/var/lib/reclaim/worker/" + given.name;
  return invalid("state", "is required when the worker does not run as root");
}

Result<WorkerOptions> understand(const Given& given) {
  WorkerOptions options;
  options.name = TRY(parse_worker_name(given.name)).str();
  TRY(understand_gateway(given.gateway, options));
  if (given.gateway_key.empty() == given.gateway_fingerprint.empty()) {
    return invalid("gateway-key", "or --gateway-fingerprint is required, and only one of them");
  }
  options.gateway_key = given.gateway_key;
  options.gateway_fingerprint = given.gateway_fingerprint;
  options.key = given.key;
  options.state = TRY(state_of(given));
  for (const auto& [kind, texts] :
       {std::pair(ResourceKind::kContainer, &given.containers), std::pair(ResourceKind::kVolume, &given.volumes)}) {
    for (const std::string& text : *texts) options.roots.push_back(TRY(parse_root(kind, text, options.state)));
  }
  if (options.roots.size() > worker::kRootsMax) return invalid("volumes", "and --containers: at most 64 roots");
  if (options.roots.empty()) return invalid("containers", "or --volumes is required: a worker without roots has nothing to reclaim");
  options.sync_interval = TRY(duration_of("sync-interval", given.sync_interval));
  options.destroy_timeout = TRY(duration_of("destroy-timeout", given.destroy_timeout));
  options.straggler_after = TRY(duration_of("straggler-after", given.straggler_after));
  if (options.sync_interval < Millis(100)) return invalid("sync-interval", "must be at least 100ms");
  options.in_flight = TRY(parse_in_flight(given.in_flight));
  options.observe = given.observe;
  options.accepts_new_incarnation = given.new_incarnation == "accept";
  return options;
}

const std::vector<std::string_view>& drivers_of(ResourceKind kind) {
  static const std::vector<std::string_view> containers = {"runc", "crun", "exec"};
  static const std::vector<std::string_view> volumes = {"dir", "btrfs", "overlay", "exec"};
  return kind == ResourceKind::kContainer ? containers : volumes;
}

std::string known_drivers(ResourceKind kind) {
  return kind == ResourceKind::kContainer ? "runc:ROOT, crun:ROOT or exec:PROGRAM" : "dir:PATH, btrfs:PATH, overlay:PATH or exec:PROGRAM";
}

std::string as_file_name(const std::string& path) {
  std::string name;
  for (const char c : path) name += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  return name;
}

}  // namespace

Result<RootSpec> parse_root(ResourceKind kind, const std::string& text, const std::string& state) {
  const std::string flag(plural_of(kind));
  const auto colon = text.find(':');
  const std::string driver = text.substr(0, colon);
  const std::string path = colon == std::string::npos ? "" : text.substr(colon + 1);
  const std::vector<std::string_view>& known = drivers_of(kind);
  if (std::ranges::find(known, driver) == known.end()) return invalid(flag, "must be " + known_drivers(kind));
  if (!path.starts_with('/')) return invalid(flag, "needs an absolute path after " + driver + ":");
  if (driver != "exec") return RootSpec{kind, driver, path, path};
  const std::string own = std::string(name_of(kind)) + ":" + as_file_name(path);
  if (own.size() > kFileNameMax) return invalid(flag, "has a path that is too long after exec:");
  return RootSpec{kind, driver, path, state + "/exec/" + own};
}

Result<wire::PerKind<std::size_t>> parse_in_flight(const std::string& text) {
  wire::PerKind<std::size_t> in_flight = WorkerOptions().in_flight;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string part = text.substr(from, comma - from);
    const auto equals = part.find('=');
    const std::string kind = part.substr(0, equals);
    const auto count = equals == std::string::npos ? std::nullopt : parse_count(std::string_view(part).substr(equals + 1), 1, kInFlightMax);
    if (!count || (kind != "container" && kind != "volume")) {
      return invalid("max-in-flight", "must be container=N,volume=N with N from 1 to " + std::to_string(kInFlightMax));
    }
    in_flight[kind == "container" ? ResourceKind::kContainer : ResourceKind::kVolume] = *count;
    from = comma + 1;
  }
  return in_flight;
}

void add_worker_command(cli::CommandLine& line) {
  auto given = std::make_shared<Given>();
  CLI::App* worker = line.add(
      nullptr, "worker", "Reports what is on this machine and destroys what nobody needs",
      "reclaim worker --name w1 --gateway gc.example:7022 --gateway-key gateway.pub --key w1.key --volumes dir:/srv/v", [given, &line] {
        auto options = understand(*given);
        if (options.ok()) return run_worker(options.value());
        cli::complain(line.console(), "--" + options.error().field + " " + options.error().message);
        return int{cli::kUsage};
      });
  worker->add_option("--name", given->name, "The worker's name, as it was enrolled")->required();
  worker->add_option("--gateway", given->gateway, "HOST:PORT of the SSH gateway")->required();
  worker->add_option("--gateway-key", given->gateway_key, "File with the gateway's public host key");
  worker->add_option("--gateway-fingerprint", given->gateway_fingerprint, "Or its fingerprint, SHA256:...");
  worker->add_option("--key", given->key, "File with this worker's private key, readable by its owner only")->required();
  worker->add_option("--containers", given->containers, known_drivers(ResourceKind::kContainer) + "; may be given again");
  worker->add_option("--volumes", given->volumes, known_drivers(ResourceKind::kVolume) + "; may be given again");
  worker->add_option("--sync-interval", given->sync_interval, "Come by at least this often")->capture_default_str();
  worker->add_option("--max-in-flight", given->in_flight, "How many are destroyed at once")->capture_default_str();
  worker->add_option("--destroy-timeout", given->destroy_timeout, "Deadline of one destroy")->capture_default_str();
  worker->add_option("--straggler-after", given->straggler_after, "A destroy that runs longer gives its place up")->capture_default_str();
  worker->add_option("--state", given->state, "Directory of the worker's memory; /var/lib/reclaim/worker/NAME for root");
  worker
      ->add_option("--new-incarnation", given->new_incarnation,
                   "When the markers in the roots are new, the disk was replaced, say: hold until an operator accepts it, or accept")
      ->check(CLI::IsMember({"hold", "accept"}))
      ->capture_default_str();
  worker->add_flag("--observe", given->observe, "Destroy nothing, say what would be destroyed");
}

}  // namespace reclaim::apps
