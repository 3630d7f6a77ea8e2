// The seam between the HTTP transport and what answers: requests as values in, replies as values out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reclaim::http {

struct Call {
  std::string method;  // upper case
  std::string path;    // decoded once, begins with '/'; a path whose escapes are malformed never gets here (400)
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
};

// A reply's body that goes on: asked for the next piece after each write, and about twice a second while it has none.
class Stream {
 public:
  virtual ~Stream() = default;
  // The next bytes; empty: nothing now; nullopt: the end. May block for one database read.
  virtual std::optional<std::string> next() = 0;
};

struct Reply {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<Stream> stream = nullptr;
};

class Service {
 public:
  virtual ~Service() = default;
  // Called on a pool thread and may block for database transactions. `answer` is called exactly once, from any thread, now or later
  // (a held sync answers up to a minute later).
  virtual void handle(Call call, std::function<void(Reply)> answer) = 0;
};

}  // namespace reclaim::http
