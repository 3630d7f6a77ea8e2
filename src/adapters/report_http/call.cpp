#include "adapters/report_http/call.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::report_http {

using ports::Report;
using ports::ReportOutcome;
using Kind = ports::ReportOutcome::Kind;

namespace {

constexpr std::size_t kSaidMax = 200;

// Options that must be taken; the first that is not is remembered.
class Options {
 public:
  explicit Options(CURL* handle) : handle_(handle) {}

  template <class Value>
  Options& set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(handle_, option, value);
    if (code_ == CURLE_OK) code_ = code;
    return *this;
  }
  Status status() const {
    return code_ == CURLE_OK ? done() : unavailable(std::string("libcurl refuses an option: ") + curl_easy_strerror(code_));
  }

 private:
  CURL* handle_;
  CURLcode code_ = CURLE_OK;
};

}  // namespace

Call::Call() : handle_(curl_easy_init()) { check(handle_ != nullptr, "curl_easy_init"); }

bool Call::count_bytes(std::size_t bytes) {
  answer_bytes_ += bytes;
  return answer_bytes_ <= kAnswerBytesMax;
}

// One line of a head, interim answers' and trailers too.
std::size_t Call::take_header(const char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) call.has_whole_head_ = false;
  if (line == "\r\n" || line == "\n") call.has_whole_head_ = true;
  return call.count_bytes(line.size()) ? line.size() : 0;
}

// Of an empty piece 0 would be all; libcurl hands over none.
std::size_t Call::take_body(const char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  if (!call.count_bytes(size * count)) return 0;
  call.said_.append(bytes, std::min(size * count, kSaidMax - call.said_.size()));
  return size * count;
}

bool Call::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)headers_.release();
  headers_.reset(longer);
  return true;
}

Status Call::prepare(const Report& report, Millis timeout, const std::string& ca_file) {
  // The connections that the handle has used stay with the multi handle.
  curl_easy_reset(handle());
  headers_.reset();
  message_.fill('\0');
  answer_bytes_ = 0;
  has_whole_head_ = false;
  said_.clear();
  // `Expect:` without a value is left out: nobody waits to be asked for so little.
  for (const std::string& line :
       {std::string("Content-Type: application/json"), "Idempotency-Key: " + report.key, std::string("Expect:")}) {
    if (!add_header(line)) return unavailable("no memory for headers");
  }
  Options options(handle());
  options.set(CURLOPT_URL, report.url.c_str())
      .set(CURLOPT_PROTOCOLS_STR, "http,https")
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_PROXY, "")  // none, whatever the environment says: reports go where they are sent
      .set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
      .set(CURLOPT_PATH_AS_IS, 1L)
      .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
      .set(CURLOPT_USERAGENT, "reclaim")
      .set(CURLOPT_HTTPHEADER, headers_.get())
      .set(CURLOPT_POST, 1L)
      .set(CURLOPT_POSTFIELDS, report.body.data())
      .set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(report.body.size()))
      .set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()))
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_QUICK_EXIT, 1L)  // a name server that does not answer is not waited for beyond the deadline
      .set(CURLOPT_ERRORBUFFER, message_.data())
      .set(CURLOPT_HEADERFUNCTION, &Call::take_header)
      .set(CURLOPT_HEADERDATA, static_cast<void*>(this))
      .set(CURLOPT_WRITEFUNCTION, &Call::take_body)
      .set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (!ca_file.empty()) options.set(CURLOPT_CAINFO, ca_file.c_str()).set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  return options.status();
}

ReportOutcome Call::outcome(CURLcode end) const {
  if (answer_bytes_ > kAnswerBytesMax) {
    return {.kind = Kind::kUnanswered, .reason = "the answer has over " + std::to_string(kAnswerBytesMax) + " bytes"};
  }
  if (end != CURLE_OK) {
    const bool is_told = message_.front() != '\0';
    return {.kind = Kind::kUnanswered, .reason = ports::report_reason(is_told ? message_.data() : curl_easy_strerror(end))};
  }
  // libcurl takes the end of the connection for the end of the head.
  if (!has_whole_head_) return {.kind = Kind::kUnanswered, .reason = "the answer ended within its headers"};
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {.kind = Kind::kReceipt, .status = static_cast<int>(status)};
  const std::string answered = "answered " + std::to_string(status);
  return {.kind = Kind::kRefused,
          .status = static_cast<int>(status),
          .reason = ports::report_reason(said_.empty() ? answered : answered + ": " + said_)};
}

}  // namespace reclaim::report_http
