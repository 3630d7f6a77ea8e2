#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "canned_server.hpp"

namespace reclaim::cli {
namespace {

using Lines = std::vector<std::string>;

class Client : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"RECLAIM_SERVER", "RECLAIM_TOKEN_FILE", "RECLAIM_DATA"}) ::unsetenv(name);
    token_file = directory.write("token", std::string(kSecret) + "\n");
  }

  Ran run(std::vector<std::string> args, int width = 100, int pauses = 0) {
    args.insert(args.end(), {"--server", server.url(), "--token-file", token_file});
    return run_plain(args, width, pauses);
  }

  // Runs what must succeed and says what it asked for.
  Lines asked_by(const std::vector<std::string>& args) {
    const std::size_t before = server.asked().size();
    const Ran ran = run(args);
    EXPECT_EQ(ran.code, kDone) << ran.err;
    const Lines all = server.asked();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }

  TempDirectory directory;
  std::string token_file;
  CannedServer server;
};

constexpr const char* kWorker =
    R"({"name":"w1","state":"running","since":"2026-11-23T04:05:06.789Z","incarnation":"i","containers":60,"volumes":120,"destroying":0,)"
    R"("oldest_destroying_s":null,"missing":0,"unknown":0,"held":0,"malformed":0,"last_sync_age_s":12,"braked":null,"frozen":null,)"
    R"("disk":{"total_bytes":107374182400,"used_bytes":1073741824}})";

TEST_F(Client, ListsWorkersAsATable) {
  server.on("GET /api/v1/workers?limit=10000", std::string(R"({"workers":[)") + kWorker + "]}");
  const Ran ran = run({"workers", "list"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out,
            "NAME  STATE    CONTAINERS  VOLUMES  DESTROYING  LAST SYNC     USED       DISK  SINCE\n"
            "w1    running          60      120           0        12s  1.0 GiB  100.0 GiB  2026-11-23 04:05:06\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(server.authorization(), std::string("Bearer ") + kSecret);
}

TEST_F(Client, GivesTheJsonOfTheApiUnchanged) {
  const std::string body = std::string(R"({"workers": [)") + kWorker + R"(], "more_to_come":true})";
  server.on("GET /api/v1/workers?limit=10000", body);
  server.on("GET /api/v1/workers/w1", kWorker);
  EXPECT_EQ(run({"workers", "list", "--output", "json"}).out, body + "\n");
  EXPECT_EQ(run({"workers", "show", "w1", "--output", "json"}).out, std::string(kWorker) + "\n");
}

TEST_F(Client, ShowsOneWorkerFieldByField) {
  server.on("GET /api/v1/workers/w1", kWorker);
  const Ran ran = run({"workers", "show", "w1"});
  EXPECT_NE(ran.out.find("last_sync_age_s      12s\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("disk.used_bytes      1.0 GiB\n"), std::string::npos) << ran.out;
}

TEST_F(Client, FollowsAListToItsLastPage) {
  server.on("GET /api/v1/owners?limit=10000", R"({"owners":[{"id":"a","kind":"build"}],"next":"a b"})");
  server.on("GET /api/v1/owners?limit=10000&after=a%20b", R"({"owners":[{"id":"c","kind":"build"}],"next":17})");
  server.on("GET /api/v1/owners?limit=10000&after=17", R"({"owners":[{"id":"d","kind":"build"}],"next":null})");
  EXPECT_EQ(run({"owners", "list"}).out, "ID  KIND\na   build\nc   build\nd   build\n");
  EXPECT_EQ(run({"owners", "list", "--output", "json"}).code, kDone);
}

TEST_F(Client, JoinsPagesToOneJsonBody) {
  server.on("GET /api/v1/owners?limit=10000", R"({"owners":[{"id":"a","kind":"build"}],"next":"a"})");
  server.on("GET /api/v1/owners?limit=10000&after=a", R"({"owners":[{"id":"b","kind":"x"}]})");
  EXPECT_EQ(run({"owners", "list", "--output", "json"}).out, R"({"owners":[{"id":"a","kind":"build"},{"id":"b","kind":"x"}]})"
                                                             "\n");
}

TEST_F(Client, GivesUpOnAListThatTurnsRound) {
  server.on("GET /api/v1/owners?limit=10000", R"({"owners":[],"next":"a"})");
  server.on("GET /api/v1/owners?limit=10000&after=a", R"({"owners":[],"next":"a"})");
  EXPECT_EQ(run({"owners", "list"}).code, kFailed);
}

TEST_F(Client, EnrolsAWorkerByItsPublicKeyFile) {
  server.on("PUT /api/v1/workers/w1", kWorker);
  const std::string key = directory.write("w1.pub", "ssh-ed25519 AAAAC3NzaC1 somebody@somewhere\n");
  EXPECT_EQ(asked_by({"workers", "enroll", "w1", "--key", key}), Lines{R"(PUT /api/v1/workers/w1 {"keys":["ssh-ed25519 AAAAC3NzaC1"]})"});
  EXPECT_EQ(asked_by({"workers", "enroll", "--key", key, "--ephemeral", "--tag", "a", "--tag", "b", "--existing", "adopt", "w1"}),
            Lines{R"(PUT /api/v1/workers/w1 {"ephemeral":true,"existing":"adopt","keys":["ssh-ed25519 AAAAC3NzaC1"],"tags":["a","b"]})"});
}

TEST_F(Client, NeverSendsAPrivateKey) {
  const std::string key = directory.write("w1", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----\n");
  const Ran ran = run({"workers", "enroll", "w1", "--key", key});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_NE(ran.err.find("--key"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find(".pub"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("b3BlbnNzaC1r"), std::string::npos);
  EXPECT_TRUE(server.asked().empty());
}

TEST_F(Client, AsksForEachStepOfAWorkersLife) {
  for (const char* verb : {"land", "retire", "prune"}) {
    const std::string line = std::string("POST /api/v1/workers/w1/") + verb;
    server.on(line, kWorker);
    EXPECT_EQ(asked_by({"workers", verb, "w1"}), Lines{line});
  }
  server.on("DELETE /api/v1/workers/w1", kWorker);
  EXPECT_EQ(asked_by({"workers", "delete", "w1"}), Lines{"DELETE /api/v1/workers/w1"});
}

TEST_F(Client, AsksForEachStepOfAnOwnersLife) {
  const std::string owner = R"({"id":"b1","kind":"build","ttl_s":60,"interruptible":true,"labels":{"k":"v=w"},"released_at":null})";
  server.on("PUT /api/v1/owners/b1", owner);
  server.on("GET /api/v1/owners/b1", owner);
  server.on("POST /api/v1/owners/b1/release", owner);
  server.on("DELETE /api/v1/owners/b1", owner);
  EXPECT_EQ(asked_by({"owners", "add", "b1", "--kind", "build"}), Lines{R"(PUT /api/v1/owners/b1 {"interruptible":true,"kind":"build"})"});
  EXPECT_EQ(
      asked_by({"owners", "add", "b1", "--kind", "build", "--ttl", "1h30m", "--not-interruptible", "--label", "k=v=w", "--label", "e="}),
      Lines{R"(PUT /api/v1/owners/b1 {"interruptible":false,"kind":"build","labels":{"e":"","k":"v=w"},"ttl_s":5400})"});
  EXPECT_EQ(
      asked_by({"owners", "renew", "b1"}),
      (Lines{"GET /api/v1/owners/b1", R"(PUT /api/v1/owners/b1 {"interruptible":true,"kind":"build","labels":{"k":"v=w"},"ttl_s":60})"}));
  EXPECT_EQ(asked_by({"owners", "release", "b1", "--keep-for", "5d"}), Lines{R"(POST /api/v1/owners/b1/release {"keep_for_s":432000})"});
  EXPECT_EQ(asked_by({"owners", "release", "b1"}), Lines{R"(POST /api/v1/owners/b1/release {})"});
  EXPECT_EQ(asked_by({"owners", "delete", "b1"}), Lines{"DELETE /api/v1/owners/b1"});
  server.on("POST /api/v1/owners/adopted%3Aw1/release", owner);
  EXPECT_EQ(asked_by({"owners", "release", "adopted:w1"}), Lines{R"(POST /api/v1/owners/adopted%3Aw1/release {})"});
}

TEST_F(Client, AsksForEachStepOfAResourcesLife) {
  const std::string resource = R"({"worker":"w1","handle":"x","state":"creating"})";
  for (const std::string kind : {"containers", "volumes"}) {
    const std::string all = "/api/v1/workers/w1/" + kind;
    server.on("POST " + all, Canned{201, resource});
    for (const std::string verb : {"created", "failed", "destroy", "touch"}) {
      server.on("POST " + all + "/x/" + verb, resource);
      EXPECT_EQ(asked_by({kind, verb, "w1/x"}), Lines{"POST " + all + "/x/" + verb});
    }
    server.on("PUT " + all + "/x/pin", resource);
    server.on("DELETE " + all + "/x/pin", resource);
    server.on("GET " + all + "/x", resource);
    EXPECT_EQ(asked_by({kind, "add", "w1/x", "--owner", "b1"}), Lines{"POST " + all + R"( {"handle":"x","owner":"b1"})"});
    EXPECT_EQ(asked_by({kind, "pin", "w1/x", "--reason", "why"}), Lines{"PUT " + all + R"(/x/pin {"reason":"why"})"});
    EXPECT_EQ(asked_by({kind, "pin", "w1/x", "--reason", "why", "--ttl", "1h"}),
              Lines{"PUT " + all + R"(/x/pin {"reason":"why","ttl_s":3600})"});
    EXPECT_EQ(asked_by({kind, "unpin", "w1/x"}), Lines{"DELETE " + all + "/x/pin"});
    EXPECT_EQ(asked_by({kind, "show", "w1/x"}), Lines{"GET " + all + "/x"});
  }
  EXPECT_EQ(asked_by({"volumes", "add", "w1/x", "--container", "c", "--parent", "p"}),
            Lines{R"(POST /api/v1/workers/w1/volumes {"container":"c","handle":"x","parent":"p"})"});
}

TEST_F(Client, NarrowsAListByItsFlags) {
  const std::string line = "GET /api/v1/volumes?worker=w1&state=destroying&owner=b%261&missing=true&limit=10000";
  server.on(line, R"({"volumes":[]})");
  EXPECT_EQ(asked_by({"volumes", "list", "--worker", "w1", "--state", "destroying", "--owner", "b&1", "--missing"}), Lines{line});
}

TEST_F(Client, ExplainsAContainerElseAVolume) {
  const std::string answer = R"({"verdict":"kept","rule":"owner","because":["owner b1 is live"],"blocked_by":[],"earliest":null})";
  server.on("GET /api/v1/workers/w1/volumes/x/explain", answer);
  const Ran ran = run({"explain", "w1/x"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out.substr(0, ran.out.find('\n')), "verdict     kept");
  EXPECT_EQ(server.asked().size(), 2U);
  server.on("GET /api/v1/workers/w1/containers/x/explain", answer);
  EXPECT_EQ(asked_by({"explain", "w1/x"}), Lines{"GET /api/v1/workers/w1/containers/x/explain"});
}

TEST_F(Client, RunsCollectorsAndSaysWhatEachDid) {
  server.on("POST /api/v1/gc/run",
            R"({"passes":[{"pass":"mark-orphans","changed":3},{"pass":"missing","changed":0,"failures":["w1: busy"]}]})");
  const Ran ran = run({"gc", "run"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out, "PASS          CHANGED  FAILURES\nmark-orphans        3\nmissing             0  w1: busy\n");
  EXPECT_EQ(asked_by({"gc", "run", "mark-orphans", "missing"}), Lines{R"(POST /api/v1/gc/run {"passes":["mark-orphans","missing"]})"});
}

TEST_F(Client, FreezesOneWorkerOrAll) {
  server.on("POST /api/v1/freeze", "{}");
  server.on("POST /api/v1/workers/w1/freeze", "{}");
  server.on("POST /api/v1/unfreeze", "{}");
  EXPECT_EQ(asked_by({"freeze", "--reason", "why"}), Lines{R"(POST /api/v1/freeze {"reason":"why"})"});
  EXPECT_EQ(asked_by({"freeze", "w1", "--reason", "why"}), Lines{R"(POST /api/v1/workers/w1/freeze {"reason":"why"})"});
  EXPECT_EQ(asked_by({"unfreeze"}), Lines{"POST /api/v1/unfreeze {}"});
  EXPECT_EQ(run({"freeze"}).code, kUsage);
}

TEST_F(Client, PrintsANewTokenAlone) {
  server.on("POST /api/v1/tokens", Canned{201, R"({"id":"t1","token":"new-token"})"});
  EXPECT_EQ(run({"tokens", "create", "--role", "client", "--name", "ci"}).out, "new-token\n");
  EXPECT_EQ(server.asked().back(), R"(POST /api/v1/tokens {"name":"ci","role":"client"})");
  EXPECT_EQ(run({"tokens", "create", "--role", "client", "--output", "json"}).out, R"({"id":"t1","token":"new-token"})"
                                                                                   "\n");
  server.on("DELETE /api/v1/tokens/t1", R"({"id":"t1","role":"client"})");
  EXPECT_EQ(asked_by({"tokens", "delete", "t1"}), Lines{"DELETE /api/v1/tokens/t1"});
}

TEST_F(Client, ListsEventsPageByPage) {
  server.on("GET /api/v1/events?limit=10000&after=5", R"({"events":[{"seq":6,"action":"marked","handle":"c1"}],"next":6})");
  server.on("GET /api/v1/events?limit=10000&after=6", R"({"events":[]})");
  const Ran ran = run({"events", "--after", "5"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out, "SEQ  ACTION  HANDLE\n  6  marked  c1\n");
}

TEST_F(Client, ShowsWhenThingsHappenedOnANarrowTerminalToo) {
  server.on("GET /api/v1/events?limit=10000",
            R"({"events":[{"seq":123456,"at":"2026-11-23T04:05:06.789Z","actor":"pass:release-expired-owners","action":"owner-expired",)"
            R"("worker":"worker-with-a-long-name","kind":"container","handle":"3f0c2b1a-7d7e-4a53-9b0e-2d1f00c0ffee","owner":"build-1",)"
            R"("from":"live","to":"released","reason":"its lease ran out a long time ago"}]})");
  const Ran ran = run({"events"}, 80);
  EXPECT_NE(ran.out.find("123456  2026-11-23 04:05:06  "), std::string::npos) << ran.out;
  for (std::size_t line = 0, end = 0; (end = ran.out.find('\n', line)) != std::string::npos; line = end + 1) {
    EXPECT_LE(end - line, 80U + 2 * std::ranges::count(ran.out.substr(line, end - line), '\xa6')) << "an ellipsis is three bytes";
  }
}

TEST_F(Client, PlansAndShowsHowToApply) {
  const std::string plan =
      R"({"plan_id":"p1","made":"2026-11-23T04:05:06.789Z","count":1,"bytes":2048,"truncated":true,"items":[{"pass":"mark-orphans",)"
      R"("worker":"w1","kind":"volume","handle":"v1","reason":"orphan: nobody owns it","bytes":2048}]})";
  server.on("POST /api/v1/gc/plan", plan);
  EXPECT_EQ(asked_by({"gc", "plan"}), Lines{"POST /api/v1/gc/plan {}"});
  EXPECT_EQ(asked_by({"gc", "plan", "--pass", "missing", "--pass", "unknown", "--worker", "w1"}),
            Lines{R"(POST /api/v1/gc/plan {"passes":["missing","unknown"],"worker":"w1"})"});
  EXPECT_EQ(run({"gc", "plan"}).out,
            "PASS          WORKER  KIND    HANDLE    BYTES  REASON\n"
            "mark-orphans  w1      volume  v1      2.0 KiB  orphan: nobody owns it\n"
            "\n"
            "1 item, 2.0 KiB, and there is more: plan again after this. To do exactly this: reclaim gc apply p1\n");
  EXPECT_EQ(run({"gc", "plan", "--output", "json"}).out, plan + "\n");
}

TEST_F(Client, SaysWhenAPlanHoldsNothing) {
  server.on("POST /api/v1/gc/plan", R"({"plan_id":"p2","count":0,"bytes":0,"truncated":false,"items":[]})");
  EXPECT_EQ(run({"gc", "plan"}).out, "Nothing to do.\n");
}

TEST_F(Client, AppliesAPlanAndSaysWhatWasRefused) {
  const auto item = [](const std::string& handle, const std::string& outcome) {
    return R"({"pass":"mark-orphans","worker":"w1","kind":"volume","handle":")" + handle + R"(","reason":"r","bytes":null,)" + outcome +
           "}";
  };
  const std::string good = item("v1", R"("done":true,"error":null)");
  const std::string bad = item("v2", R"("done":false,"error":{"type":"urn:reclaim:conflict","status":409,"detail":"it is pinned"})");
  server.on("POST /api/v1/gc/apply", R"({"plan_id":"p1","done":1,"refused":0,"items":[)" + good + "]}");
  server.on("POST /api/v1/gc/apply", R"({"plan_id":"p1","done":1,"refused":1,"items":[)" + good + "," + bad + "]}");
  EXPECT_EQ(asked_by({"gc", "apply", "p1"}), Lines{R"(POST /api/v1/gc/apply {"plan_id":"p1"})"});
  const Ran ran = run({"gc", "apply", "p1"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(ran.out,
            "PASS          WORKER  KIND    HANDLE  DONE  REFUSED BECAUSE\n"
            "mark-orphans  w1      volume  v1      yes\n"
            "mark-orphans  w1      volume  v2      no    it is pinned\n");
  EXPECT_EQ(ran.err, "reclaim: 1 item of 2 refused: they changed after the plan; plan again\n");
}

TEST_F(Client, PutsANewTokenIntoAFileThatOnlyItsOwnerReads) {
  server.on("POST /api/v1/tokens", R"({"id":"t1","role":"client","name":"ci","created":"2026-11-23T04:05:06.789Z","token":"s3cret"})");
  server.on("POST /api/v1/tokens", Canned{403, R"({"type":"urn:reclaim:forbidden","status":403,"detail":"no"})"});
  const std::string file = directory.write("taken", "");
  const Ran refused = run({"tokens", "create", "--role", "client", "--out", file});
  EXPECT_EQ(refused.code, kFailed);
  EXPECT_NE(refused.err.find(file), std::string::npos) << refused.err;
  EXPECT_TRUE(server.asked().empty()) << "no token is made that nobody can keep";

  const std::string out = file + ".token";
  const Ran ran = run({"tokens", "create", "--role", "client", "--out", out});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out.find("s3cret"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("t1  client"), std::string::npos) << ran.out;
  struct stat about {};
  ASSERT_EQ(::stat(out.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  std::ifstream kept(out);
  std::string secret;
  std::getline(kept, secret);
  EXPECT_EQ(secret, "s3cret");

  EXPECT_EQ(run({"tokens", "create", "--role", "client", "--out", out + "2"}).code, kFailed);
  EXPECT_NE(::access((out + "2").c_str(), F_OK), 0) << "no empty file stays";
}

TEST_F(Client, TakesItsOptionsBeforeTheCommandToo) {
  const std::string body = std::string(R"({"workers":[)") + kWorker + "]}";
  server.on("GET /api/v1/workers?limit=10000", body);
  const Lines options{"--server", server.url(), "--token-file", token_file, "--output", "json"};
  for (const Lines& words : {Lines{}, Lines{"workers"}, Lines{"workers", "list"}}) {
    Lines args = words;
    args.insert(args.end(), options.begin(), options.end());
    if (words.empty()) args.emplace_back("workers");
    if (words.size() < 2) args.emplace_back("list");
    EXPECT_EQ(run_plain(args).out, body + "\n") << words.size();
  }
  EXPECT_NE(
      run_plain({"--output", "json", "workers", "list", "--output", "table", "--server", server.url(), "--token-file", token_file}).out,
      body + "\n")
      << "the later one goes before the earlier one";
}

TEST_F(Client, FollowsEventsAcrossLostConnections) {
  const std::string stream = "text/event-stream";
  server.on("GET /api/v1/events",
            Canned{200,
                   ": hello\n\nid: 1\nevent: marked\ndata: {\"seq\":1,\"action\":\"marked\",\"handle\":\"c1\"}\n\nid: 2\r\ndata: "
                   "{\"seq\":2,\r\ndata:\"action\":\"gone\"}\r\n\r\nid: 3\ndata: {\"half",
                   stream});
  server.on("GET /api/v1/events?after=2", Canned{200, "id: 3\ndata: {\"seq\":3,\"action\":\"gone\"}\n\n", stream});
  server.on("GET /api/v1/events?after=3", Canned{200, "", stream});
  const Ran ran = run({"events", "--follow"}, 100, 2);
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(ran.out, "1  marked  handle=c1\n2  gone\n3  gone\n");
  EXPECT_EQ(server.asked(), (Lines{"GET /api/v1/events", "GET /api/v1/events?after=2", "GET /api/v1/events?after=3"}));
}

TEST_F(Client, StopsFollowingWhenItIsNotAllowedAnyMore) {
  server.on("GET /api/v1/events?after=7", Canned{200, "id: 8\ndata: {\"seq\":8}\n\n", "text/event-stream"});
  server.on("GET /api/v1/events?after=8", Canned{401, R"({"type":"urn:reclaim:unauthenticated","status":401,"detail":"unknown token"})"});
  const Ran ran = run({"events", "--follow", "--after", "7", "--output", "json"}, 100, 9);
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(ran.out, "{\"seq\":8}\n");
  EXPECT_EQ(ran.err, "reclaim: unknown token: name the file of a valid token with --token-file\n");
}

TEST_F(Client, SaysErrorsInOneLineWithWhatToDo) {
  server.on("POST /api/v1/workers/w1/prune",
            Canned{409, R"({"type":"urn:reclaim:conflict","title":"x","status":409,"detail":"w1 is \u001b[31m\nrunning"})"});
  server.on("PUT /api/v1/owners/b1", Canned{422, R"({"type":"urn:reclaim:invalid","status":422,"detail":"too long","field":"kind"})"});
  const Ran conflicting = run({"workers", "prune", "w1"});
  EXPECT_EQ(conflicting.code, kFailed);
  EXPECT_EQ(conflicting.err, "reclaim: w1 is ?[31m?running: look at its present state and decide again\n");
  EXPECT_EQ(conflicting.out, "");
  const Ran wrong = run({"owners", "add", "b1", "--kind", "k"});
  EXPECT_EQ(wrong.code, kFailed);
  EXPECT_EQ(wrong.err, "reclaim: kind: too long: put it right and ask again\n");
  EXPECT_EQ(run({"workers", "show", "absent"}).code, kFailed);
}

// A port that is taken, so that nobody else listens on it, and refuses connections.
class ClosedPort {
 public:
  ClosedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~ClosedPort() { ::close(socket_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  int port() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
};

TEST_F(Client, CallsItTemporaryWhenTheServerIsAway) {
  server.on("GET /api/v1/workers?limit=10000",
            Canned{503, R"({"type":"urn:reclaim:unavailable","status":503,"detail":"the database is away"})"});
  EXPECT_EQ(run({"workers", "list"}).code, kTemporary);
  server.on("GET /api/v1/owners?limit=10000", Canned{502, "<html>Bad Gateway</html>"});
  EXPECT_EQ(run({"owners", "list"}).code, kTemporary);
  const ClosedPort closed;
  const std::string url = "http://127.0.0.1:" + std::to_string(closed.port());
  const Ran ran = run_plain({"workers", "list", "--server", url, "--token-file", token_file});
  EXPECT_EQ(ran.code, kTemporary);
  EXPECT_EQ(ran.err, "reclaim: cannot reach " + url + ": check that the server runs, or name another with --server\n");
}

TEST_F(Client, FailsWhenWhoAnswersIsNoReclaimServer) {
  server.on("GET /api/v1/workers?limit=10000", Canned{404, "<html>nothing here</html>"});
  server.on("GET /api/v1/owners?limit=10000", Canned{200, "<html>welcome</html>"});
  server.on("GET /api/v1/tokens?limit=10000", Canned{200, "[]"});
  for (const char* what : {"workers", "owners", "tokens"}) {
    const Ran ran = run({what, "list"});
    EXPECT_EQ(ran.code, kFailed) << what;
    EXPECT_NE(ran.err.find("--server"), std::string::npos) << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1);
  }
}

TEST_F(Client, NeverPrintsItsToken) {
  server.on("GET /api/v1/workers?limit=10000",
            Canned{401, R"({"type":"urn:reclaim:unauthenticated","status":401,"detail":"unknown token"})"});
  for (const Ran& ran : {run({"workers", "list"}), run({"owners", "show", "x"}), run({"nonsense"}), run({"workers", "--help"})}) {
    EXPECT_EQ((ran.out + ran.err).find(kSecret), std::string::npos);
  }
}

TEST_F(Client, WarnsOfATokenThatEverybodyCanRead) {
  server.on("GET /api/v1/workers?limit=10000", R"({"workers":[]})");
  token_file = directory.write("open", kSecret, 0644);
  const Ran ran = run({"workers", "list"});
  EXPECT_EQ(ran.code, kDone);
  EXPECT_EQ(ran.err, "reclaim: warning: everybody can read the token file " + token_file + ": chmod 600 it\n");
}

TEST_F(Client, RefusesATokenFileThatHoldsNoToken) {
  for (const std::string& content : {std::string(), std::string("two words"), std::string(5000, 'x'), std::string("a\r\nX-Evil: 1")}) {
    token_file = directory.write("odd", content);
    const Ran ran = run({"workers", "list"});
    EXPECT_EQ(ran.code, kUsage);
    EXPECT_NE(ran.err.find("--token-file"), std::string::npos) << ran.err;
  }
  token_file = directory.path();
  EXPECT_EQ(run({"workers", "list"}).code, kUsage);
  token_file = directory.path() + "/absent";
  EXPECT_EQ(run({"workers", "list"}).code, kUsage);
  EXPECT_TRUE(server.asked().empty());
}

TEST_F(Client, FindsServerAndTokenInTheEnvironment) {
  server.on("GET /api/v1/workers?limit=10000", R"({"workers":[]})");
  ::setenv("RECLAIM_SERVER", (server.url() + "/").c_str(), 1);
  ::setenv("RECLAIM_TOKEN_FILE", token_file.c_str(), 1);
  EXPECT_EQ(run_plain({"workers", "list"}).code, kDone);
  ::unsetenv("RECLAIM_TOKEN_FILE");
  ::setenv("RECLAIM_DATA", directory.path().c_str(), 1);
  directory.write("admin.token", "of-the-local-server");
  EXPECT_EQ(run_plain({"workers", "list"}).code, kDone);
  EXPECT_EQ(server.authorization(), "Bearer of-the-local-server");
}

TEST_F(Client, WrongUsageNamesTheFlagAndAsksNobody) {
  const std::pair<Lines, const char*> cases[] = {
      {{}, "subcommand"},
      {{"nonsense"}, "nonsense"},
      {{"workers"}, "subcommand"},
      {{"workers", "show"}, "NAME"},
      {{"workers", "show", "../w1"}, "NAME"},
      {{"workers", "list", "--output", "xml"}, "--output"},
      {{"workers", "list", "--outptu", "json"}, "--outptu"},
      {{"workers", "enroll", "w1"}, "--key"},
      {{"workers", "enroll", "w1", "--kee", "x"}, "--kee"},
      {{"workers", "enroll", "w1", "--key", "/absent/w1.pub"}, "--key"},
      {{"owners", "add", "b1", "--kind", "k", "--ttl", "60"}, "--ttl"},
      {{"owners", "add", "b1", "--kind", "k", "--ttl", "1500ms"}, "--ttl"},
      {{"owners", "add", "b1", "--kind", "k", "--label", "x"}, "--label"},
      {{"containers", "show", "w1"}, "WORKER/HANDLE"},
      {{"containers", "show", "w1/a/b"}, "WORKER/HANDLE"},
      {{"containers", "list", "--state", "gone"}, "--state"},
      {{"containers", "pin", "w1/c1"}, "--reason"},
      {{"events", "--after", "x"}, "--after"},
      {{"tokens", "create", "--role", "root"}, "--role"},
      {{"workers", "list", "--server", "ftp://x"}, "--server"},
      {{"workers", "list", "--server", "http://user:pw@x"}, "--server"},
  };
  ::setenv("RECLAIM_TOKEN_FILE", token_file.c_str(), 1);
  for (const auto& [args, flag] : cases) {
    const Ran ran = run_plain(args);
    EXPECT_EQ(ran.code, kUsage) << flag;
    EXPECT_NE(ran.err.find(flag), std::string::npos) << flag << ": " << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

void collect_leaves(const CLI::App* app, Lines words, std::vector<Lines>& leaves) {
  const auto below = app->get_subcommands([](const CLI::App*) { return true; });
  if (below.empty()) leaves.push_back(words);
  for (const CLI::App* command : below) {
    words.push_back(command->get_name());
    collect_leaves(command, words, leaves);
    words.pop_back();
  }
}

TEST(Help, OfEveryCommandEndsWithAnExample) {
  std::ostringstream out;
  std::ostringstream err;
  CommandLine line({out, err});
  add_client_commands(line);
  std::vector<Lines> leaves;
  collect_leaves(&line.app(), {}, leaves);
  EXPECT_GT(leaves.size(), 40U);
  for (Lines words : leaves) {
    std::string command = "reclaim";
    for (const std::string& word : words) command += " " + word;
    words.push_back("--help");
    const Ran ran = run_plain(words);
    EXPECT_EQ(ran.code, kDone) << command;
    EXPECT_NE(ran.out.find("Example:\n  " + command), std::string::npos) << ran.out;
    EXPECT_EQ(ran.err, "");
  }
}

TEST(CommandLineTest, HoldsTheCommandsOfOthersToo) {
  std::ostringstream out;
  std::ostringstream err;
  CommandLine line({out, err});
  add_client_commands(line);
  std::string data;
  line.add(nullptr, "server", "Serves.", "reclaim server --data DIR", [&] { return data == "/d" ? 4 : 1; })
      ->add_option("--data", data)
      ->required();
  const char* argv[] = {"reclaim", "server", "--data", "/d"};
  EXPECT_EQ(line.run(4, argv), 4);
  EXPECT_EQ(line.run(2, argv), kUsage);
  EXPECT_NE(err.str().find("--data is required: see reclaim server --help"), std::string::npos) << err.str();
}

}  // namespace
}  // namespace reclaim::cli
