// Where reports to requesters go: each is one HTTP POST, many are under way at once, and one target's silence does not become another's.
//
// What callers may rely on
//  * The key is sent as `Idempotency-Key`, the body as `application/json`, both byte for byte. Nothing else of Reclaim's is sent: no
//    credentials, no cookies. Redirects are not followed.
//  * Every report has an outcome, and the batch is bounded in time, whatever targets do: a call has a deadline, none is begun after the
//    batch's time, and of an answer a limited number of bytes is read.
//  * A target, host and port, is given some of the calls at once, never all, and of several the one that has the fewest under way is next.
//    One that leaves as many reports as it may have under way unanswered in a row is asked no more in this batch: the rest of its reports
//    have the outcome kUnanswered without being sent.
//  * A reason is one line of UTF-8 without control characters, and never holds the URL: URLs hold secrets. It may hold the beginning of
//    what the target said.
//
// kReceipt is the only outcome that says where a report is. After any other it may have arrived, perhaps later: whoever delivers it again
// does so with the same key and body.
//
// Who may call: one thread at a time. A crash leaves each report of the batch delivered or not.
// (Idempotency-Key: draft-ietf-httpapi-idempotency-key-header.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reclaim::ports {

inline constexpr std::size_t kReportKeyMax = 200;
inline constexpr std::size_t kReportBodyMax = std::size_t{64} << 10U;
inline constexpr std::size_t kReportReasonMax = 300;

struct Report {
  std::string url;
  std::string key;  // visible ASCII
  std::string body;
};

struct ReportOutcome {
  enum class Kind : std::uint8_t {
    kReceipt,     // answered with any 2xx, to the answer's end
    kRefused,     // answered with anything else
    kUnanswered,  // no whole answer: not reached, too slow, too much, not HTTP; or it is no report at all (check_report)
    kNotSent,     // the batch's time was over before its turn: it is as if it had not been handed over
  };
  Kind kind;
  int status = 0;           // of a whole answer
  std::string reason = {};  // empty for a receipt
};

class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // One outcome for each report, in their order.
  virtual std::vector<ReportOutcome> deliver(std::span<const Report> reports) = 0;
};

struct ReportUrl {
  bool is_https = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;

  std::string target() const { return host + '|' + std::to_string(port); }
};

// What a URL must be for a report to go there: absolute, http or https, a host of letters, digits, `.`, `-` and `_` or an address, a port
// from 1 to 65535 if any, no user, no fragment, and the rest of it as RFC 3986 writes it. kInvalid without a field.
Result<ReportUrl> parse_report_url(std::string_view url);
// What every adapter asks before it sends anything; the message can be shown.
Status check_report(const Report& report);

// One line for people out of anything a target or a library says.
std::string report_reason(std::string_view text);

}  // namespace reclaim::ports
