// Crash at every step, for reports: stops the process before a batch is delivered, after it, or lets it be delivered while no outcome is
// heard of. A batch is one call; the Fault may be shared with a FaultyStore and a FaultyDatabase, which then numbers the calls of all.
//
// A stop before leaves some of the batch delivered, as the seed says. A stop is thrown as Crash. One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "ports/report_sink.hpp"
#include "sim/crash.hpp"

namespace reclaim::sim {

class FaultySink : public ports::ReportSink {
 public:
  FaultySink(ports::ReportSink& inner, Fault& fault, std::uint64_t seed = 0) : inner_(inner), fault_(fault), seed_(seed) {}

  std::vector<ports::ReportOutcome> deliver(std::span<const ports::Report> reports) override;

 private:
  ports::ReportSink& inner_;
  Fault& fault_;
  std::uint64_t seed_;
};

}  // namespace reclaim::sim
