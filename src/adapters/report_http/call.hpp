// One POST at a time on a handle of libcurl, and what came of it.
//
// Who may call: the thread of the multi handle that it is added to.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::report_http {

inline constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 10U;  // headers and body

class Call {
 public:
  Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // From here on the handle may be added to a multi handle. The report stays where it is until the end.
  // Errors: kUnavailable: libcurl cannot be told what it must be told; nothing is to be sent then.
  Status prepare(const ports::Report& report, Millis timeout, const std::string& ca_file);
  // The handle has come to its end so.
  ports::ReportOutcome outcome(CURLcode end) const;

  CURL* handle() const { return handle_.get(); }

 private:
  struct EndHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct EndList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t take_header(const char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* self);
  // Whether so many bytes more are still within the limit.
  bool count_bytes(std::size_t bytes);
  bool add_header(const std::string& line);

  std::unique_ptr<CURL, EndHandle> handle_;
  std::unique_ptr<curl_slist, EndList> headers_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::size_t answer_bytes_ = 0;
  bool has_whole_head_ = false;
  std::string said_;  // the beginning of the body
};

}  // namespace reclaim::report_http
