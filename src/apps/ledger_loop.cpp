#include "apps/ledger_loop.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "archive/ledger.hpp"
#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

constexpr Millis kPeriod{60'000};
constexpr int kShare = 20;

// Answers nothing any more once the process is to stop: a large store takes a while to read.
class Stoppable : public ports::ObjectStore {
 public:
  Stoppable(ports::ObjectStore& store, const std::stop_token& stopping) : store_(store), stopping_(stopping) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    if (stopping_.stop_requested()) return {calls.size(), ports::StoreAnswer(unavailable("stopping"))};
    return store_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    if (stopping_.stop_requested()) return unavailable("stopping");
    return store_.list(kind, after, limit);
  }

 private:
  ports::ObjectStore& store_;
  const std::stop_token& stopping_;
};

}  // namespace

LedgerLoop::LedgerLoop(http::Metrics& metrics, const server::ArchivePlane& archive, const Clock& clock)
    : metrics_(metrics), archive_(archive), loop_(clock, [this, &clock](const std::stop_token& stopping) -> std::optional<Millis> {
        const Instant began = clock.now();
        refresh(stopping);
        return std::max(kPeriod, kShare * (clock.now() - began));
      }) {}

void LedgerLoop::refresh(const std::stop_token& stopping) {
  Stoppable store(archive_.store(), stopping);
  const Result<archive::TakenLedger> taken = archive::keep_ledger(archive_.context("ledger"), store);
  if (!taken.ok() || !taken.value().is_settled) return;
  const std::int64_t unaccounted = taken.value().ledger.unaccounted();
  metrics_.set(http::Metric::kUnaccounted, {"archive"}, static_cast<double>(unaccounted));
  if (unaccounted == std::exchange(said_, unaccounted)) return;
  runtime::log_error("the archive's requests, enqueued less those that are there or have ended: " + std::to_string(unaccounted) +
                     " (C1; see reclaim store check)");
}

}  // namespace reclaim::apps
