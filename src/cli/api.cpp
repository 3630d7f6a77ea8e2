#include "cli/api.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "wire/json.hpp"
#include "wire/sync.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:7070";
constexpr std::size_t kTokenMax = 4096;
constexpr std::size_t kAnswerMax = std::size_t{256} << 20U;
constexpr std::size_t kEventMax = std::size_t{1} << 20U;
constexpr Millis kListPatience(300'000);
constexpr int kConnectSeconds = 5;
constexpr int kQuietStreamSeconds = 60;  // a stream that says nothing that long is asked for again: the network may be gone

std::string setting(const std::string& given, const char* variable) {
  if (!given.empty()) return given;
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

Error unusable(std::string message) { return invalid("usage", std::move(message)); }

std::optional<std::string> read_small_file(const std::string& path, struct stat& about) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  std::string text(kTokenMax + 1, '\0');
  ssize_t length = -1;
  if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode)) length = ::read(file, text.data(), text.size());
  ::close(file);
  if (length < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Result<std::string> read_token(const std::string& path, Console& console) {
  struct stat about {};
  errno = 0;
  std::optional<std::string> text = read_small_file(path, about);
  if (!text)
    return unusable("cannot read the token file " + path + ": " + (errno == 0 ? "it is not a file" : std::strerror(errno)) +
                    ": name another with --token-file or RECLAIM_TOKEN_FILE");
  const std::size_t last = text->find_last_not_of(" \t\r\n");
  text->resize(last == std::string::npos ? 0 : last + 1);
  const bool is_token =
      !text->empty() && text->size() <= kTokenMax && std::ranges::all_of(*text, [](char c) { return c > ' ' && c <= '~'; });
  if (!is_token) return unusable("the token file " + path + " does not hold one token: name another with --token-file");
  if ((about.st_mode & (S_IROTH | S_IWOTH)) != 0)
    complain(console, "warning: everybody can read the token file " + path + ": chmod 600 it");
  return std::move(*text);
}

// Where the server of this machine leaves its first token.
Result<std::string> token_file_of(const ApiOptions& options) {
  std::string named = setting(options.token_file, "RECLAIM_TOKEN_FILE");
  if (!named.empty()) return named;
  const std::string data = setting("", "RECLAIM_DATA");
  std::vector<std::string> candidates{"/var/lib/reclaim/admin.token"};
  if (!data.empty()) candidates.insert(candidates.begin(), data + "/admin.token");
  for (const std::string& candidate : candidates) {
    // A file that may not be looked at is there: reading it says so better than its absence would.
    if (::access(candidate.c_str(), F_OK) == 0 || errno == EACCES) return candidate;
  }
  return unusable("no token: name its file with --token-file or RECLAIM_TOKEN_FILE");
}

Result<std::string> server_of(const ApiOptions& options) {
  std::string server = setting(options.server, "RECLAIM_SERVER");
  if (server.empty()) return std::string(kDefaultServer);
  if (server.ends_with('/')) server.pop_back();
  std::string_view rest = server;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    rest = {};
  }
  const bool is_plain = !rest.empty() && rest.find_first_of("/?#@ ") == std::string_view::npos;
  if (!is_plain) return unusable("--server or RECLAIM_SERVER is not a URL such as " + std::string(kDefaultServer) + ": " + server);
  return server;
}

const char* advice_for(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::kNotFound: return "check the name, or list what there is";
    case Error::Kind::kConflict: return "look at its present state and decide again";
    case Error::Kind::kFenced: return "somebody newer acts: leave it to them";
    case Error::Kind::kContended:
    case Error::Kind::kUnavailable: return "try again later";
    case Error::Kind::kCorrupt: return "look into the server's log";
    case Error::Kind::kInvalid:
    case Error::Kind::kUnparsable: return "put it right and ask again";
    case Error::Kind::kTooLarge: return "ask for less at once";
    case Error::Kind::kForbidden: return "use a token of another role with --token-file";
    case Error::Kind::kUnauthenticated: return "name the file of a valid token with --token-file";
  }
  check(false, "unknown error kind");
  return "";
}

bool is_temporary(int status) { return status == 502 || status == 503 || status == 504; }

// The lines of a text/event-stream, as they come, put together to events.
class EventReader {
 public:
  explicit EventReader(const std::function<bool(const Event&)>& each) : each_(each) {}

  bool take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        if (!end_line()) return false;
      } else if (line_.size() + event_.data.size() < kEventMax) {
        line_ += c;
      } else {
        return false;
      }
    }
    return true;
  }

 private:
  bool end_line() {
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::exchange(line_, {});
    if (!line.empty()) return read_field(line), true;
    const bool is_event = !event_.data.empty();
    const bool goes_on = !is_event || each_(event_);
    event_.data.clear();
    return goes_on;
  }

  void read_field(std::string_view line) {
    const std::string_view name = line.substr(0, line.find(':'));
    std::string_view value = line.substr(std::min(name.size() + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") event_.seq = value;
    if (name == "data") event_.data.append(event_.data.empty() ? "" : "\n").append(value);
  }

  const std::function<bool(const Event&)>& each_;
  std::string line_;
  Event event_;
};

}  // namespace

Api::Api(std::string server, const std::string& token) : server_(std::move(server)), http_(std::make_unique<httplib::Client>(server_)) {
  http_->set_default_headers({{"Authorization", "Bearer " + token}, {"User-Agent", "reclaim"}});
  http_->set_connection_timeout(kConnectSeconds);
  http_->set_follow_location(false);
  http_->set_url_encode(false);
}

Api::Api(Api&&) noexcept = default;
Api& Api::operator=(Api&&) noexcept = default;
Api::~Api() = default;

Result<Api> Api::open(const ApiOptions& options, Console& console) {
  std::string server = TRY(server_of(options));
  const std::string token_file = TRY(token_file_of(options));
  return Api(std::move(server), TRY(read_token(token_file, console)));
}

Error Api::unreachable(std::string_view why) const {
  return unavailable(std::string(why) + " " + server_ + ": check that the server runs, or name another with --server");
}

Error Api::refusal(int status, std::string_view body) const {
  Error error = wire::parse_problem(status, body);
  const bool is_stranger = error.kind == Error::Kind::kUnavailable && !is_temporary(status);
  if (is_stranger) return corrupt(server_ + " is no Reclaim server: " + error.message + ": check --server");
  if (error.kind == Error::Kind::kInvalid && !error.field.empty()) error.message = error.field + ": " + error.message;
  error.message.append(error.message.empty() ? std::string(name_of(error.kind)) + ": " : ": ").append(advice_for(error.kind));
  return error;
}

Result<Api::Exchange> Api::exchange(const char* method, const std::string& path, const std::string& body, Millis patience) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  std::string answer;
  bool fits = true;
  request.content_receiver = [&](const char* bytes, std::size_t length, std::uint64_t, std::uint64_t) {
    fits = answer.size() + length <= kAnswerMax;
    if (fits) answer.append(bytes, length);
    return fits;
  };
  http_->set_read_timeout(patience);
  const httplib::Result result = http_->send(request);
  if (!fits) return too_large("the answer is over 256 MiB: ask for less at once");
  if (!result) {
    const bool was_sent = result.error() == httplib::Error::Read || result.error() == httplib::Error::Unknown;
    if (!was_sent) return unreachable("cannot reach");
    return unavailable("no answer from " + server_ + ": it may have happened or not: look before you ask again");
  }
  return Exchange{result->status, std::move(answer)};
}

Result<std::string> Api::call(const char* method, const std::string& path, const std::string& body, Millis patience) {
  Exchange done = TRY(exchange(method, path, body, patience));
  if (!done.is_success()) return refusal(done.status, done.body);
  return std::move(done.body);
}

Result<std::string> Api::call_each(const std::string& path, const std::string& items) {
  Exchange done = TRY(exchange("POST", path, items, kListPatience));
  if (!done.is_success() && !done.body.starts_with('[')) return refusal(done.status, done.body);
  return std::move(done.body);
}

Status Api::pages(const std::string& path, std::optional<std::string> after, const std::function<Status(const std::string&)>& each) {
  const std::string url = path + (path.find('?') == std::string::npos ? "?" : "&") + "limit=10000";
  for (;;) {
    const std::string body = TRY(call("GET", url + (after ? "&after=" + url_encoded(*after) : "")));
    TRY(each(body));
    const Ordered page = TRY(read_body(body));
    const auto next = page.is_object() ? page.find("next") : page.end();
    if (next == page.end() || next->is_null()) return done();
    const std::string from = next->is_string() ? next->get<std::string>() : next->dump();
    if (from == after) return corrupt("the server's list does not end: look into the server's log");
    after = from;
  }
}

Status Api::follow(std::optional<std::string> after, const std::function<bool(const Event&)>& each) {
  httplib::Request request;
  request.method = "GET";
  request.path = "/api/v1/events" + (after ? "?after=" + url_encoded(*after) : "");
  request.headers.emplace("Accept", "text/event-stream");
  int status = 0;
  std::string problem;
  EventReader reader(each);
  request.response_handler = [&](const httplib::Response& response) {
    status = response.status;
    return true;
  };
  request.content_receiver = [&](const char* bytes, std::size_t length, std::uint64_t, std::uint64_t) {
    if (status == 200) return reader.take({bytes, length});
    if (problem.size() + length > kEventMax) return false;
    problem.append(bytes, length);
    return true;
  };
  http_->set_read_timeout(kQuietStreamSeconds);
  const httplib::Result result = http_->send(request);
  if (status != 0 && status != 200) return refusal(status, problem);
  if (status == 200) return done();
  return unreachable(result ? "no stream of events at" : "cannot reach");
}

Result<Ordered> read_body(std::string_view body) {
  // The strict reader bounds the depth and keeps strangers' exceptions away; this one keeps the order of the fields.
  const auto checked = wire::parse_json(body);
  if (!checked.ok()) return corrupt("the answer is " + checked.error().message + ": check --server");
  return Ordered::parse(body, nullptr, false);
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
    }
  }
  return encoded;
}

}  // namespace reclaim::cli
