// The API behind its transport: `METHOD TARGET`, then a body, on a control plane in memory whose clock stands still. Whatever comes is
// answered once, without a 500: that is for what Reclaim itself did wrong.
#include "decoders.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "base/check.hpp"
#include "http/api.hpp"
#include "http/target.hpp"
#include "server/access.hpp"

namespace reclaim::fuzz {
namespace {

constexpr int kInternalError = 500;
constexpr int kCallsPerPlane = 500;  // then a new one: what has come so far is forgotten

class StandingClock : public Clock {
 public:
  Instant now() const override { return {1'000'000}; }
  WallTime wall() const override { return {1'800'000'000'000}; }
};

class CountingRandom : public Random {
 public:
  std::uint64_t next() override { return ++drawn_ * 0x9e3779b97f4a7c15U; }

 private:
  std::atomic<std::uint64_t> drawn_ = 0;
};

class Plane {
 public:
  Plane() {
    check(plane_.open(random_).ok(), "a control plane in memory opens");
    token_ = server::create_token(*database_, random_, clock_.wall(), server::Role::kAdmin, "admin").value().secret;
    for (const std::string& request : arranged()) check(answer(request) / 100 == 2, "what is arranged is accepted");
  }
  ~Plane() { plane_.release_held(); }
  Plane(const Plane&) = delete;
  Plane& operator=(const Plane&) = delete;

  static std::vector<std::string> arranged() {
    return {
        R"(PUT /api/v1/workers/w1
{"keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],"existing":"destroy"})",
        R"(PUT /api/v1/owners/b1
{"kind":"build"})",
        R"(POST /api/v1/workers/w1/containers
{"handle":"c1","owner":"b1"})",
        R"(POST /api/v1/workers/w1/volumes
{"handle":"v1","container":"c1"})",
        R"(POST /api/v1/tapes
{"vid":"V1","pool":"p","library":"l"})",
        R"(POST /api/v1/files
[{"id":"f1","size":12,"checksum":"adler32:1e0b0402","copies":[{"vid":"V1","fseq":1}]}])",
        R"(PUT /api/v1/policies/p1
{"priority":3,"min_age_s":0})"};
  }

  // 0: held, or unreadable.
  int answer(std::string_view request) {
    const std::size_t line = std::min(request.find('\n'), request.size());
    const std::size_t space = std::min(request.find(' '), line);
    auto target = http::parse_target(request.substr(std::min(space + 1, line), line - std::min(space + 1, line)));
    if (!target.ok()) return 0;
    http::Call call{.method = std::string(request.substr(0, space)),
                    .segments = std::move(target.value().segments),
                    .query = std::move(target.value().query),
                    .headers = {{"authorization", "Bearer " + token_}},
                    .body = std::string(request.substr(std::min(line + 1, request.size())))};
    const auto status = std::make_shared<std::atomic<int>>(0);
    api_.handle(std::move(call), [status](const http::Reply& reply) { *status = reply.status; });
    return *status;
  }

 private:
  StandingClock clock_;
  CountingRandom random_;
  std::unique_ptr<ports::Database> database_ = database_sqlite::open_sqlite({.path = ""}).value();
  server::ControlPlane plane_{*database_, clock_, {.policy = {}, .holder = "fuzz", .claim_timeout = Millis(0)}};
  http::Metrics metrics_;
  http::SyncDesk syncs_{plane_, metrics_, clock_, {.threads = 1, .waiting_bytes_max = 1 << 20}};
  objects_memory::MemoryStore store_;
  server::ArchivePlane archive_{*database_, store_, clock_};
  std::string token_;
  http::Api api_{{.plane = plane_,
                  .archive = archive_,
                  .syncs = syncs_,
                  .clock = clock_,
                  .random = random_,
                  .metrics = metrics_,
                  .refresh_metrics = [] {},
                  .readiness = [] { return done(); }}};
};

void api(std::string_view bytes) {
  static std::optional<Plane> plane;
  static int calls = 0;
  if (!plane || ++calls % kCallsPerPlane == 0) plane.emplace();
  check(plane->answer(bytes) != kInternalError, "no request is answered with 500");
}

std::vector<std::string> requests() {
  std::vector<std::string> all = Plane::arranged();
  for (const char* more :
       {"POST /api/v1/retrieves\n{\"file\":\"f1\",\"destination\":\"out/1\"}",
        "PUT /api/v1/tapes/V1/state\n{\"state\":\"BROKEN\",\"reason\":\"torn\"}", "GET /api/v1/tapes/V1/state/plan?state=BROKEN",
        "GET /api/v1/events?after=0&limit=10", "GET /api/v1/retrieves?limit=5", "POST /api/v1/gc/plan\n{}",
        "POST /api/v1/workers/w1/containers/c1/destroy\n", "DELETE /api/v1/files/f1\n", "GET /api/v1/queues?vid=V1",
        "POST /api/v1/maintenance/run\n{\"passes\":[\"agents\"]}", "POST /api/v1/freeze\n{\"reason\":\"x\"}",
        "PUT /api/v1/drives/D1\n{\"desired\":\"up\"}", "POST /api/v1/lineage/accept\n{\"unknown\":\"adopt\"}",
        "GET /api/v1/workers/w1/containers?state=created"}) {
    all.emplace_back(more);
  }
  return all;
}

const Known kKnown{{"api", api, requests}};

}  // namespace

}  // namespace reclaim::fuzz
