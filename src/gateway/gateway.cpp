#include "gateway/gateway.hpp"

#include "gateway/reactor.hpp"

namespace reclaim::gateway {

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kSessions: return "sessions";
    case Refusal::kSessionsOfKey: return "sessions_of_key";
    case Refusal::kUnauthenticated: return "unauthenticated";
    case Refusal::kDescriptors: return "descriptors";
    case Refusal::kLoginTimeout: return "login_timeout";
    case Refusal::kLogin: return "login";
  }
  check(false, "unknown refusal");
  return {};
}

Gateway::Gateway(GatewayOptions options, ports::ControlDoor& door, const Clock& clock)
    : options_(std::move(options)), door_(door), clock_(clock) {}

Gateway::~Gateway() = default;

Status Gateway::start() {
  auto reactor = std::make_unique<Reactor>(options_, door_, clock_);
  TRY(reactor->start());
  reactor_ = std::move(reactor);
  return done();
}

void Gateway::stop() { reactor_.reset(); }

int Gateway::port() const { return reactor_->port(); }
std::string Gateway::host_key() const { return text_of(reactor_->host_key()); }
std::string Gateway::fingerprint() const { return fingerprint_of(reactor_->host_key()); }
GatewayCounters Gateway::counters() const { return reactor_->counters(); }

}  // namespace reclaim::gateway
