#include "http/transport.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <thread>

#include "unit/http/raw_client.hpp"
#include "wire/json.hpp"

namespace reclaim::http {
namespace {

using Answer = std::function<void(Reply)>;

// Echoes what it was asked, unless a test puts something else in.
class FakeService : public Service {
 public:
  void handle(Call call, Answer answer) override { doing(std::move(call), std::move(answer)); }

  std::function<void(Call, Answer)> doing = [](const Call& call, const Answer& answer) {
    std::string path;
    for (const std::string& segment : call.segments) path += "/" + segment;
    answer({.body = call.method + " " + path + " " + std::to_string(call.body.size())});
  };
};

class HttpTransport : public testing::Test {
 protected:
  void start() { transport = Transport::start(options, service).value(); }
  std::uint16_t port() const { return transport->port(); }

  template <class Condition>
  static bool eventually(Condition condition) {
    for (int turn = 0; turn < 20'000; ++turn) {
      if (condition()) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }

  FakeService service;
  Options options;
  std::unique_ptr<Transport> transport;
};

// Answers that are given when the test says so, on the test's thread.
class Held {
 public:
  void hold(Answer answer) {
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(answer));
    changed_.notify_all();
  }
  std::vector<Answer> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return held_.size() >= count; }));
    return std::exchange(held_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> held_;
};

std::string problem_type(const RawReply& reply) {
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  return wire::parse_json(reply.body).value().value("type", "");
}

TEST_F(HttpTransport, AnswersManyRequestsOnOneConnection) {
  start();
  RawClient client(port());
  for (int i = 0; i < 100; ++i) {
    const RawReply reply = client.get("/a/b" + std::to_string(i));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("server"), "reclaim");
    EXPECT_EQ(reply.headers.at("content-type"), "application/json");
    EXPECT_EQ(reply.body, "GET /a/b" + std::to_string(i) + " 0");
  }
  EXPECT_EQ(transport->counts().accepted, 1u);
  EXPECT_EQ(transport->counts().requests, 100u);
}

TEST_F(HttpTransport, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port());
  client.send(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "POST /1 3");
  EXPECT_EQ(client.read_reply().body, "GET /2 0");
  EXPECT_EQ(client.read_reply().body, "GET /3 0");
}

TEST_F(HttpTransport, ClosesWhenAskedTo) {
  start();
  RawClient client(port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_reply().headers.at("connection"), "close");
  EXPECT_TRUE(client.is_closed());
  RawClient old(port());
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_reply().status, 200);
  EXPECT_TRUE(old.is_closed());
}

TEST_F(HttpTransport, AnswersHeadWithTheLengthAndWithoutTheBody) {
  start();
  RawClient client(port());
  client.send("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawReply reply = client.read_reply(false);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-length"), std::to_string(std::string("HEAD /abc 0").size()));
  EXPECT_EQ(client.get("/next").body, "GET /next 0");
}

TEST_F(HttpTransport, HandsUnknownMethodsToTheService) {
  start();
  RawClient client(port());
  client.send("PURGE /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "PURGE /a 0");
}

TEST_F(HttpTransport, HandsOnHeadersQueryAndBody) {
  service.doing = [](const Call& call, const Answer& answer) {
    const std::string* one = header_of(call, "x-one");
    answer(
        {.body = call.query.at(0).first + call.query.at(0).second + *one + (header_of(call, "x-two") == nullptr ? "" : "two") + call.body});
  };
  start();
  RawClient client(port());
  client.send(
      "POST /?a=b HTTP/1.1\r\nHost: x\r\nX-ONE: 1\r\nx-two: 1\r\nX-Two: 2\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "ab1abcde");
}

TEST_F(HttpTransport, AsksForABodyThatWaitsToBeAsked) {
  start();
  RawClient client(port());
  client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 100);
  client.send("1234");
  EXPECT_EQ(client.read_reply().body, "PUT /a 4");
}

TEST_F(HttpTransport, RefusesWhatIsNoRequest) {
  start();
  const std::string crlf = "\r\n\r\n";
  for (const std::string& text :
       {std::string("hello\r\n\r\n"), "GET" + crlf, "GET / HTTP/9.9" + crlf, "GET  / HTTP/1.1" + crlf, "GET /%zz HTTP/1.1" + crlf,
        "GET /a%00 HTTP/1.1" + crlf, "GET /x?a=%4 HTTP/1.1" + crlf, "GET / HTTP/1.1\r\nbad header" + crlf, "OPTIONS * HTTP/1.1" + crlf,
        "CONNECT a:80 HTTP/1.1" + crlf, "POST / HTTP/1.1\r\nContent-Length: -1" + crlf,
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2" + crlf,
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked" + crlf + "0" + crlf,
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked" + crlf + "0" + crlf, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip" + crlf,
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" + crlf + "zz\r\n", "\x16\x03\x01\x02" + std::string(1, '\0') + crlf}) {
    RawClient client(port());
    client.send(text);
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.status, 400) << text;
    if (reply.status == 400) {
      EXPECT_EQ(problem_type(reply), "urn:reclaim:invalid") << text;
    }
  }
  EXPECT_EQ(transport->counts().requests, 0u);
  EXPECT_EQ(RawClient(port()).get("/").status, 200);
}

TEST_F(HttpTransport, RefusesARequestThatEndsEarly) {
  start();
  RawClient half_header(port());
  half_header.send("GET / HTTP/1.1\r\nHo");
  half_header.finish_sending();
  EXPECT_EQ(half_header.read_reply().status, 400);
  RawClient half_body(port());
  half_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  half_body.finish_sending();
  EXPECT_EQ(half_body.read_reply().status, 400);
  EXPECT_EQ(transport->counts().requests, 0u);
}

TEST_F(HttpTransport, DotsInAPathLeadNowhere) {
  start();
  EXPECT_EQ(RawClient(port()).get("/a/../b/%2e%2e/c").body, "GET /a/../b/../c 0");
}

TEST_F(HttpTransport, RefusesHugeHeadersAndTargets) {
  start();
  RawClient header(port());
  header.send("GET / HTTP/1.1\r\nX-Long: " + std::string(20'000, 'a') + "\r\n\r\n");
  const RawReply reply = header.read_reply();
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(problem_type(reply), "urn:reclaim:too-large");
  RawClient target(port());
  target.send("GET /" + std::string(1'000'000, 'a') + " HTTP/1.1\r\n\r\n");
  EXPECT_EQ(target.read_reply().status, 413);
  RawClient many(port());
  std::string lines;
  for (int i = 0; i < 5'000; ++i) lines += "X-" + std::to_string(i) + ": y\r\n";
  many.send("GET / HTTP/1.1\r\n" + lines + "\r\n");
  EXPECT_EQ(many.read_reply().status, 413);
}

TEST_F(HttpTransport, RefusesABodyOverTheLimitAlsoToAClientThatSendsItAllFirst) {
  start();
  const std::string body(options.limits.body_bytes_max + 1, 'x');
  RawClient announced(port());
  announced.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_TRUE(announced.send(body));
  const RawReply reply = announced.read_reply();
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(problem_type(reply), "urn:reclaim:too-large");
  EXPECT_TRUE(announced.is_closed());

  RawClient chunked(port());
  std::ostringstream chunk;
  chunk << std::hex << body.size() << "\r\n";
  chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk.str());
  EXPECT_TRUE(chunked.send(body));
  EXPECT_EQ(chunked.read_reply().status, 413);
  EXPECT_EQ(transport->counts().requests, 0u);
}

TEST_F(HttpTransport, TakesABodyOfExactlyTheLimit) {
  start();
  const std::string body(options.limits.body_bytes_max, 'x');
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  client.send(body);
  EXPECT_EQ(client.read_reply().body, "POST / " + std::to_string(body.size()));
}

TEST_F(HttpTransport, SendsABigReplyWhole) {
  const std::string big(20'000'000, 'y');
  service.doing = [&](const Call&, const Answer& answer) { answer({.body = big}); };
  start();
  EXPECT_EQ(RawClient(port()).get("/").body, big);
}

TEST_F(HttpTransport, BoundsTheMemoryOfAllBodiesTogether) {
  options.limits.bodies_bytes_max = 100'000;
  start();
  RawClient slow(port());
  slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + std::string(80'000, 'a'));
  EXPECT_TRUE(eventually([&] { return transport->counts().body_bytes == 80'000; }));
  RawClient other(port());
  other.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n" + std::string(30'000, 'a'));
  const RawReply reply = other.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "1");
  EXPECT_EQ(transport->counts().shed, 1u);
  slow.send(std::string(10'000, 'a'));
  EXPECT_EQ(slow.read_reply().body, "POST / 90000");
  EXPECT_TRUE(eventually([&] { return transport->counts().body_bytes == 0; }));
}

TEST_F(HttpTransport, AnAnnouncedLengthAloneTakesNoMemory) {
  options.limits.bodies_bytes_max = 100'000;
  start();
  std::deque<RawClient> boasters;
  for (int i = 0; i < 50; ++i) {
    boasters.emplace_back(port());
    boasters.back().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nx");
  }
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + std::string(90'000, 'a'));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST_F(HttpTransport, CutsWhoSendsTooSlowlyAndServesTheOthers) {
  options.limits.header = Millis(100);
  options.limits.piece = Millis(100);
  start();
  RawClient silent(port());
  RawClient header(port());
  header.send("GET / HTTP/1.1\r\nHo");
  RawClient body(port());
  body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(RawClient(port()).get("/").status, 200);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(header.is_closed());
  EXPECT_TRUE(body.is_closed());
}

TEST_F(HttpTransport, ABodyThatTricklesIsCutThoughItNeverStops) {
  options.limits.piece = Millis(200);
  start();
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
  RawClient trickle(port());
  trickle.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return !trickle.send("x"); }));
}

TEST_F(HttpTransport, CutsAConnectionThatIdlesAndAReaderThatDoesNotRead) {
  options.limits.idle = Millis(100);
  options.limits.piece = Millis(100);
  service.doing = [](const Call& call, const Answer& answer) {
    answer({.body = std::string(call.segments.at(0) == "big" ? 50'000'000 : 1, 'z')});
  };
  start();
  RawClient idle(port());
  EXPECT_EQ(idle.get("/").status, 200);
  EXPECT_TRUE(idle.is_closed());
  RawClient deaf(port());
  deaf.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return transport->counts().open == 0; }));
}

TEST_F(HttpTransport, TellsWhoComesWhenItIsFull) {
  options.limits.connections_max = 3;
  start();
  std::deque<RawClient> first;
  for (int i = 0; i < 3; ++i) {
    first.emplace_back(port());
    EXPECT_EQ(first.back().get("/").status, 200);
  }
  for (int i = 0; i < 5; ++i) {
    RawClient late(port());
    const RawReply reply = late.get("/");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
    EXPECT_EQ(problem_type(reply), "urn:reclaim:unavailable");
    late.finish_sending();
    EXPECT_TRUE(late.is_closed());
  }
  EXPECT_EQ(transport->counts().refused, 5u);
  for (RawClient& client : first) EXPECT_EQ(client.get("/").status, 200);
  first.pop_front();
  EXPECT_TRUE(eventually([&] { return RawClient(port()).get("/").status == 200; }));
}

TEST_F(HttpTransport, OutOfDescriptorsStandingConnectionsLiveAndNewOnesAreTold) {
  start();
  RawClient standing(port());
  EXPECT_EQ(standing.get("/").status, 200);
  std::deque<RawClient> late(10);
  const int next_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  rlimit normal{};
  ::getrlimit(RLIMIT_NOFILE, &normal);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next_free) + 1, .rlim_max = normal.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &tight);
  int told = 0;
  for (RawClient& client : late) {
    client.connect(port());
    const RawReply reply = client.read_reply();  // before it asks: nothing unread, nothing reset
    told += reply.status == 503;
  }
  EXPECT_EQ(told, 10);
  EXPECT_EQ(standing.get("/").status, 200);
  ::setrlimit(RLIMIT_NOFILE, &normal);
  ::close(next_free);
  EXPECT_EQ(transport->counts().refused, 10u);
  EXPECT_EQ(RawClient(port()).get("/").status, 200);
}

TEST_F(HttpTransport, HoldsFiveHundredAnswersOnTwoThreads) {
  Held held;
  service.doing = [&](const Call&, Answer answer) { held.hold(std::move(answer)); };
  options.threads = 2;
  start();
  std::deque<RawClient> clients;
  for (int i = 0; i < 500; ++i) {
    clients.emplace_back(port());
    clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  std::thread answering([&] {
    for (const Answer& answer : held.take(500)) answer({.body = "later"});
  });
  for (RawClient& client : clients) EXPECT_EQ(client.read_reply().body, "later");
  answering.join();
}

TEST_F(HttpTransport, ServesClientsInParallel) {
  start();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      RawClient client(port());
      for (int i = 0; i < 200; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        right += client.get(path).body == "GET " + path + " 0";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 16 * 200);
}

TEST_F(HttpTransport, ShedsRequestsThatNoThreadCanTakeSoon) {
  std::mutex gate;
  std::unique_lock closed(gate);
  service.doing = [&](const Call&, const Answer& answer) {
    const std::lock_guard through(gate);
    answer({});
  };
  options.threads = 1;
  options.limits.waiting_max = 1;
  start();
  RawClient running(port());
  running.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  std::deque<RawClient> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back(port());
    clients.back().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_TRUE(eventually([&] { return transport->counts().shed >= 9; }));
  closed.unlock();
  EXPECT_EQ(running.read_reply().status, 200);
  int shed = 0;
  for (RawClient& client : clients) {
    const RawReply reply = client.read_reply();
    shed += reply.status == 503;
    if (reply.status == 503) {
      EXPECT_EQ(client.get("/").status, 200);  // the connection goes on
    }
  }
  EXPECT_GE(shed, 9);
}

TEST_F(HttpTransport, AnAnswerThatIsDroppedOrThrownAwayIsStillAReply) {
  service.doing = [](const Call& call, const Answer&) {
    if (call.segments.at(0) == "throw") throw std::bad_alloc();
  };
  start();
  RawClient client(port());
  EXPECT_EQ(client.get("/drop").status, 503);
  EXPECT_EQ(client.get("/throw").status, 503);
}

TEST_F(HttpTransport, TheFirstAnswerCounts) {
  service.doing = [](const Call&, const Answer& answer) {
    answer({.body = "first"});
    answer({.body = "second"});
  };
  start();
  RawClient client(port());
  EXPECT_EQ(client.get("/").body, "first");
  EXPECT_EQ(client.get("/").body, "first");
}

TEST_F(HttpTransport, AClientThatLeavesWhileItsAnswerIsHeldHurtsNobody) {
  Held held;
  service.doing = [&](const Call&, Answer answer) { held.hold(std::move(answer)); };
  start();
  {
    RawClient client(port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return transport->counts().requests == 1; }));
  }
  held.take(1).at(0)({.body = "too late"});
  EXPECT_TRUE(eventually([&] { return transport->counts().open == 0; }));
}

// Gives what it was filled with, then nothing, until it is closed.
class Tap : public Stream {
 public:
  explicit Tap(std::atomic<int>& alive) : alive_(alive) { ++alive_; }
  ~Tap() override { --alive_; }
  std::optional<std::string> next() override {
    const std::lock_guard lock(mutex_);
    if (pieces_.empty()) return closed_ ? std::nullopt : std::optional<std::string>("");
    std::string piece = pieces_.front();
    pieces_.pop_front();
    return piece;
  }
  void fill(std::string piece) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  std::atomic<int>& alive_;
  std::mutex mutex_;
  std::deque<std::string> pieces_;
  bool closed_ = false;
};

class HttpStream : public HttpTransport {
 protected:
  void SetUp() override {
    options.limits.stream_pause = Millis(5);
    // The first request gets the stream, later ones do not.
    service.doing = [this](const Call&, const Answer& answer) {
      const std::shared_ptr<Tap> stream = std::exchange(tap, nullptr);
      answer(stream ? Reply{.content_type = "text/event-stream", .stream = stream} : Reply{.body = "next"});
    };
    start();
  }

  std::atomic<int> alive = 0;
  std::shared_ptr<Tap> tap = std::make_shared<Tap>(alive);
};

TEST_F(HttpStream, SendsPiecesAsTheyComeAndGoesOnAfterTheEnd) {
  const std::shared_ptr<Tap> mine = tap;
  RawClient client(port());
  const RawReply reply = client.get("/");
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(reply.headers.at("transfer-encoding"), "chunked");
  mine->fill("data: 1\n\n");
  EXPECT_EQ(client.read_chunk(), "data: 1\n\n");
  mine->fill("data: 2\n\n");
  EXPECT_EQ(client.read_chunk(), "data: 2\n\n");
  mine->close();
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_EQ(client.get("/").body, "next");
}

TEST_F(HttpStream, IsDroppedWhenTheClientLeaves) {
  {
    RawClient client(port());
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(eventually([&] { return alive == 0 && transport->counts().open == 0; }));
}

TEST_F(HttpStream, GoesToAnOldClientUntilTheConnectionCloses) {
  tap->fill("all");
  tap->close();
  RawClient client(port());
  client.send("GET / HTTP/1.0\r\n\r\n");
  const RawReply reply = client.read_reply();
  EXPECT_FALSE(reply.headers.contains("transfer-encoding"));
  EXPECT_EQ(client.read_until("all"), "all");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpStream, EndsWhenTheTransportStops) {
  RawClient client(port());
  EXPECT_EQ(client.get("/").status, 200);
  transport->stop();
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(alive, 0);
}

TEST_F(HttpTransport, StopFinishesWhatIsInFlightAndClosesTheRest) {
  Held held;
  service.doing = [&](const Call& call, Answer answer) {
    if (call.segments.at(0) == "held") return held.hold(std::move(answer));
    answer({});
  };
  start();
  std::deque<RawClient> idle;
  for (int i = 0; i < 20; ++i) {
    idle.emplace_back(port());
    EXPECT_EQ(idle.back().get("/").status, 200);
  }
  RawClient silent(port());
  RawClient in_flight(port());
  in_flight.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  std::vector<Answer> answers = held.take(1);
  std::thread stopping([&] { transport->stop(); });
  for (RawClient& client : idle) EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(silent.is_closed());
  answers.at(0)({.body = "finished"});
  const RawReply reply = in_flight.read_reply();
  EXPECT_EQ(reply.body, "finished");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  stopping.join();
  EXPECT_EQ(transport->counts().open, 0u);
}

TEST_F(HttpTransport, StopIsBoundedAndALateAnswerDoesNothing) {
  Held held;
  service.doing = [&](const Call&, Answer answer) { held.hold(std::move(answer)); };
  options.limits.drain = Millis(50);
  start();
  RawClient client(port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  std::vector<Answer> answers = held.take(1);
  transport->stop();
  EXPECT_TRUE(client.is_closed());
  transport.reset();
  answers.at(0)({.body = "nobody hears it"});
  answers.clear();
}

TEST_F(HttpTransport, SaysWhyItCannotListen) {
  start();
  Options same = options;
  same.port = port();
  const auto taken = Transport::start(same, service);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind, Error::Kind::kConflict);
  Options nowhere = options;
  nowhere.host = "no-such-host.invalid";
  const auto unknown = Transport::start(nowhere, service);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().kind, Error::Kind::kInvalid);
}

TEST_F(HttpTransport, RecordsResponsesWithoutTokens) {
  const std::string file = testing::TempDir() + "/exchanges-" + std::to_string(::getpid()) + ".jsonl";
  options.record_file = file;
  service.doing = [](const Call&, const Answer& answer) { answer({.status = 201, .body = R"({"id":"t1","token":"very-secret"})"}); };
  start();
  EXPECT_NE(RawClient(port()).get("/api/v1/tokens?x=1").body.find("very-secret"), std::string::npos);
  RawClient bad(port());
  bad.send("nonsense\r\n\r\n");
  EXPECT_EQ(bad.read_reply().status, 400);
  transport->stop();
  std::ifstream recorded(file);
  std::string first;
  std::string second;
  std::getline(recorded, first);
  std::getline(recorded, second);
  EXPECT_EQ(first.find("very-secret"), std::string::npos);
  const wire::Json line = wire::parse_json(first).value();
  EXPECT_EQ(line.at("method"), "GET");
  EXPECT_EQ(line.at("path"), "/api/v1/tokens?x=1");
  EXPECT_EQ(line.at("status"), 201);
  EXPECT_EQ(line.at("content_type"), "application/json");
  EXPECT_EQ(wire::parse_json(second).value().at("status"), 400);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace reclaim::http
