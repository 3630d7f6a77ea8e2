// The routes of the archive's catalogue: what they read, what they answer, in which order they find errors.
#include "unit/http/http_api.hpp"

namespace reclaim::http {
namespace {

const std::string kTapes = "/api/v1/tapes";
const std::string kFiles = "/api/v1/files";

std::string tape(const std::string& vid, const std::string& more = "") {
  return R"({"vid":")" + vid + R"(","pool":"p","library":"l")" + more + "}";
}

std::string file(const std::string& id, const std::string& copies) {
  return R"({"id":")" + id + R"(","size":12,"checksum":"adler32:1e0b0402","copies":)" + copies + "}";
}

std::string at(const std::string& vid, int fseq) { return R"([{"vid":")" + vid + R"(","fseq":)" + std::to_string(fseq) + "}]"; }

TEST_F(HttpApi, TapesAreAddedShownListedAndRemoved) {
  const Said made = ask("POST", kTapes, tape("V1"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body.value("state", ""), "ACTIVE");
  EXPECT_EQ(made.body.value("reason", "x"), "");
  EXPECT_EQ(made.body.value("full", true), false);
  EXPECT_EQ(ask("POST", kTapes, tape("V1", R"(,"state":"ACTIVE","reason":"","full":null)")).status, 200);
  EXPECT_EQ(ask("POST", kTapes, tape("V2", R"(,"state":"BROKEN","reason":"torn","full":true)")).status, 201);
  EXPECT_EQ(ask("GET", kTapes + "/V2").body, ask("GET", kTapes + "?after=V1").body["tapes"][0]);
  EXPECT_EQ(ask("GET", kTapes + "?limit=1").body["next"], "V1");
  EXPECT_EQ(ask("GET", kTapes).body["next"], nullptr);
  EXPECT_EQ(ask("DELETE", kTapes + "/V2").body["reason"], "torn");
  EXPECT_EQ(refused("DELETE", kTapes + "/V2"), "404 not-found");
}

TEST_F(HttpApi, ATapeThatIsWrongIsRefusedByName) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  for (const auto& [body, problem] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "422 invalid body"},
           {"{}", "422 invalid vid"},
           {R"({"vid":"V2"})", "422 invalid pool"},
           {R"({"vid":"V2","pool":"p"})", "422 invalid library"},
           {R"({"vid":"V2","pool":"p q","library":"l"})", "422 invalid pool"},
           {tape("../x"), "422 invalid vid"},
           {tape(std::string(33, 'V')), "422 invalid vid"},
           {tape("V2", R"(,"state":"GONE")"), "422 invalid state"},
           {tape("V2", R"(,"state":1)"), "422 invalid state"},
           {tape("V2", R"(,"state":"BROKEN_PENDING","reason":"x")"), "422 invalid state"},
           {tape("V2", R"(,"state":"BROKEN")"), "422 invalid reason"},
           {tape("V2", R"(,"reason":")" + std::string(1025, 'x') + "\""), "422 invalid reason"},
           {tape("V2", R"(,"mounted_by":"d")"), "422 invalid mounted_by"},
           {tape("V1", R"(,"full":true)"), "409 conflict"},
           {R"({"vid":"V1","pool":"q","library":"l"})", "409 conflict"}}) {
    EXPECT_EQ(refused("POST", kTapes, body), problem) << body;
  }
  EXPECT_EQ(refused("GET", kTapes + "/V2"), "404 not-found");
  EXPECT_EQ(refused("GET", kTapes + "/%2e%2e"), "404 not-found");
  EXPECT_EQ(refused("GET", kTapes + "?state=ACTIVE"), "422 invalid state");
}

TEST_F(HttpApi, AskingForAStateFindsErrorsInTheOrderOfTheContract) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  const std::string state = kTapes + "/V1/state";
  EXPECT_EQ(refused("PUT", kTapes + "/V9/state", "{"), "400 invalid");
  EXPECT_EQ(refused("PUT", kTapes + "/V9/state", R"({"state":"GONE"})", "client"), "403 forbidden");
  EXPECT_EQ(refused("PUT", kTapes + "/V9/state", R"({"state":"GONE"})"), "404 not-found");
  EXPECT_EQ(refused("PUT", kTapes + "/V9/state", R"({"state":"BROKEN"})"), "404 not-found");
  EXPECT_EQ(refused("PUT", state, "{}"), "422 invalid state");
  EXPECT_EQ(refused("PUT", state, R"({"state":"GONE"})"), "422 invalid state");
  EXPECT_EQ(refused("PUT", state, R"({"state":"REPACKING_PENDING","reason":"x"})"), "422 invalid state");
  EXPECT_EQ(refused("PUT", state, R"({"state":"BROKEN"})"), "422 invalid reason");
  EXPECT_EQ(refused("PUT", state, R"({"state":"BROKEN","reason":" "})"), "422 invalid reason");
  EXPECT_EQ(refused("PUT", state, R"({"state":"REPACKING_DISABLED"})"), "422 invalid reason") << "before 409";
  EXPECT_EQ(refused("PUT", state, R"({"state":"REPACKING_DISABLED","reason":"x"})"), "409 conflict");
}

TEST_F(HttpApi, AStateIsAnswered200WhenFinalAnd202WhilePending) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  const std::string state = kTapes + "/V1/state";
  const Said disabled = ask("PUT", state, R"({"state":"DISABLED","reason":"noise"})");
  EXPECT_EQ(disabled.status, 200);
  EXPECT_EQ(disabled.body.value("reason", ""), "noise");
  const Said active = ask("PUT", state, R"({"state":"ACTIVE"})");
  EXPECT_EQ(active.status, 200);
  EXPECT_EQ(active.body.value("reason", "x"), "");
  const Said repacking = ask("PUT", state, R"({"state":"REPACKING","reason":"half empty"})");
  EXPECT_EQ(repacking.status, 202);
  EXPECT_EQ(repacking.body.value("state", ""), "REPACKING_PENDING");
  const Said again = ask("PUT", state, R"({"state":"REPACKING","reason":"old"})");
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body.value("reason", ""), "old");
  EXPECT_EQ(again.body["state_since"], repacking.body["state_since"]);
  EXPECT_EQ(refused("PUT", state, R"({"state":"ACTIVE"})"), "409 conflict");
  const std::string run = "/api/v1/maintenance/run";
  EXPECT_EQ(refused("POST", run, R"({"passes":["sweep"]})"), "422 invalid passes");
  const Said maintained = ask("POST", run, R"({"passes":["cleanup"]})");
  EXPECT_EQ(maintained.status, 200);
  EXPECT_EQ(maintained.body["passes"][0].value("finished", 0), 1);
  EXPECT_EQ(ask("GET", kTapes + "/V1").body.value("state", ""), "REPACKING");
}

TEST_F(HttpApi, FilesAreAddedChangedListedAndRemoved) {
  for (const char* vid : {"V1", "V2"}) ASSERT_EQ(ask("POST", kTapes, tape(vid)).status, 201);
  const Said made = ask("POST", kFiles, file("f1", at("V1", 7)), "client");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["copies"], Json::parse(at("V1", 7)));
  EXPECT_EQ(ask("POST", kFiles, file("f1", at("V1", 7))).status, 200);
  EXPECT_EQ(ask("POST", kFiles, file("f2", at("V1", 3))).status, 201);
  EXPECT_EQ(refused("DELETE", kTapes + "/V1"), "409 conflict");
  EXPECT_EQ(ask("GET", kFiles + "/f1").body, made.body);
  const Json on_tape = ask("GET", kFiles + "?vid=V1&limit=1").body;
  EXPECT_EQ(on_tape["files"][0]["id"], "f2") << "in the order in which they lie there";
  EXPECT_EQ(ask("GET", kFiles + "?vid=V1&after=" + on_tape["next"].get<std::string>()).body["files"][0]["id"], "f1");
  EXPECT_EQ(ask("GET", kFiles + "?after=f1").body["files"].size(), 1U);
  EXPECT_EQ(ask("PUT", kFiles + "/f1", R"({"copies":)" + at("V2", 1) + "}", "client").body["copies"], Json::parse(at("V2", 1)));
  EXPECT_EQ(ask("DELETE", kFiles + "/f1", "", "client").status, 200);
  EXPECT_EQ(ask("DELETE", kTapes + "/V2").status, 200);
}

TEST_F(HttpApi, AFileThatIsWrongIsRefusedByName) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  ASSERT_EQ(ask("POST", kFiles, file("f1", at("V1", 1))).status, 201);
  const auto with = [](const std::string& size, const std::string& checksum) {
    return R"({"id":"f2","size":)" + size + R"(,"checksum":")" + checksum + R"(","copies":[]})";
  };
  for (const auto& [body, problem] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "422 invalid id"},
           {R"({"id":"f2"})", "422 invalid size"},
           {R"({"id":"f2","size":1})", "422 invalid checksum"},
           {R"({"id":"f2","size":1,"checksum":"adler32:00000001"})", "422 invalid copies"},
           {with("-1", "adler32:00000001"), "422 invalid size"},
           {with("1.5", "adler32:00000001"), "422 invalid size"},
           {with("1", "adler32:0000001"), "422 invalid checksum"},
           {with("1", "adler32:0000000g"), "422 invalid checksum"},
           {with("1", "md5:00000001"), "422 invalid checksum"},
           {file("a/b", "[]"), "422 invalid id"},
           {file("f2", "{}"), "422 invalid copies"},
           {file("f2", R"([{"vid":"V1"}])"), "422 invalid copies[0].fseq"},
           {file("f2", R"([{"vid":"V1","fseq":0}])"), "422 invalid copies[0].fseq"},
           {file("f2", R"([{"fseq":1}])"), "422 invalid copies[0].vid"},
           {file("f2", R"([{"vid":"V1","fseq":1,"at":2}])"), "422 invalid copies[0].at"},
           {file("f2", at("V9", 1)), "422 invalid copies[0].vid"},
           {file("f2", R"([{"vid":"V1","fseq":2},{"vid":"V1","fseq":3}])"), "422 invalid copies[1].vid"},
           {file("f2", at("V1", 1)), "409 conflict"},
           {file("f1", at("V1", 2)), "409 conflict"}}) {
    EXPECT_EQ(refused("POST", kFiles, body), problem) << body;
  }
  EXPECT_EQ(refused("GET", kFiles + "/f2"), "404 not-found");
  EXPECT_EQ(refused("PUT", kFiles + "/f2", R"({"copies":7})"), "404 not-found");
  EXPECT_EQ(refused("PUT", kFiles + "/f1", R"({"copies":7})"), "422 invalid copies");
  EXPECT_EQ(refused("PUT", kFiles + "/f1", R"({"copies":)" + at("V9", 1) + "}"), "422 invalid copies[0].vid");
  EXPECT_EQ(refused("GET", kFiles + "?vid=V1&after=f1"), "422 invalid after");
  EXPECT_EQ(refused("GET", kFiles + "?vid=a%2Fb"), "422 invalid vid");
}

TEST_F(HttpApi, AnArrayOfFilesIsAppliedItemByItem) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  const std::string items = "[" + file("f1", at("V1", 1)) + "," + file("f2", at("V9", 1)) + "," + R"({"id":"f3"})" + "," +
                            file("f1", at("V1", 1)) + "," + file("f4", at("V1", 1)) + "," + file("f5", at("V1", 5)) + "]";
  const Said said = ask("POST", kFiles, items);
  EXPECT_EQ(said.status, 201);
  ASSERT_EQ(said.body.size(), 6U);
  EXPECT_EQ(said.body[0]["id"], "f1");
  EXPECT_EQ(said.body[1]["error"]["field"], "[1].copies[0].vid");
  EXPECT_EQ(said.body[2]["error"]["field"], "[2].size");
  EXPECT_EQ(said.body[3]["id"], "f1") << "the same again";
  EXPECT_EQ(said.body[4]["error"]["status"], 409);
  EXPECT_EQ(said.body[5]["id"], "f5");
  const Said none = ask("POST", kFiles, "[" + file("f4", at("V1", 1)) + ",7]");
  EXPECT_EQ(none.status, 409) << "the first item's code";
  EXPECT_EQ(none.body[1]["error"]["field"], "[1]");
  EXPECT_EQ(ask("POST", kFiles, "[]").status, 201);
  Json many = Json::array();
  for (int i = 0; i <= 10'000; ++i) many.push_back(1);
  EXPECT_EQ(refused("POST", kFiles, many.dump()), "422 invalid body");
}

TEST_F(HttpApi, PoliciesAreMadeReplacedAndRemoved) {
  const std::string bulk = "/api/v1/policies/bulk";
  const Said made = ask("PUT", bulk, R"({"priority":-3,"min_age_s":3600,"min_files":500,"min_bytes":null})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body, (Json{{"name", "bulk"}, {"priority", -3}, {"min_age_s", 3600}, {"min_files", 500}, {"min_bytes", 0}}));
  EXPECT_EQ(ask("PUT", bulk, "{}").status, 200);
  EXPECT_EQ(ask("GET", bulk).body["priority"], 0);
  EXPECT_EQ(ask("GET", "/api/v1/policies").body["policies"].size(), 1U);
  for (const char* field : {"priority", "min_age_s", "min_files", "min_bytes", "max_files"}) {
    EXPECT_EQ(refused("PUT", bulk, Json{{field, 1e300}}.dump()), "422 invalid " + std::string(field));
  }
  EXPECT_EQ(refused("PUT", "/api/v1/policies/a%20b", "{}"), "422 invalid name");
  EXPECT_EQ(ask("DELETE", bulk).status, 200);
  EXPECT_EQ(refused("DELETE", bulk), "404 not-found");
  EXPECT_EQ(refused("GET", bulk), "404 not-found");
}

TEST_F(HttpApi, RolesOfTheArchive) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  ASSERT_EQ(ask("POST", kFiles, file("f1", "[]")).status, 201);
  ASSERT_EQ(ask("PUT", "/api/v1/policies/bulk", "{}").status, 201);
  struct Case {
    std::string method, path, body, roles;
  };
  const std::vector<Case> cases = {
      {"GET", kTapes, "", "admin client viewer"},
      {"GET", kTapes + "/V1", "", "admin client viewer"},
      {"POST", kTapes, tape("V1"), "admin"},
      {"PUT", kTapes + "/V1/state", R"({"state":"ACTIVE"})", "admin"},
      {"GET", kFiles, "", "admin client viewer"},
      {"GET", kFiles + "/f1", "", "admin client viewer"},
      {"POST", kFiles, file("f1", "[]"), "admin client"},
      {"PUT", kFiles + "/f1", R"({"copies":[]})", "admin client"},
      {"GET", "/api/v1/policies", "", "admin client viewer"},
      {"GET", "/api/v1/policies/bulk", "", "admin client viewer"},
      {"PUT", "/api/v1/policies/bulk", "{}", "admin"},
  };
  for (const Case& one : cases) {
    for (const std::string role : {"admin", "client", "gateway", "viewer"}) {
      const int status = one.roles.find(role) != std::string::npos ? 200 : 403;
      EXPECT_EQ(ask(one.method, one.path, one.body, role).status, status) << one.method << " " << one.path << " as " << role;
    }
  }
  for (const auto& [path, role] :
       {std::pair<std::string, std::string>{kTapes + "/V1", "client"}, {kFiles + "/f1", "viewer"}, {"/api/v1/policies/bulk", "client"}}) {
    EXPECT_EQ(refused("DELETE", path, "", role), "403 forbidden") << path;
  }
}

TEST_F(HttpApi, EveryRouteOfTheArchiveReadsItsBodyFirst) {
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{{"POST", kTapes},
                                                                                     {"DELETE", kTapes + "/nope"},
                                                                                     {"PUT", kTapes + "/nope/state"},
                                                                                     {"POST", kFiles},
                                                                                     {"PUT", kFiles + "/nope"},
                                                                                     {"DELETE", kFiles + "/nope"},
                                                                                     {"PUT", "/api/v1/policies/nope"},
                                                                                     {"DELETE", "/api/v1/policies/nope"}}) {
    EXPECT_EQ(refused(method, path, "[1,"), "400 invalid") << method << " " << path;
    EXPECT_EQ(refused(method, path, R"({"surprise":1})", ""), "401 unauthenticated") << method << " " << path;
  }
}

TEST_F(HttpApi, EventsOfTheArchiveNameWhatTheyAreAbout) {
  ASSERT_EQ(ask("POST", kTapes, tape("V1")).status, 201);
  ASSERT_EQ(ask("PUT", kTapes + "/V1/state", R"({"state":"BROKEN","reason":"torn"})").status, 202);
  ASSERT_EQ(ask("POST", kFiles, file("f1", at("V1", 1))).status, 201);
  ASSERT_EQ(ask("PUT", "/api/v1/policies/bulk", "{}").status, 201);
  Json events = ask("GET", "/api/v1/events").body["events"];
  ASSERT_EQ(events.size(), 4U);
  for (Json& event : events) {
    for (const char* field : {"seq", "at", "actor"}) event.erase(field);
  }
  EXPECT_EQ(events[0], (Json{{"action", "tape-added"}, {"tape", "V1"}, {"to", "ACTIVE"}}));
  EXPECT_EQ(events[1], (Json{{"action", "tape-state"}, {"tape", "V1"}, {"from", "ACTIVE"}, {"to", "BROKEN_PENDING"}, {"reason", "torn"}}));
  EXPECT_EQ(events[2], (Json{{"action", "file-added"}, {"file", "f1"}, {"reason", "copies V1:1"}}));
  EXPECT_EQ(events[3]["policy"], "bulk");
}

}  // namespace
}  // namespace reclaim::http
