// The right to act for all servers, one holder at a time among any number of them.
//
// A holder beats; who wants the claim watches the beat on its own clock and takes it, by compare-and-set with the next epoch, when the
// beat has stood still for the timeout. No safety rests on that judgement: every transaction done under the claim names its epoch and
// is refused when that has moved on (fleet: hold_claim). A crash leaves a beat that stands still.
// (Fencing by epoch: Burrows, "The Chubby lock service", OSDI 2006, sequencers.)
//
// Clock-free: the caller says what time it is. Who may call: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::agents {

class Claimant {
 public:
  // `holder` names this process for good: a new process is a new holder. A timeout of nothing takes the claim at once: for an
  // embedded database, whose data directory's lock proves that every former holder is dead.
  Claimant(ports::Database& database, std::string claim, std::string holder, Millis timeout);

  // Beats if the claim is ours, takes it if it is free or its holder has stood still for the timeout. The epoch if it is ours now.
  Result<std::optional<std::int64_t>> keep(Instant now);
  // Takes it whoever holds it: an operator asked this server to act now. The former holder is refused from here on.
  Result<std::optional<std::int64_t>> seize();

  const std::string& claim() const { return claim_; }
  const std::string& holder() const { return holder_; }

 private:
  struct Seen {
    std::int64_t epoch = 0;
    std::int64_t beat = 0;
    Instant since;
  };

  Result<bool> beat();  // false: it is not ours, or not any more
  Result<std::optional<std::int64_t>> take(std::int64_t epoch, std::int64_t beat);

  ports::Database& database_;
  std::string claim_;
  std::string holder_;
  Millis timeout_;
  std::optional<std::int64_t> epoch_;  // while it is ours
  std::optional<Seen> seen_;           // while it is another's
};

}  // namespace reclaim::agents
