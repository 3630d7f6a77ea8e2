// The seam between the HTTP transport and what answers: requests as values in, replies as values out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace reclaim::http {

struct Call {
  std::string method;                                        // upper case
  std::vector<std::string> segments;                         // of the path, each decoded on its own: an escaped slash separates nothing
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
};

// The only value of a header, or null when it is absent or there are several: nobody guesses which of two was meant.
const std::string* header_of(const Call& call, std::string_view lower_case_name);

// A reply's body that goes on: asked for the next piece after each write, and about twice a second while it has none.
class Stream {
 public:
  virtual ~Stream() = default;
  // The next bytes; empty: nothing now; nullopt: the end. Called on a pool thread, never twice at once, and may block for one
  // database read.
  virtual std::optional<std::string> next() = 0;
};

struct Reply {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<Stream> stream = nullptr;
};

// The error as RFC 9457 has it, with the headers that its status asks for (Retry-After, WWW-Authenticate).
Reply problem_reply(const Error& error);

// 405 with the methods that the path does answer.
Reply method_not_allowed_reply(const std::vector<std::string>& allowed);

class Service {
 public:
  virtual ~Service() = default;
  // Called on a pool thread and may block for database transactions. `answer` is called exactly once, from any thread, now or later
  // (a held sync answers up to a minute later); after the transport has stopped it does nothing. The body counts against the
  // transport's memory until handle() returns. HEAD arrives as it is and is answered like GET: the transport leaves the body out.
  virtual void handle(Call call, std::function<void(Reply)> answer) = 0;
};

}  // namespace reclaim::http
