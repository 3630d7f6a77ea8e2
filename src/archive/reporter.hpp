// The pass that tells requesters what became of their requests: delivered, or failed. What is told, or asked to tell nobody of its
// delivery, has ended; what could not be told in so many tries, or failed and asked to tell nobody, goes to the failed queue, for its
// operator.
//
// To-report queues have their turns; from each some segments are taken that are due (take.hpp), and one batch of reports of several queues
// is delivered at once (ports/report_sink.hpp). Receipts are recorded (ended.hpp), then the requests leave the segments, and those that
// were tried to no avail go back to their queue, not to be taken before their backoff is over.
//
// What callers may rely on
//  * At least once, with the same key and body in every try of a round.
//  * A queue that a cleaner has marked is left alone, and delays no other.
//  * A target that answers nobody delays the reports of others by one batch's time (A6): in the same pass nothing more is sent to it, and
//    what was not sent waits as long as what was.
//  * Nothing is forgotten without a receipt but what is delivered and asked to tell nobody.
//
// A crash leaves segments with the dead agent, whose collector puts them back: what had a receipt that was recorded is left out then; what
// had one that was not is reported again.
//
// Errors: of the store, the catalogue and the agent; what was in hand then is given back by the next pass of the same hand. kFenced: the
// agent was collected: stop. Who may call: the hand's thread; any number of processes at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agents/takeover.hpp"
#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::archive {

struct ReporterOptions {
  std::uint32_t tries_max = 12;  // --max-report-attempts
  Millis backoff{30'000};        // --report-backoff
};

struct ReporterReport {
  std::uint64_t receipts = 0;
  std::uint64_t untold = 0;                // delivered, and nobody was to be told
  std::uint64_t failed = 0;                // went to the failed queue
  std::uint64_t again = 0;                 // tried to no avail
  std::uint64_t later = 0;                 // not tried: its turn did not come, or its target is silent
  bool more = false;                       // the budget ended before the work
  bool is_in_doubt = false;                // the agent is to be given up for a new one (take.hpp)
  std::vector<std::string> problems = {};  // the first hundred; they hinder nothing else
};

// Until `budget` requests were taken, and then to the end of the batch at hand. `context` as it is at the moment of each call.
Result<ReporterReport> report(const std::function<Context()>& context, Hand& hand, agents::Estate& estate, ports::ReportSink& sink,
                              const ReporterOptions& options, std::size_t budget);

}  // namespace reclaim::archive
