// The audit trail, a page at a time or as it happens.
#include "audit/events.hpp"

#include <charconv>

#include "http/routes.hpp"
#include "wire/sync.hpp"

namespace reclaim::http {
namespace {

constexpr std::int64_t kPageOfStream = 500;
constexpr int kQuietTurns = 20;  // about ten seconds: then a comment shows the client, and us, that the connection lives
constexpr int kLookTurns = 10;   // then the token is looked at again: one that was taken away sees nothing more

// Reads on from where it is. A database that is away for a moment is nothing new; the client notices nothing.
class EventStream : public Stream {
 public:
  EventStream(ports::Database& database, std::int64_t after, std::string bearer)
      : database_(database), after_(after), bearer_(std::move(bearer)) {}

  std::optional<std::string> next() override {
    if (++turns_ % kLookTurns == 0 && is_token_gone()) return std::nullopt;
    const Result<std::vector<audit::RecordedEvent>> events = audit::read_events(database_, after_, kPageOfStream);
    std::string text;
    if (events.ok()) {
      for (const audit::RecordedEvent& event : events.value()) {
        text += "id: " + std::to_string(event.seq) + "\ndata: " + to_text(encode(event)) + "\n\n";
        after_ = event.seq;
      }
    }
    if (!text.empty()) {
      quiet_turns_ = 0;
    } else if (++quiet_turns_ >= kQuietTurns) {
      quiet_turns_ = 0;
      text = ":\n\n";
    }
    return text;
  }

 private:
  bool is_token_gone() const {
    const Result<server::Caller> caller = server::authenticate(database_, bearer_);
    return !caller.ok() && caller.error().kind == Error::Kind::kUnauthenticated;
  }

  ports::Database& database_;
  std::int64_t after_;
  const std::string bearer_;
  unsigned turns_ = 0;
  int quiet_turns_ = 0;
};

bool wants_stream(const Call& call) {
  const std::string* accept = header_of(call, "accept");
  return accept != nullptr && accept->find("text/event-stream") != std::string::npos;
}

// A browser that lost its stream comes back with the last id it saw.
std::optional<std::int64_t> last_event_id(const Call& call) {
  const std::string* text = header_of(call, "last-event-id");
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool fits = failed == std::errc() && end == text->data() + text->size() && number >= 0 && number <= wire::kNumberMax;
  return fits ? std::optional(number) : std::nullopt;
}

Result<Reply> events(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::int64_t after = query.integer("after", 0, wire::kNumberMax).value_or(0);
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  ports::Database& database = parts.plane.database();
  if (wants_stream(request.call)) {
    const std::int64_t from = last_event_id(request.call).value_or(after);
    return Reply{.content_type = "text/event-stream",
                 .headers = {{"Cache-Control", "no-store"}},
                 .stream = std::make_shared<EventStream>(database, from, *header_of(request.call, "authorization"))};
  }
  return list_reply(
      "events", TRY(audit::read_events(database, after, limit + 1)), limit, [](const audit::RecordedEvent& event) { return encode(event); },
      [](const audit::RecordedEvent& event) { return event.seq; });
}

}  // namespace

void add_event_routes(Routes& routes, const ApiParts& parts) {
  routes.add("GET", "/api/v1/events", server::Need::kRead, [&parts](const Request& request) { return events(parts, request); });
}

}  // namespace reclaim::http
