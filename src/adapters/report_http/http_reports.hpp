// Reports over HTTP/1.1 and HTTPS with libcurl: many calls at once on the caller's thread.
//
// Beyond the port
//  * A batch takes at most `begin_within` + `call_timeout`.
//  * Connections are kept from batch to batch. One that its target has closed meanwhile costs a second try, of which the target may see
//  both.
//  * Certificates are verified, against those that the machine trusts or those in `ca_file`. No proxy is used.
//  * Names are resolved by threads of libcurl, one for each call that waits for a name.
//
// Who may call: deliver() from one thread at a time, stop() from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::report_http {

struct HttpReportsOptions {
  std::size_t slots = 32;             // calls under way at once
  std::size_t slots_per_target = 16;  // of one host and port
  Millis call_timeout{10'000};
  Millis begin_within{10'000};
  std::string ca_file = {};  // PEM; empty: what the machine trusts
};

class HttpReports : public ports::ReportSink {
 public:
  explicit HttpReports(HttpReportsOptions options, const Clock& clock);
  ~HttpReports() override;
  HttpReports(const HttpReports&) = delete;
  HttpReports& operator=(const HttpReports&) = delete;

  std::vector<ports::ReportOutcome> deliver(std::span<const ports::Report> reports) override;
  // For good: breaks off the batch under way, whose calls are unanswered then, and begins none any more.
  void stop();

 private:
  class Batch;
  struct Curl;  // so that libcurl stays in here

  const HttpReportsOptions options_;
  const Clock& clock_;
  const std::unique_ptr<Curl> curl_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace reclaim::report_http
