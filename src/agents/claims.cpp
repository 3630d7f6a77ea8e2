#include "agents/claims.hpp"

#include <utility>

#include "ports/statements.hpp"

namespace reclaim::agents {

Claimant::Claimant(ports::Database& database, std::string claim, std::string holder, Millis timeout)
    : database_(database), claim_(std::move(claim)), holder_(std::move(holder)), timeout_(timeout) {}

Result<std::optional<std::int64_t>> Claimant::keep(Instant now) {
  if (TRY(beat())) return epoch_;
  const ports::Rows created = TRY(database_.run(sql::claim_create, {claim_, holder_}));
  if (created.changed == 1) return epoch_ = 1;
  const ports::Rows rows = TRY(database_.run(sql::claim_read, {claim_}));
  if (rows.empty()) return std::optional<std::int64_t>{};
  const std::int64_t epoch = rows[0].integer(1);
  const std::int64_t beat = rows[0].integer(2);
  if (!seen_ || seen_->epoch != epoch || seen_->beat != beat) seen_ = Seen{epoch, beat, now};
  if (now - seen_->since < timeout_) return std::optional<std::int64_t>{};
  return take(epoch, beat);
}

Result<bool> Claimant::beat() {
  if (!epoch_) return false;
  const ports::Rows beaten = TRY(database_.run(sql::claim_beat, {claim_, holder_, *epoch_}));
  if (beaten.empty()) epoch_.reset();
  return epoch_.has_value();
}

Result<std::optional<std::int64_t>> Claimant::seize() {
  if (TRY(beat())) return epoch_;
  TRY(database_.run(sql::claim_create, {claim_, std::string("nobody")}));
  const ports::Rows rows = TRY(database_.run(sql::claim_read, {claim_}));
  if (rows.empty()) return std::optional<std::int64_t>{};
  return take(rows[0].integer(1), rows[0].integer(2));
}

Result<std::optional<std::int64_t>> Claimant::take(std::int64_t epoch, std::int64_t beat) {
  const ports::Rows taken = TRY(database_.run(sql::claim_take, {claim_, holder_, epoch, beat}));
  seen_.reset();
  if (!taken.empty()) epoch_ = taken[0].integer(0);
  return epoch_;
}

}  // namespace reclaim::agents
