// The API over a real control plane in a database in memory. Everything answered is recorded and held against docs/openapi.yaml, and once
// all tests ran, every operation in it must have been answered well.
#pragma once

#include "http/api.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "http/transport.hpp"
#include "server/access.hpp"
#include "server/archive_plane.hpp"
#include "unit/http/raw_client.hpp"
#include "wire/json.hpp"

namespace reclaim::http {

using wire::Json;

inline constexpr const char* kKey1 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
inline constexpr const char* kKey2 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrsD1sYsAR3Qnw1ZpZpXPeqZQlKiOwAg7FoPJRqB5bX";

class StandingClock : public Clock {
 public:
  Instant now() const override { return {ms_}; }
  WallTime wall() const override { return {1'800'000'000'000 + ms_}; }
  void advance(Millis by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_ = 1'000'000;
};

class CountingRandom : public Random {
 public:
  std::uint64_t next() override { return ++drawn_ * 0x9e3779b97f4a7c15U; }

 private:
  std::atomic<std::uint64_t> drawn_ = 0;
};

struct Said {
  int status = 0;
  Json body;
  std::map<std::string, std::string> headers;
};

class HttpApi : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::filesystem::remove(record_file()); }

  static void TearDownTestSuite() {
    const bool all_ran = testing::GTEST_FLAG(filter) == "*";
    EXPECT_EQ(check_against_description(record_file(), all_ran), 0);
    std::filesystem::remove(record_file());
  }

  static int check_against_description(const std::string& recorded, bool all_exercised) {
    const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path() / "../../..";
    const std::string command = (root / "tests/system/check_openapi.py").string() + (all_exercised ? " --all-exercised " : " ") +
                                (root / "docs/openapi.yaml").string() + " " + recorded;
    return WEXITSTATUS(std::system(command.c_str()));
  }

  static std::string record_file() { return testing::TempDir() + "/api-exchanges-" + std::to_string(::getpid()) + ".jsonl"; }

  void SetUp() override {
    ASSERT_TRUE(plane.open(random).ok());
    for (const server::Role role : {server::Role::kAdmin, server::Role::kClient, server::Role::kGateway, server::Role::kViewer}) {
      tokens[std::string(name_of(role))] =
          server::create_token(*database, random, clock.wall(), role, std::string(name_of(role))).value().secret;
    }
    transport = Transport::start({.record_file = record_file()}, api).value();
    client = std::make_unique<RawClient>(transport->port());
  }

  void TearDown() override {
    plane.release_held();
    transport->stop();
  }

  std::string request_text(const std::string& method, const std::string& path, const std::string& body, const std::string& role,
                           const std::string& more = "") const {
    const std::string bearer = role.empty() ? "" : "Authorization: Bearer " + tokens.at(role) + "\r\n";
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + bearer + more + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  Said ask(const std::string& method, const std::string& path, const std::string& body = "", const std::string& role = "admin",
           const std::string& more = "") {
    client->send(request_text(method, path, body, role, more));
    return heard(*client);
  }

  static Said heard(RawClient& from) {
    const RawReply reply = from.read_reply();
    const bool is_json = reply.headers.contains("content-type") && reply.headers.at("content-type").ends_with("json");
    return {reply.status, is_json ? wire::parse_json(reply.body).value() : Json(reply.body), reply.headers};
  }

  // The kind of problem, with the field it names.
  static std::string problem(const Said& said) {
    EXPECT_EQ(said.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(said.body.value("status", 0), said.status);
    std::string text = std::to_string(said.status) + " " + said.body.value("type", "").substr(12);
    if (said.body.contains("field")) text += " " + said.body.value("field", "");
    if (said.body.contains("fenced_by")) text += " " + said.body.value("fenced_by", "");
    return text;
  }
  std::string refused(const std::string& method, const std::string& path, const std::string& body = "", const std::string& role = "admin") {
    return problem(ask(method, path, body, role));
  }

  void arrange() {
    ASSERT_EQ(ask("PUT", "/api/v1/workers/w1", Json{{"keys", {kKey1}}, {"existing", "destroy"}}.dump()).status, 201);
    ASSERT_EQ(ask("PUT", "/api/v1/owners/b1", R"({"kind":"build"})").status, 201);
    ASSERT_EQ(ask("POST", kContainers, R"({"handle":"c1","owner":"b1"})").status, 201);
    ASSERT_EQ(ask("POST", kVolumes, R"({"handle":"v1","container":"c1"})").status, 201);
  }

  // Tapes V1 and V2, and the files f1 on both and f2 on V1.
  void arrange_archive() {
    for (const char* vid : {"V1", "V2"}) {
      ASSERT_EQ(ask("POST", "/api/v1/tapes", Json{{"vid", vid}, {"pool", "p"}, {"library", "l"}}.dump()).status, 201);
    }
    const Json f1{{"id", "f1"},
                  {"size", 12},
                  {"checksum", "adler32:1e0b0402"},
                  {"copies", Json::parse(R"([{"vid":"V1","fseq":1},{"vid":"V2","fseq":1}])")}};
    const Json f2{{"id", "f2"}, {"size", 12}, {"checksum", "adler32:1e0b0402"}, {"copies", Json::parse(R"([{"vid":"V1","fseq":2}])")}};
    ASSERT_EQ(ask("POST", "/api/v1/files", Json{f1, f2}.dump()).status, 201);
  }

  static std::string sync_body(std::int64_t sequence, const std::string& more = "") {
    return R"({"session":"s1","incarnation":"i1","started":1,"as_of":0,"sequence":)" + std::to_string(sequence) + more + "}";
  }

  const std::string kContainers = "/api/v1/workers/w1/containers";
  const std::string kVolumes = "/api/v1/workers/w1/volumes";

  StandingClock clock;
  CountingRandom random;
  std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({.path = ""}).value();
  server::ControlPlane plane{*database, clock, {.policy = {}, .holder = "test", .claim_timeout = Millis(0)}};
  Metrics metrics;
  Status readiness;
  SyncDesk syncs{plane, metrics, clock, {.threads = 1, .waiting_bytes_max = 1 << 20}};
  objects_memory::MemoryStore store;
  server::ArchivePlane archive{*database, store, clock};
  Api api{{.plane = plane,
           .archive = archive,
           .syncs = syncs,
           .clock = clock,
           .random = random,
           .metrics = metrics,
           .refresh_metrics = [this] { metrics.set(Metric::kSyncsHeld, {}, 7); },
           .readiness = [this] { return readiness; }}};
  std::map<std::string, std::string> tokens;
  std::unique_ptr<Transport> transport;
  std::unique_ptr<RawClient> client;
};

}  // namespace reclaim::http
