#include "http/transport.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <set>
#include <thread>

#include "http/promise.hpp"
#include "http/recorder.hpp"
#include "http/target.hpp"

namespace reclaim::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kLingeringMax = 256;                  // refused, and given the time to read it
constexpr std::size_t kLingeringFew = 8;                    // while descriptors are short
constexpr std::size_t kLingerBytesMax = 128 * 1024 * 1024;  // what a sender whose request was refused may still push at us
constexpr std::chrono::seconds kLinger{5};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int kTurnedAwayAtOnce = 64;

// A request body that grows as it arrives: a length that somebody only announces costs nothing.
struct GrowingBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(bhttp::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& length, error_code& ec) {
      ec = {};
      if (length) announced_ = static_cast<std::size_t>(*length);
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& ec) {
      ec = {};
      const std::size_t added = beast::buffer_bytes(buffers);
      const std::size_t needed = body_.size() + added;
      if (needed > body_.capacity()) body_.reserve(std::max(needed, std::min(announced_, 2 * needed)));
      for (const asio::const_buffer part : beast::buffers_range_ref(buffers))
        body_.append(static_cast<const char*>(part.data()), part.size());
      return added;
    }
    void finish(error_code& ec) { ec = {}; }

   private:
    value_type& body_;
    std::size_t announced_ = 0;
  };
};
using Parser = bhttp::request_parser<GrowingBody>;

// A body's part of the memory that all bodies may take together, given back with it.
class MemoryShare {
 public:
  explicit MemoryShare(std::atomic<std::size_t>& total) : total_(&total) {}
  MemoryShare(MemoryShare&& other) noexcept : total_(other.total_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryShare& operator=(MemoryShare&&) = delete;
  ~MemoryShare() { release(); }

  void release() { *total_ -= std::exchange(bytes_, 0); }

  bool grow_to(std::size_t bytes, std::size_t total_max) {
    const std::size_t more = bytes - bytes_;
    if (total_->fetch_add(more) + more > total_max) {
      *total_ -= more;
      return false;
    }
    bytes_ = bytes;
    return true;
  }

 private:
  std::atomic<std::size_t>* total_;
  std::size_t bytes_ = 0;
};

struct Connection {
  explicit Connection(tcp::socket socket) : stream(std::move(socket)), wake(stream.get_executor()) {
    wake.expires_at(asio::steady_timer::time_point::max());
  }

  beast::tcp_stream stream;
  beast::flat_buffer buffer{2 * kReadBytes};
  asio::steady_timer wake;  // the coroutine sleeps on it while somebody else works for it
  bool idle = false;        // between two requests: stop() may close it at once
  bool streaming = false;   // stop() may end it at once
  bool ended = false;       // leave at the next opportunity

  void end() {
    ended = true;
    wake.cancel();
  }
  void cut() {
    end();
    stream.close();
  }
};
using ConnectionPtr = std::shared_ptr<Connection>;

// What reading one request came to: a call to hand on, an error to answer with, or nobody left to talk to.
struct Received {
  enum class Outcome { kGone, kRefused, kComplete } outcome = Outcome::kGone;
  Error error{Error::Kind::kUnparsable, ""};
};

Received refused(Error error) { return {Received::Outcome::kRefused, std::move(error)}; }

Received why_reading_ended(const error_code& ec, const Limits& limits) {
  if (ec == bhttp::error::end_of_stream) return {};
  if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow) {
    return refused(too_large("the header is larger than " + std::to_string(limits.header_bytes_max) + " bytes"));
  }
  if (ec == bhttp::error::body_limit) {
    return refused(too_large("the body is larger than " + std::to_string(limits.body_bytes_max) + " bytes"));
  }
  if (ec.category() == bhttp::make_error_code(bhttp::error::bad_method).category()) {
    return refused(unparsable("not an HTTP/1.1 request: " + ec.message()));
  }
  return {};  // timed out, reset, cut by stop()
}

Reply no_room_reply(const char* what) { return problem_reply(unavailable(what)); }

Reply unanswered_reply() { return no_room_reply("the request was dropped; ask what is true before trying again"); }

std::string refusal_text() {
  const Reply reply = no_room_reply("too many connections");
  return "HTTP/1.1 503 Service Unavailable\r\nServer: reclaim\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: " +
         reply.content_type + "\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
}

template <class Message>
void put_head(Message& message, const Reply& reply, unsigned version, bool keep_alive) {
  message.version(version);
  message.result(static_cast<unsigned>(reply.status));
  message.set(bhttp::field::server, "reclaim");
  message.set(bhttp::field::content_type, reply.content_type);
  for (const auto& [name, value] : reply.headers) message.set(name, value);
  message.keep_alive(keep_alive);
}

Result<Call> to_call(Parser& parser) {
  bhttp::request<GrowingBody>& request = parser.get();
  Target target = TRY(parse_target(std::string_view(request.target().data(), request.target().size())));
  Call call;
  call.method = std::string(request.method_string());
  call.segments = std::move(target.segments);
  call.query = std::move(target.query);
  for (const auto& field : request) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    call.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  call.body = std::move(request.body());
  return call;
}

// Anything but plain `chunked` is a coding that we do not undo, and a way to smuggle one request inside another.
bool has_foreign_coding(const Parser& parser) {
  const auto coding = parser.get().find(bhttp::field::transfer_encoding);
  return coding != parser.get().end() && !beast::iequals(coding->value(), "chunked");
}

bool peer_has_left(tcp::socket& socket) {
  char byte = 0;
  error_code ec;
  const std::size_t seen = socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
  return seen == 0 && ec != asio::error::would_block;
}

struct Piece {
  bool end = true;
  std::string bytes;
};

Piece no_piece() { return {}; }

}  // namespace

class Transport::Impl {
 public:
  Impl(const Options& options, Service& service, std::unique_ptr<Recorder> recorder)
      : options_(options),
        service_(service),
        recorder_(std::move(recorder)),
        refusal_(refusal_text()),
        io_(std::make_shared<asio::io_context>(1)),
        acceptor_(*io_),
        drain_(*io_),
        pool_(options.threads) {}

  Status listen();
  void run();
  void stop();
  std::uint16_t port() const { return port_; }
  Counts counts() const;

 private:
  const Limits& limits() const { return options_.limits; }

  asio::awaitable<void> accept_all();
  void admit(tcp::socket socket);
  void refuse(tcp::socket socket, std::size_t lingering_max);
  asio::awaitable<void> tell_and_linger(ConnectionPtr connection);
  void tell_and_leave(int newcomer) const;
  bool turn_away();

  asio::awaitable<void> serve(ConnectionPtr connection);
  asio::awaitable<bool> await_request(Connection& connection, bool is_first);
  asio::awaitable<bool> exchange(ConnectionPtr connection);
  asio::awaitable<Received> read_request(Connection& connection, Parser& parser, MemoryShare& memory);
  asio::awaitable<Received> read_body(Connection& connection, Parser& parser, MemoryShare& memory);
  asio::awaitable<std::optional<Reply>> ask_service(ConnectionPtr connection, Call call, MemoryShare memory);
  asio::awaitable<bool> write_reply(Connection& connection, Reply reply, unsigned version, bool is_head, bool keep_alive);
  asio::awaitable<bool> write_stream(ConnectionPtr connection, Reply reply, unsigned version, bool is_head, bool keep_alive);
  asio::awaitable<Piece> next_piece(ConnectionPtr connection, std::shared_ptr<Stream> stream);
  asio::awaitable<void> linger(Connection& connection);

  template <class Job>
  bool run_on_pool(Job job);
  void begin_stop();

  const Options options_;
  Service& service_;
  std::unique_ptr<Recorder> recorder_;
  const std::string refusal_;
  std::shared_ptr<asio::io_context> io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  asio::steady_timer drain_;
  std::atomic<std::size_t> bodies_bytes_ = 0;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<bool> discarding_ = false;  // the connections of the jobs that wait are gone
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> shed_ = 0;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::size_t> open_ = 0;
  asio::thread_pool pool_;  // goes before what its jobs refer to
  std::thread thread_;
  int spare_descriptor_ = -1;  // given up for a moment to tell a newcomer that there are no more
  bool stopping_ = false;
  std::set<ConnectionPtr> connections_;
  std::size_t refusing_ = 0;
};

Status Transport::Impl::listen() {
  const std::string where = options_.host + ":" + std::to_string(options_.port);
  error_code ec;
  tcp::resolver resolver(*io_);
  const auto found = resolver.resolve(options_.host, std::to_string(options_.port), tcp::resolver::passive, ec);
  if (ec || found.empty()) return invalid("listen", "no such address: " + where);
  const tcp::endpoint endpoint = *found.begin();

  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) acceptor_.non_blocking(true, ec);
  if (ec == asio::error::address_in_use) return conflict("cannot listen on " + where + ": another program does");
  if (ec) return invalid("listen", "cannot listen on " + where + ": " + ec.message());
  port_ = acceptor_.local_endpoint(ec).port();
  return done();
}

void Transport::Impl::run() {
  spare_descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  asio::co_spawn(*io_, accept_all(), asio::detached);
  thread_ = std::thread([this] { io_->run(); });
}

asio::awaitable<void> Transport::Impl::accept_all() {
  asio::steady_timer pause(*io_);
  while (!stopping_) {
    error_code ec;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (stopping_) co_return;
    if (!ec) {
      admit(std::move(socket));
      continue;
    }
    const bool no_descriptor = ec == asio::error::no_descriptors || ec.value() == ENFILE;
    if (no_descriptor && turn_away()) {
      co_await acceptor_.async_wait(tcp::acceptor::wait_read, asio::redirect_error(asio::use_awaitable, ec));
      continue;
    }
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
}

void Transport::Impl::admit(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
  const bool fits = runtime::leaves_descriptors(socket.native_handle(), options_.descriptors_left);
  if (!fits || connections_.size() >= limits().connections_max) return refuse(std::move(socket), fits ? kLingeringMax : kLingeringFew);
  const auto connection = std::make_shared<Connection>(std::move(socket));
  ++accepted_;
  connections_.insert(connection);
  open_ = connections_.size();
  asio::co_spawn(*io_, serve(connection), [this, connection](const std::exception_ptr&) {
    connections_.erase(connection);
    open_ = connections_.size();
    if (stopping_ && connections_.empty()) drain_.cancel();
  });
}

void Transport::Impl::refuse(tcp::socket socket, std::size_t lingering_max) {
  ++refused_;
  if (refusing_ >= lingering_max) return tell_and_leave(socket.native_handle());
  ++refusing_;
  asio::co_spawn(*io_, tell_and_linger(std::make_shared<Connection>(std::move(socket))),
                 [this](const std::exception_ptr&) { --refusing_; });
}

void Transport::Impl::tell_and_leave(int newcomer) const {
  [[maybe_unused]] const ssize_t sent = ::send(newcomer, refusal_.data(), refusal_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(newcomer, SHUT_WR);
  std::array<char, 4096> unread{};  // closing with bytes unread would reset the connection, and the reset may overtake the reply
  [[maybe_unused]] const ssize_t read = ::recv(newcomer, unread.data(), unread.size(), MSG_DONTWAIT);
}

asio::awaitable<void> Transport::Impl::tell_and_linger(ConnectionPtr connection) {
  error_code ec;
  connection->stream.expires_after(std::chrono::seconds(1));
  co_await asio::async_write(connection->stream, asio::buffer(refusal_), asio::redirect_error(asio::use_awaitable, ec));
  connection->stream.socket().shutdown(tcp::socket::shutdown_send, ec);
  std::array<char, 4096> scratch{};
  while (!ec && !stopping_) {
    co_await connection->stream.async_read_some(asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, ec));
  }
}

// Tells who waits that there is no room. False when even the spare descriptor is gone, and nobody could be told.
bool Transport::Impl::turn_away() {
  ::close(spare_descriptor_);
  for (int turned = 0; turned < kTurnedAwayAtOnce; ++turned) {
    const int newcomer = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (newcomer < 0) break;
    ++refused_;
    tell_and_leave(newcomer);
    ::close(newcomer);
  }
  spare_descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return spare_descriptor_ >= 0;
}

asio::awaitable<void> Transport::Impl::serve(ConnectionPtr connection) {
  bool is_first = true;
  bool goes_on = true;
  while (goes_on && !stopping_ && !connection->ended) {
    goes_on = co_await await_request(*connection, is_first);
    if (goes_on) goes_on = co_await exchange(connection);
    is_first = false;
  }
}

asio::awaitable<bool> Transport::Impl::await_request(Connection& connection, bool is_first) {
  if (connection.buffer.size() > 0) co_return true;
  connection.buffer.shrink_to_fit();
  connection.idle = true;
  connection.stream.expires_after(is_first ? limits().header : limits().idle);
  error_code ec;
  const std::size_t read =
      co_await connection.stream.async_read_some(connection.buffer.prepare(4096), asio::redirect_error(asio::use_awaitable, ec));
  connection.buffer.commit(read);
  connection.idle = false;
  co_return !ec && read > 0;
}

asio::awaitable<bool> Transport::Impl::exchange(ConnectionPtr connection) {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits().header_bytes_max));
  parser.body_limit(limits().body_bytes_max);
  MemoryShare memory(bodies_bytes_);
  const Received received = co_await read_request(*connection, parser, memory);
  if (received.outcome == Received::Outcome::kGone) co_return false;

  const std::string method(parser.get().method_string());
  const std::string path(parser.get().target());
  const unsigned version = parser.get().version() == 10 ? 10 : 11;
  const bool whole = received.outcome == Received::Outcome::kComplete;
  std::optional<Reply> reply;
  if (whole) {
    Result<Call> call = to_call(parser);
    if (call.ok()) {
      reply = co_await ask_service(connection, std::move(call).value(), std::move(memory));
    } else {
      reply = problem_reply(call.error());
    }
  } else {
    parser.get().body() = std::string();
    memory.release();
    reply = problem_reply(received.error);
  }
  if (!reply) co_return false;

  if (recorder_) recorder_->record(method, path, *reply);
  const bool keep_alive = whole && parser.keep_alive() && !stopping_;
  const bool is_stream = reply->stream != nullptr;
  bool written = false;
  if (is_stream) {
    written = co_await write_stream(connection, std::move(*reply), version, method == "HEAD", keep_alive);
  } else {
    written = co_await write_reply(*connection, std::move(*reply), version, method == "HEAD", keep_alive);
  }
  if (written && !keep_alive) co_await linger(*connection);
  co_return (written && keep_alive);
}

asio::awaitable<Received> Transport::Impl::read_request(Connection& connection, Parser& parser, MemoryShare& memory) {
  error_code ec;
  connection.stream.expires_after(limits().header);
  co_await bhttp::async_read_header(connection.stream, connection.buffer, parser, asio::redirect_error(asio::use_awaitable, ec));
  if (ec) co_return why_reading_ended(ec, limits());
  if (has_foreign_coding(parser)) co_return refused(unparsable("the transfer coding is not plain chunked"));
  if (!parser.is_done() && beast::iequals(parser.get()[bhttp::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(connection.stream, asio::buffer(kContinue), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return Received{};
  }
  co_return co_await read_body(connection, parser, memory);
}

asio::awaitable<Received> Transport::Impl::read_body(Connection& connection, Parser& parser, MemoryShare& memory) {
  error_code ec;
  std::size_t next_piece = 0;
  for (;;) {
    const std::size_t size = parser.get().body().size();
    if (!memory.grow_to(size, limits().bodies_bytes_max)) {
      ++shed_;
      co_return refused(unavailable("too many request bodies in memory; nothing happened, try again"));
    }
    if (parser.is_done()) co_return Received{Received::Outcome::kComplete};
    if (size >= next_piece) {
      connection.stream.expires_after(limits().piece);
      next_piece = size + limits().piece_bytes;
    }
    co_await bhttp::async_read_some(connection.stream, connection.buffer, parser, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return why_reading_ended(ec, limits());
  }
}

template <class Job>
bool Transport::Impl::run_on_pool(Job job) {
  if (waiting_.fetch_add(1) >= limits().waiting_max) {
    --waiting_;
    return false;
  }
  asio::post(pool_, [this, work = std::move(job)]() mutable {
    --waiting_;
    if (discarding_) return;
    try {
      work();
    } catch (const std::exception&) {
      // The top of a pool thread. Out of memory ends a request, not the server: its promise is dropped, and so answered.
    }
  });
  return true;
}

// Nothing to answer with means that the connection has ended meanwhile.
asio::awaitable<std::optional<Reply>> Transport::Impl::ask_service(ConnectionPtr connection, Call call, MemoryShare memory) {
  const auto waiting = std::make_shared<Waiting<Reply>>(connection->wake);
  const bool taken = run_on_pool([this, share = std::move(memory), asked = std::move(call),
                                  promise = std::make_shared<Promise<Reply>>(io_, waiting, &unanswered_reply)]() mutable {
    service_.handle(std::move(asked), [promise](Reply reply) { promise->keep(std::move(reply)); });
  });
  if (!taken) {
    ++shed_;
    co_return no_room_reply("too many requests at once; nothing happened, try again");
  }
  ++requests_;
  error_code ignored;
  while (!waiting->value && !connection->ended) {
    co_await connection->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::move(waiting->value);
}

asio::awaitable<bool> Transport::Impl::write_reply(Connection& connection, Reply reply, unsigned version, bool is_head, bool keep_alive) {
  bhttp::response<bhttp::string_body> response;
  put_head(response, reply, version, keep_alive);
  response.content_length(reply.body.size());
  if (!is_head) response.body() = std::move(reply.body);
  bhttp::response_serializer<bhttp::string_body> serializer(response);
  error_code ec;
  std::size_t sent = 0;
  std::size_t next_piece = 0;
  while (!ec && !serializer.is_done()) {
    if (sent >= next_piece) {
      connection.stream.expires_after(limits().piece);
      next_piece = sent + limits().piece_bytes;
    }
    sent += co_await bhttp::async_write_some(connection.stream, serializer, asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return !ec;
}

asio::awaitable<bool> Transport::Impl::write_stream(ConnectionPtr connection, Reply reply, unsigned version, bool is_head,
                                                    bool keep_alive) {
  const bool chunked = version == 11;
  bhttp::response<bhttp::empty_body> response;
  put_head(response, reply, version, keep_alive && chunked);
  response.chunked(chunked);
  bhttp::response_serializer<bhttp::empty_body> serializer(response);
  error_code ec;
  connection->stream.expires_after(limits().piece);
  co_await bhttp::async_write_header(connection->stream, serializer, asio::redirect_error(asio::use_awaitable, ec));
  if (ec || is_head) co_return !ec;

  connection->streaming = true;
  connection->stream.socket().async_wait(tcp::socket::wait_read, [connection](const error_code& failed) {
    if (!failed && connection->streaming && peer_has_left(connection->stream.socket())) connection->end();
  });
  bool goes_on = true;
  while (goes_on && !ec && !connection->ended && !stopping_) {
    const Piece piece = co_await next_piece(connection, reply.stream);
    goes_on = !piece.end;
    if (piece.bytes.empty()) continue;
    connection->stream.expires_after(limits().piece);
    if (chunked) {
      co_await asio::async_write(connection->stream, bhttp::make_chunk(asio::buffer(piece.bytes)),
                                 asio::redirect_error(asio::use_awaitable, ec));
    } else {
      co_await asio::async_write(connection->stream, asio::buffer(piece.bytes), asio::redirect_error(asio::use_awaitable, ec));
    }
  }
  connection->streaming = false;
  if (!ec && chunked) {
    connection->stream.expires_after(limits().piece);
    co_await asio::async_write(connection->stream, bhttp::make_chunk_last(), asio::redirect_error(asio::use_awaitable, ec));
  }
  error_code ignored;
  connection->stream.socket().cancel(ignored);
  co_return !ec && !goes_on && chunked;
}

// Pauses where there is nothing to send, so that a quiet stream is asked about twice a second.
asio::awaitable<Piece> Transport::Impl::next_piece(ConnectionPtr connection, std::shared_ptr<Stream> stream) {
  const auto waiting = std::make_shared<Waiting<Piece>>(connection->wake);
  const auto promise = std::make_shared<Promise<Piece>>(io_, waiting, &no_piece);
  const bool taken = run_on_pool([stream, promise] {
    std::optional<std::string> next = stream->next();
    promise->keep(next ? Piece{false, std::move(*next)} : Piece{});
  });
  if (!taken) promise->keep({false, ""});
  error_code ignored;
  while (!waiting->value && !connection->ended) {
    co_await connection->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!waiting->value) co_return Piece{};
  if (!waiting->value->end && waiting->value->bytes.empty()) {
    connection->wake.expires_after(limits().stream_pause);
    co_await connection->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    connection->wake.expires_at(asio::steady_timer::time_point::max());
  }
  co_return std::move(*waiting->value);
}

// A connection closed with unread bytes in it is reset, and the reset may overtake the reply: read on for a while first.
asio::awaitable<void> Transport::Impl::linger(Connection& connection) {
  error_code ec;
  connection.stream.socket().shutdown(tcp::socket::shutdown_send, ec);
  connection.idle = true;
  connection.stream.expires_after(kLinger);
  std::vector<char> scratch(kReadBytes);
  std::size_t read = 0;
  while (!ec && !stopping_ && read < kLingerBytesMax) {
    read += co_await connection.stream.async_read_some(asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, ec));
  }
}

void Transport::Impl::begin_stop() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (const ConnectionPtr& connection : connections_) {
    if (connection->idle) connection->cut();
    if (connection->streaming) connection->end();
  }
  if (connections_.empty()) return;
  drain_.expires_after(limits().drain);
  drain_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    for (const ConnectionPtr& connection : connections_) connection->cut();
  });
}

void Transport::Impl::stop() {
  if (!thread_.joinable()) return;
  asio::post(*io_, [this] { begin_stop(); });
  thread_.join();
  discarding_ = true;
  pool_.join();
  ::close(spare_descriptor_);
}

Counts Transport::Impl::counts() const {
  return {.accepted = accepted_, .refused = refused_, .shed = shed_, .requests = requests_, .open = open_, .body_bytes = bodies_bytes_};
}

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() { stop(); }

Result<std::unique_ptr<Transport>> Transport::start(const Options& options, Service& service) {
  std::unique_ptr<Recorder> recorder;
  if (!options.record_file.empty()) recorder = TRY(Recorder::open(options.record_file));
  auto impl = std::make_unique<Impl>(options, service, std::move(recorder));
  TRY(impl->listen());
  impl->run();
  return std::unique_ptr<Transport>(new Transport(std::move(impl)));
}

std::uint16_t Transport::port() const { return impl_->port(); }
Counts Transport::counts() const { return impl_->counts(); }
void Transport::stop() { impl_->stop(); }

}  // namespace reclaim::http
