// The HTTP API from its caller's side. One request at a time; nothing is retried here, because the caller knows what may run twice.
//
// Errors: as the API says, with what to do behind the colon of the message. kUnavailable and kContended: not now, perhaps later
// (no connection, no answer, 503). kCorrupt: whoever answers there is not the API. The token is in no message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/console.hpp"
#include "cli/table.hpp"

namespace httplib {
class Client;
}

namespace reclaim::cli {

struct ApiOptions {
  std::string server;      // empty: RECLAIM_SERVER, then http://127.0.0.1:7070
  std::string token_file;  // empty: RECLAIM_TOKEN_FILE, then what a local server wrote
};

struct Event {
  std::string seq;
  std::string data;  // JSON text
};

class Api {
 public:
  // Reads the token and prepares, without connecting. Fails only for what the user must put right (exit code 2).
  static Result<Api> open(const ApiOptions& options, Console& console);
  Api(Api&&) noexcept;
  Api& operator=(Api&&) noexcept;
  ~Api();

  // The body of a 2xx answer. An empty `body` sends none.
  Result<std::string> call(const char* method, const std::string& path, const std::string& body = "", Millis patience = Millis(60'000));

  // The results of a list that is applied item by item (POST), also where every item was refused.
  Result<std::string> call_each(const std::string& path, const std::string& items);

  // Calls `each` with the body of every page behind `after`, from the first to the last. `path` may have a query, without `after`.
  Status pages(const std::string& path, std::optional<std::string> after, const std::function<Status(const std::string&)>& each);

  // Follows the event stream after `after` until it ends, which it does also for want of news; nullopt begins where the server does.
  // kUnavailable when the connection could not be made or broke. `each` answers whether to go on.
  Status follow(std::optional<std::string> after, const std::function<bool(const Event&)>& each);

 private:
  struct Exchange {
    int status = 0;
    std::string body;
    bool is_success() const { return status >= 200 && status < 300; }
  };

  Api(std::string server, const std::string& token);
  Result<Exchange> exchange(const char* method, const std::string& path, const std::string& body, Millis patience);
  Error unreachable(std::string_view why) const;
  Error refusal(int status, std::string_view body) const;

  std::string server_;
  std::unique_ptr<httplib::Client> http_;
};

// A JSON body with its fields in the API's order; kCorrupt when it is none.
Result<Ordered> read_body(std::string_view body);

// One segment of a path or one value of a query.
std::string url_encoded(std::string_view text);

}  // namespace reclaim::cli
