// Requesters in memory: what simulation and tests report to, and the ledger of what they were told.
//
// Beyond the port: reports arrive one after the other, in their order, and nothing takes time. A target gives up its turn like any other
// once it has left kSilentAfter reports in a row unanswered.
// Who may call: any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "ports/report_sink.hpp"

namespace reclaim::report_memory {

inline constexpr std::size_t kSilentAfter = 16;

// What a target makes of a report. `arrives` says whether it is in the ledger: one that is not answered may have arrived or not.
struct Reaction {
  ports::ReportOutcome outcome;
  bool arrives = true;
};

struct Arrival {
  ports::Report report;
  bool has_receipt = false;
};

class MemoryReports : public ports::ReportSink {
 public:
  using React = std::function<Reaction(const ports::Report&)>;

  // Of one host and port, as ReportUrl::target() writes it. All others answer 200 to everything.
  void set_target(const std::string& target, React react);
  std::vector<ports::ReportOutcome> deliver(std::span<const ports::Report> reports) override;
  // In the order of arrival.
  std::vector<Arrival> ledger() const;

 private:
  ports::ReportOutcome deliver_one(const ports::Report& report, std::map<std::string, std::size_t>& unanswered);

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, React> targets_;
  std::vector<Arrival> ledger_;
};

}  // namespace reclaim::report_memory
