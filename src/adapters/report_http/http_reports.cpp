#include "adapters/report_http/http_reports.hpp"

#include <curl/curl.h>

#include <map>
#include <utility>

#include "adapters/report_http/call.hpp"
#include "adapters/report_http/turns.hpp"

namespace reclaim::report_http {

using ports::Report;
using ports::ReportOutcome;
using Kind = ports::ReportOutcome::Kind;

namespace {

struct EndMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// Once in a process, for good: no thread may be at libcurl when it is taken down.
CURLM* init_multi() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  check(started == CURLE_OK, "curl_global_init");
  CURLM* multi = curl_multi_init();
  check(multi != nullptr, "curl_multi_init");
  return multi;
}

}  // namespace

struct HttpReports::Curl {
  std::unique_ptr<CURLM, EndMulti> multi{init_multi()};
  std::vector<std::unique_ptr<Call>> idle;
};

// One call of deliver().
class HttpReports::Batch {
 public:
  Batch(HttpReports& sink, std::span<const Report> reports)
      : sink_(sink),
        reports_(reports),
        begin_until_(sink.clock_.now() + sink.options_.begin_within),
        outcomes_(reports.size(), ReportOutcome{.kind = Kind::kNotSent, .reason = "its turn did not come"}),
        turns_(sink.options_.slots_per_target) {}

  ~Batch() {
    for (auto& [handle, under_way] : under_way_) curl_multi_remove_handle(multi(), handle);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::vector<ReportOutcome> run() {
    line_up();
    for (begin_some(); !under_way_.empty() && !sink_.is_stopped_; begin_some()) {
      if (!move_on()) return break_off("libcurl cannot go on");
    }
    return under_way_.empty() ? std::move(outcomes_) : break_off("Reclaim stopped meanwhile");
  }

 private:
  struct UnderWay {
    std::size_t report;
    std::unique_ptr<Call> call;
  };

  CURLM* multi() const { return sink_.curl_->multi.get(); }

  // What is no report is not sent at all.
  void line_up() {
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      const Status checked = ports::check_report(reports_[i]);
      if (checked.ok()) {
        turns_.add(i, ports::parse_report_url(reports_[i].url).value().target());
      } else {
        outcomes_[i] = {.kind = Kind::kUnanswered, .reason = ports::report_reason("cannot be sent: " + checked.error().message)};
      }
    }
  }

  void begin_some() {
    while (under_way_.size() < sink_.options_.slots && !sink_.is_stopped_ && sink_.clock_.now() < begin_until_) {
      const std::optional<std::size_t> next = turns_.begin();
      if (!next) return;
      begin(*next);
    }
  }

  void begin(std::size_t report) {
    std::unique_ptr<Call> call = take_call();
    const Status prepared = call->prepare(reports_[report], sink_.options_.call_timeout, sink_.options_.ca_file);
    const bool is_begun = prepared.ok() && curl_multi_add_handle(multi(), call->handle()) == CURLM_OK;
    if (!is_begun) {
      end(report, {.kind = Kind::kUnanswered, .reason = prepared.ok() ? "libcurl takes no call" : prepared.error().message});
      return;
    }
    CURL* const handle = call->handle();
    under_way_.emplace(handle, UnderWay{report, std::move(call)});
  }

  std::unique_ptr<Call> take_call() {
    if (sink_.curl_->idle.empty()) return std::make_unique<Call>();
    std::unique_ptr<Call> call = std::move(sink_.curl_->idle.back());
    sink_.curl_->idle.pop_back();
    return call;
  }

  // Waits for anything to happen: the calls' own deadlines end the wait, and stop() does.
  bool move_on() {
    constexpr int kWaitMs = 1000;
    int running = 0;
    if (curl_multi_perform(multi(), &running) != CURLM_OK) return false;
    const bool is_anything_done = take_ends();
    return is_anything_done || curl_multi_poll(multi(), nullptr, 0, kWaitMs, nullptr) == CURLM_OK;
  }

  bool take_ends() {
    bool is_any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode result = message->data.result;
      auto ended = under_way_.extract(message->easy_handle);
      curl_multi_remove_handle(multi(), ended.key());
      end(ended.mapped().report, ended.mapped().call->outcome(result));
      sink_.curl_->idle.push_back(std::move(ended.mapped().call));
      is_any = true;
    }
    return is_any;
  }

  void end(std::size_t report, ReportOutcome outcome) {
    const bool is_answered = outcome.kind != Kind::kUnanswered;
    outcomes_[report] = std::move(outcome);
    for (const std::size_t other : turns_.end(report, is_answered)) {
      outcomes_[other] = {.kind = Kind::kUnanswered,
                          .reason = "not sent, for its target leaves others unanswered: " + outcomes_[report].reason};
      outcomes_[other].reason = ports::report_reason(outcomes_[other].reason);
    }
  }

  std::vector<ReportOutcome> break_off(const std::string& why) {
    for (const auto& [handle, under_way] : under_way_) outcomes_[under_way.report] = {.kind = Kind::kUnanswered, .reason = why};
    return std::move(outcomes_);
  }

  HttpReports& sink_;
  const std::span<const Report> reports_;
  const Instant begin_until_;
  std::vector<ReportOutcome> outcomes_;
  Turns turns_;
  std::map<CURL*, UnderWay> under_way_;
};

HttpReports::HttpReports(HttpReportsOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), curl_(std::make_unique<Curl>()) {
  // As many idle ones as are in use, at most.
  curl_multi_setopt(curl_->multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(2 * options_.slots));
}

HttpReports::~HttpReports() = default;

std::vector<ReportOutcome> HttpReports::deliver(std::span<const Report> reports) { return Batch(*this, reports).run(); }

void HttpReports::stop() {
  is_stopped_ = true;
  curl_multi_wakeup(curl_->multi.get());
}

}  // namespace reclaim::report_http
