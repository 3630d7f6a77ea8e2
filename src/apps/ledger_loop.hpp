// Takes the archive's ledger again and again, for the metric `reclaim_unaccounted{plane="archive"}`: once a minute, and at work a twentieth
// of the time at most, because it reads the whole store. In a thread of its own: nobody waits for it, no scrape either.
//
// The level is what it was as long as store or database do not answer, or requests move and it cannot be said; before the first it is not
// shown. The destructor stops the reading that is under way.
#pragma once

#include <cstdint>
#include <stop_token>

#include "http/metrics.hpp"
#include "runtime/loop.hpp"
#include "server/archive_plane.hpp"

namespace reclaim::apps {

class LedgerLoop {
 public:
  LedgerLoop(http::Metrics& metrics, const server::ArchivePlane& archive, const Clock& clock);

 private:
  void refresh(const std::stop_token& stopping);

  http::Metrics& metrics_;
  const server::ArchivePlane& archive_;
  std::int64_t said_ = 0;
  runtime::Loop loop_;
};

}  // namespace reclaim::apps
