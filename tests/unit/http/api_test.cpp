// The routes of the fleet plane.
#include <fstream>
#include <thread>

#include "fleet/events.hpp"
#include "unit/http/http_api.hpp"

namespace reclaim::http {
namespace {

TEST_F(HttpApi, TheCheckAgainstTheDescriptionFindsWhatDoesNotAgree) {
  const std::string file = record_file() + ".wrong";
  for (const char* line :
       {R"({"method":"GET","path":"/healthz","status":200,"content_type":"application/json","body":"{\"status\":\"ok\",\"x\":1}"})",
        R"({"method":"GET","path":"/healthz","status":204,"content_type":"application/json","body":""})",
        R"({"method":"GET","path":"/healthz","status":200,"content_type":"text/html","body":"ok"})",
        R"({"method":"GET","path":"/nowhere","status":200,"content_type":"application/json","body":"{}"})",
        R"({"method":"GET","path":"/healthz","status":500,"content_type":"application/problem+json","body":"{}"})"}) {
    std::ofstream(file) << line << "\n";
    EXPECT_EQ(check_against_description(file, false), 1) << line;
  }
  std::filesystem::remove(file);
}

TEST_F(HttpApi, SaysWhetherItLivesAndServesToAnybody) {
  EXPECT_EQ(ask("GET", "/healthz", "", "").status, 200);
  EXPECT_EQ(ask("GET", "/readyz", "", "").status, 200);
  readiness = unavailable("the database is away");
  const Said said = ask("GET", "/readyz", "", "");
  EXPECT_EQ(problem(said), "503 unavailable");
  EXPECT_EQ(said.headers.at("retry-after"), "1");
  EXPECT_EQ(ask("GET", "/healthz", "", "").status, 200);
}

TEST_F(HttpApi, ServesItsOwnDescription) {
  const Said said = ask("GET", "/api/v1/openapi.yaml", "", "");
  EXPECT_EQ(said.status, 200);
  EXPECT_TRUE(said.body.get<std::string>().starts_with("openapi: 3.1.0"));
}

TEST_F(HttpApi, ShowsMetricsToWhoMayRead) {
  const Said said = ask("GET", "/metrics", "", "viewer");
  EXPECT_NE(said.body.get<std::string>().find("reclaim_syncs_held 7"), std::string::npos);
  EXPECT_EQ(refused("GET", "/metrics", "", "gateway"), "403 forbidden");
}

TEST_F(HttpApi, FindsErrorsInTheOrderOfTheContract) {
  arrange();
  const std::string pin = kContainers + "/c1/pin";
  EXPECT_EQ(refused("PUT", pin, "{", ""), "400 invalid");
  EXPECT_EQ(refused("PUT", pin, R"({"a":1,"a":2})", "viewer"), "400 invalid");
  EXPECT_EQ(refused("PUT", pin, "{}", ""), "401 unauthenticated");
  EXPECT_EQ(refused("PUT", pin, "{}", "viewer"), "403 forbidden");
  EXPECT_EQ(refused("PUT", kContainers + "/nope/pin", "{}"), "404 not-found");
  EXPECT_EQ(refused("PUT", "/api/v1/workers/nope/containers/c1/pin", "{}"), "404 not-found");
  EXPECT_EQ(refused("PUT", pin, "{}"), "422 invalid reason");
  EXPECT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  EXPECT_EQ(ask("POST", kContainers + "/c1/destroy").status, 200);
  EXPECT_EQ(refused("PUT", pin, R"({"reason":"late","wrong":1})"), "422 invalid wrong");
  EXPECT_EQ(refused("PUT", pin, R"({"reason":"late"})"), "409 conflict");
}

TEST_F(HttpApi, EveryRouteThatTakesABodyReadsItFirst) {
  arrange();
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{{"PUT", "/api/v1/workers/w1"},
                                                                                     {"DELETE", "/api/v1/workers/w1"},
                                                                                     {"POST", "/api/v1/workers/nope/land"},
                                                                                     {"POST", "/api/v1/workers/nope/freeze"},
                                                                                     {"POST", "/api/v1/workers/nope/accept"},
                                                                                     {"POST", "/api/v1/lineage/accept"},
                                                                                     {"POST", "/api/v1/workers/nope/sync"},
                                                                                     {"PUT", "/api/v1/owners/b1"},
                                                                                     {"POST", "/api/v1/owners/nope/release"},
                                                                                     {"DELETE", "/api/v1/owners/nope"},
                                                                                     {"POST", "/api/v1/workers/nope/containers"},
                                                                                     {"POST", kVolumes + "/nope/touch"},
                                                                                     {"PUT", kVolumes + "/nope/owner"},
                                                                                     {"POST", "/api/v1/gc/run"},
                                                                                     {"POST", "/api/v1/freeze"},
                                                                                     {"POST", "/api/v1/unfreeze"},
                                                                                     {"POST", "/api/v1/tokens"},
                                                                                     {"DELETE", "/api/v1/tokens/nope"},
                                                                                     {"POST", "/api/v1/gateway/sync"},
                                                                                     {"POST", "/api/v1/gateway/whois"},
                                                                                     {"POST", "/api/v1/gateway/status"}}) {
    EXPECT_EQ(refused(method, path, "[1,"), "400 invalid") << method << " " << path;
    EXPECT_EQ(refused(method, path, "[1,", ""), "400 invalid") << method << " " << path;
    EXPECT_EQ(refused(method, path, R"({"surprise":1})", ""), "401 unauthenticated") << method << " " << path;
  }
}

TEST_F(HttpApi, UnknownFieldsAreRefusedAndNullIsTheSameAsLeftOut) {
  arrange();
  EXPECT_EQ(refused("PUT", "/api/v1/workers/w2", R"({"kesy":[]})"), "422 invalid kesy");
  EXPECT_EQ(refused("PUT", "/api/v1/owners/b2", R"({"kind":"build","ttl":1})"), "422 invalid ttl");
  EXPECT_EQ(refused("POST", kContainers, R"({"handle":"x","container":"c1"})"), "422 invalid container");
  EXPECT_EQ(refused("POST", kContainers + "/c1/touch", R"({"x":1})"), "422 invalid x");
  EXPECT_EQ(refused("POST", "/api/v1/workers/w1/land", "[]"), "422 invalid body");
  EXPECT_EQ(ask("PUT", "/api/v1/workers/w2", R"({"keys":null,"ephemeral":null,"tags":null,"existing":null})").status, 201);
  EXPECT_EQ(ask("PUT", "/api/v1/owners/b2", R"({"kind":"build","ttl_s":null,"labels":null,"interruptible":null})").status, 201);
  EXPECT_EQ(ask("POST", kVolumes, R"({"handle":null,"owner":null,"container":null,"parent":null})").status, 201);
  EXPECT_EQ(ask("POST", "/api/v1/gc/run", R"({"passes":null})").status, 200);
}

TEST_F(HttpApi, WithoutAValidTokenNothingIsSaid) {
  arrange();
  EXPECT_EQ(refused("GET", "/api/v1/workers", "", ""), "401 unauthenticated");
  EXPECT_EQ(refused("GET", "/api/v1/no/such/path", "", ""), "401 unauthenticated");
  EXPECT_EQ(refused("PATCH", "/api/v1/workers/w1", "", ""), "401 unauthenticated");
  for (const std::string header : {"Authorization: Bearer x\r\n", "Authorization: Basic eDp5\r\n", "Authorization: \r\n"}) {
    const Said said = ask("GET", "/api/v1/workers", "", "", header);
    EXPECT_EQ(problem(said), "401 unauthenticated") << header;
    EXPECT_EQ(said.headers.at("www-authenticate"), "Bearer");
  }
  const std::string twice = "Authorization: Bearer " + tokens.at("admin") + "\r\n";
  EXPECT_EQ(problem(ask("GET", "/api/v1/workers", "", "", twice + twice)), "401 unauthenticated");
}

TEST_F(HttpApi, RolesMayDoWhatTheyAreForAndNoMore) {
  arrange();
  struct Case {
    std::string method, path, body;
    std::string roles;
  };
  const std::vector<Case> cases = {
      {"GET", "/api/v1/workers", "", "admin client viewer"},
      {"GET", "/api/v1/owners/b1", "", "admin client viewer"},
      {"GET", "/api/v1/containers", "", "admin client viewer"},
      {"GET", kContainers + "/c1/explain", "", "admin client viewer"},
      {"GET", "/api/v1/events", "", "admin client viewer"},
      {"PUT", "/api/v1/owners/b1", R"({"kind":"build"})", "admin client"},
      {"POST", kContainers + "/c1/touch", "", "admin client"},
      {"PUT", "/api/v1/workers/w1", "{}", "admin"},
      {"POST", "/api/v1/gc/run", "", "admin"},
      {"POST", "/api/v1/gc/plan", "", "admin"},
      {"GET", "/api/v1/lineage", "", "admin client viewer"},
      {"POST", "/api/v1/unfreeze", "", "admin"},
      {"GET", "/api/v1/tokens", "", "admin"},
      {"POST", "/api/v1/workers/w1/sync", sync_body(1), "admin gateway"},
      {"POST", "/api/v1/workers/w1/sync", sync_body(2), "admin gateway"},
  };
  int sequence = 10;
  for (const Case& one : cases) {
    for (const std::string role : {"admin", "client", "gateway", "viewer"}) {
      const bool may = one.roles.find(role) != std::string::npos;
      const std::string body = one.path.ends_with("/sync") ? sync_body(++sequence) : one.body;
      EXPECT_EQ(ask(one.method, one.path, body, role).status, may ? 200 : 403) << one.method << " " << one.path << " as " << role;
    }
  }
}

TEST_F(HttpApi, KnowsPathsFromMethods) {
  EXPECT_EQ(refused("GET", "/api/v1/nothing"), "404 not-found");
  EXPECT_EQ(refused("GET", "/", "", ""), "404 not-found");
  EXPECT_EQ(refused("GET", "/api/v1/workers/"), "404 not-found");
  EXPECT_EQ(refused("GET", "/api/v1/workers/../tokens"), "404 not-found");
  const Said said = ask("POST", "/api/v1/workers");
  EXPECT_EQ(problem(said), "405 invalid");
  EXPECT_EQ(said.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(ask("DELETE", "/healthz", "", "").status, 405);
  client->send(request_text("HEAD", "/api/v1/workers", "", "viewer"));
  EXPECT_EQ(client->read_reply(false).status, 200);
}

TEST_F(HttpApi, NamesThatCannotBeAreAbsentInAPathAndWrongWhereOneIsMade) {
  arrange();
  EXPECT_EQ(refused("GET", "/api/v1/workers/a%2Fb"), "404 not-found");
  EXPECT_EQ(refused("GET", "/api/v1/workers/%2e%2e"), "404 not-found");
  EXPECT_EQ(refused("GET", "/api/v1/owners/-x"), "404 not-found");
  EXPECT_EQ(refused("GET", kContainers + "/%20"), "404 not-found");
  EXPECT_EQ(refused("PUT", "/api/v1/workers/a%20b", "{}"), "422 invalid name");
  EXPECT_EQ(refused("PUT", "/api/v1/owners/" + std::string(129, 'a'), R"({"kind":"x"})"), "422 invalid id");
  EXPECT_EQ(refused("POST", kContainers, R"({"handle":"../x"})"), "422 invalid handle");
}

TEST_F(HttpApi, EnrolsShowsAndEndsAWorker) {
  const Said made =
      ask("PUT", "/api/v1/workers/w1",
          Json{{"keys", {std::string(kKey1) + " me@home"}}, {"tags", {"fast"}}, {"ephemeral", true}, {"existing", "adopt"}}.dump());
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["keys"], Json::array({kKey1}));
  EXPECT_EQ(made.body["state"], "running");
  EXPECT_EQ(made.body["existing"], "adopt");
  EXPECT_EQ(made.body["last_sync_age_s"], nullptr);
  EXPECT_EQ(ask("PUT", "/api/v1/workers/w1", "").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/workers/w1").body, ask("GET", "/api/v1/workers").body["workers"][0]);
  EXPECT_EQ(ask("PUT", "/api/v1/workers/w2", "{}").status, 201);
  EXPECT_EQ(refused("PUT", "/api/v1/workers/w2", Json{{"keys", {kKey1}}}.dump()), "409 conflict");
  EXPECT_EQ(refused("PUT", "/api/v1/workers/w2", R"({"keys":["ssh-ed25519 short"]})"), "422 invalid keys[0]");
  EXPECT_EQ(refused("PUT", "/api/v1/workers/w2", R"({"existing":"burn"})"), "422 invalid existing");
  EXPECT_EQ(refused("POST", "/api/v1/workers/w1/prune"), "409 conflict");
  EXPECT_EQ(refused("DELETE", "/api/v1/workers/w1"), "409 conflict");
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/land").body["state"], "landing");
  EXPECT_EQ(ask("POST", "/api/v1/workers/w2/retire").body["state"], "retiring");
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/prune").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/workers/w2").status, 200);
  EXPECT_EQ(refused("GET", "/api/v1/workers/w1"), "404 not-found");
  EXPECT_EQ(refused("POST", "/api/v1/workers/w1/land"), "404 not-found");
}

TEST_F(HttpApi, AcceptsWhatAWorkerHoldsForTheOperator) {
  EXPECT_EQ(ask("PUT", "/api/v1/workers/w1", "{}").body["existing"], "hold");
  const std::string accept = "/api/v1/workers/w1/accept";
  const std::string has_one = R"({"session":"s","incarnation":"i","started":1,"sequence":1,"as_of":0,"containers":{"full":["old"]}})";
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/sync", has_one).status, 200);
  const Json held = ask("GET", "/api/v1/workers/w1").body;
  ASSERT_EQ(held["held"], 1);
  EXPECT_EQ(held["holds"][0]["what"], "existing");
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/accept", R"({"what":1})"), "404 not-found");
  EXPECT_EQ(refused("POST", accept, "{}"), "422 invalid what");
  EXPECT_EQ(refused("POST", accept, R"({"what":"everything"})"), "422 invalid what");
  EXPECT_EQ(refused("POST", accept, R"({"what":"existing","unknown":"hold"})"), "422 invalid unknown");
  EXPECT_EQ(refused("POST", accept, R"({"what":"existing"})"), "422 invalid unknown");
  EXPECT_EQ(refused("POST", accept, R"({"what":"brake"})"), "409 conflict");
  const Json accepted = ask("POST", accept, R"({"what":"existing","unknown":"adopt"})").body;
  EXPECT_EQ(accepted["held"], 0);
  EXPECT_EQ(accepted["containers"].get<int>(), held["containers"].get<int>() + 1);
  EXPECT_EQ(ask("GET", kContainers + "/old").body["owner"], "adopted:w1");
  EXPECT_EQ(ask("POST", "/api/v1/owners/adopted:w1/release").body["state"], "released");
  EXPECT_EQ(refused("PUT", "/api/v1/owners/adopted:w2", R"({"kind":"build"})"), "422 invalid id");
}

TEST_F(HttpApi, ShowsAndAcceptsALostLineage) {
  arrange();
  const Json before = ask("GET", "/api/v1/lineage").body;
  EXPECT_TRUE(before["regressed_workers"].empty());
  const std::string remembers = R"({"session":"s","incarnation":"i","started":1,"sequence":1,"as_of":0,"containers":{"full":["x"]},)"
                                R"("answered":{"lineage":"lost","session":"s0","sequence":4}})";
  const Said fenced = ask("POST", "/api/v1/workers/w1/sync", remembers);
  EXPECT_EQ(fenced.status, 409);
  EXPECT_EQ(fenced.body["fenced_by"], "lineage");
  const Json regressed = ask("GET", "/api/v1/lineage").body["regressed_workers"][0];
  EXPECT_EQ(regressed["worker"], "w1");
  EXPECT_EQ(regressed["unknown"]["containers"], 1);
  EXPECT_EQ(refused("POST", "/api/v1/lineage/accept", "{}"), "422 invalid unknown");
  EXPECT_EQ(refused("POST", "/api/v1/lineage/accept", R"({"unknown":"hold"})"), "422 invalid unknown");
  const Json after = ask("POST", "/api/v1/lineage/accept", R"({"unknown":"adopt"})").body;
  EXPECT_NE(after["lineage"], before["lineage"]);
  EXPECT_EQ(after["replaces"].size(), 2U);
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/sync", remembers).status, 200);
}

TEST_F(HttpApi, FreezesOneWorkerOrAll) {
  arrange();
  EXPECT_EQ(refused("POST", "/api/v1/workers/w1/freeze", "{}"), "422 invalid reason");
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/freeze", "{}"), "404 not-found");
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/freeze", R"({"reason":"moving"})").body["frozen"], "moving");
  EXPECT_EQ(ask("POST", "/api/v1/workers/w1/unfreeze").body["frozen"], nullptr);
  EXPECT_EQ(refused("POST", "/api/v1/freeze", R"({"reason":""})"), "422 invalid reason");
  EXPECT_EQ(ask("POST", "/api/v1/freeze", R"({"reason":"all stop"})").body["frozen"], "all stop");
  EXPECT_EQ(ask("POST", "/api/v1/unfreeze").body["frozen"], nullptr);
}

TEST_F(HttpApi, RegistersRenewsReleasesAndDeletesOwners) {
  const Said made =
      ask("PUT", "/api/v1/owners/b1", R"({"kind":"build","ttl_s":60,"interruptible":false,"labels":{"branch":"main"}})", "client");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["state"], "live");
  EXPECT_EQ(made.body["expires_in_s"], 60);
  EXPECT_EQ(made.body["labels"]["branch"], "main");
  const Said renewed = ask("PUT", "/api/v1/owners/b1", R"({"kind":"build"})", "client");
  EXPECT_EQ(renewed.status, 200);
  EXPECT_EQ(renewed.body["ttl_s"], nullptr);
  EXPECT_EQ(refused("PUT", "/api/v1/owners/b1", R"({"kind":"session"})"), "409 conflict");
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{{"{}", "kind"},
                                                                                    {R"({"kind":""})", "kind"},
                                                                                    {R"({"kind":1})", "kind"},
                                                                                    {R"({"kind":"b","ttl_s":0})", "ttl_s"},
                                                                                    {R"({"kind":"b","ttl_s":1.5})", "ttl_s"},
                                                                                    {R"({"kind":"b","ttl_s":99999999999999})", "ttl_s"},
                                                                                    {R"({"kind":"b","labels":{"a":1}})", "labels"},
                                                                                    {R"({"kind":"b","labels":[]})", "labels"},
                                                                                    {"[]", "body"}}) {
    EXPECT_EQ(refused("PUT", "/api/v1/owners/b2", body), "422 invalid " + field) << body;
  }
  EXPECT_EQ(refused("POST", "/api/v1/owners/b1/release", R"({"keep_for_s":-1})"), "422 invalid keep_for_s");
  EXPECT_EQ(refused("POST", "/api/v1/owners/nope/release", R"({"keep_for_s":-1})"), "404 not-found");
  const Said kept = ask("POST", "/api/v1/owners/b1/release", R"({"keep_for_s":432000})", "client");
  EXPECT_EQ(kept.body["state"], "kept");
  EXPECT_EQ(kept.body["expires_in_s"], 432000);
  EXPECT_NE(kept.body["keep_until"], nullptr);
  EXPECT_EQ(ask("POST", "/api/v1/owners/b1/release").body["state"], "released");
  EXPECT_EQ(refused("PUT", "/api/v1/owners/b1", R"({"kind":"build"})"), "409 conflict");
  EXPECT_EQ(ask("DELETE", "/api/v1/owners/b1").status, 200);
  EXPECT_EQ(refused("GET", "/api/v1/owners/b1"), "404 not-found");
  EXPECT_EQ(refused("DELETE", "/api/v1/owners/b1"), "404 not-found");
}

TEST_F(HttpApi, TheOwnerOfWhatWasAdoptedIsReleasedAndForgottenLikeAnyOther) {
  ASSERT_EQ(ask("PUT", "/api/v1/workers/w2", R"({"existing":"adopt"})").status, 201);
  ASSERT_EQ(ask("POST", "/api/v1/workers/w2/sync", sync_body(1, R"(,"containers":{"full":["old"]})")).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/owners/adopted:w2").body["state"], "live");
  EXPECT_EQ(ask("POST", "/api/v1/owners/adopted%3Aw2/release").body["state"], "released");
  EXPECT_EQ(refused("DELETE", "/api/v1/owners/adopted:w2"), "409 conflict");
  EXPECT_EQ(refused("GET", "/api/v1/owners/adopted:"), "404 not-found");
}

TEST_F(HttpApi, AResourceLivesAndGoesByItsName) {
  arrange();
  for (const auto& [all, handle] : {std::pair{kContainers, "c1"}, std::pair{kVolumes, "v1"}}) {
    const std::string one = all + "/" + handle;
    EXPECT_EQ(ask("GET", one).body["state"], "creating");
    EXPECT_EQ(ask("GET", one + "/explain").body["verdict"], "kept");
    EXPECT_EQ(refused("POST", one + "/destroy"), "409 conflict");
    EXPECT_EQ(ask("POST", one + "/created", "", "client").body["state"], "created");
    EXPECT_EQ(ask("POST", one + "/created").status, 200);
    EXPECT_EQ(refused("POST", one + "/failed"), "409 conflict");
    EXPECT_EQ(ask("POST", one + "/touch").status, 200);
    EXPECT_EQ(ask("PUT", one + "/pin", R"({"reason":"looking","ttl_s":60})").body["pin_reason"], "looking");
    EXPECT_EQ(refused("POST", one + "/destroy"), "409 conflict");
    EXPECT_EQ(refused("PUT", one + "/pin", R"({"reason":""})"), "422 invalid reason");
    EXPECT_EQ(refused("PUT", one + "/pin", R"({"reason":"x","ttl_s":0})"), "422 invalid ttl_s");
    EXPECT_EQ(ask("DELETE", one + "/pin").body["pinned"], false);
    EXPECT_EQ(ask("PUT", one + "/owner", R"({"owner":"b1"})").body["owner"], "b1");
    EXPECT_EQ(refused("PUT", one + "/owner", R"({"owner":"nope"})"), "422 invalid owner");
    EXPECT_EQ(refused("PUT", one + "/owner", "{}"), "422 invalid owner");
    EXPECT_EQ(ask("POST", one + "/destroy").body["state"], "destroying");
    EXPECT_EQ(ask("GET", one + "/explain").body["verdict"], "destroying");
    EXPECT_EQ(refused("POST", one + "/touch"), "409 conflict");
    EXPECT_EQ(refused("GET", all + "/nope"), "404 not-found");
    EXPECT_EQ(refused("POST", all + "/nope/touch"), "404 not-found");
    EXPECT_EQ(refused("GET", all + "/nope/explain"), "404 not-found");
  }
}

TEST_F(HttpApi, AFailedCreationIsSaidOnceOrTwice) {
  arrange();
  for (const std::string& one : {kContainers + "/c1", kVolumes + "/v1"}) {
    EXPECT_EQ(ask("POST", one + "/failed").body["state"], "failed");
    EXPECT_EQ(ask("POST", one + "/failed").status, 200);
    EXPECT_EQ(refused("POST", one + "/created"), "409 conflict");
  }
}

TEST_F(HttpApi, RegisteringTheSameAgainIsFineOnlyWhileItIsCreating) {
  arrange();
  EXPECT_EQ(ask("POST", kContainers, R"({"handle":"c1","owner":"b1"})", "client").status, 200);
  EXPECT_EQ(ask("POST", kVolumes, R"({"handle":"v1","container":"c1"})").status, 200);
  EXPECT_EQ(refused("POST", kContainers, R"({"handle":"c1"})"), "409 conflict");
  EXPECT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  EXPECT_EQ(refused("POST", kContainers, R"({"handle":"c1","owner":"b1"})"), "409 conflict");
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/containers", R"({"handle":"?"})"), "404 not-found");
  EXPECT_EQ(refused("POST", kContainers, R"({"owner":"nope"})"), "422 invalid owner");
  EXPECT_EQ(refused("POST", kVolumes, R"({"parent":"nope"})"), "422 invalid parent");
  EXPECT_EQ(refused("POST", kContainers, R"("c1")"), "422 invalid body");
  const Said made_up = ask("POST", kContainers, "{}");
  EXPECT_EQ(made_up.status, 201);
  EXPECT_EQ(made_up.body["handle"].get<std::string>().size(), 36u);
}

TEST_F(HttpApi, AnArrayIsDoneItemByItem) {
  arrange();
  const Said mixed =
      ask("POST", kContainers, R"([{"handle":"a"},{"handle":"c1"},{"handle":"/"},{"x":1},"no",{"handle":"b","owner":"b1"}])");
  EXPECT_EQ(mixed.status, 201);
  ASSERT_EQ(mixed.body.size(), 6u);
  EXPECT_EQ(mixed.body[0]["handle"], "a");
  EXPECT_EQ(mixed.body[1]["error"]["status"], 409);
  EXPECT_EQ(mixed.body[2]["error"]["field"], "[2].handle");
  EXPECT_EQ(mixed.body[3]["error"]["field"], "[3].x");
  EXPECT_EQ(mixed.body[4]["error"]["field"], "[4]");
  EXPECT_EQ(mixed.body[5]["owner"], "b1");
  const Said none = ask("POST", kVolumes, R"([{"parent":"nope"},{"handle":"v1"}])");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(none.headers.at("content-type"), "application/json");
  EXPECT_EQ(none.body[1]["error"]["status"], 409);
  EXPECT_EQ(ask("POST", kVolumes, "[]").body, Json::array());
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/volumes", "[{}]"), "404 not-found");
  EXPECT_EQ(refused("POST", kContainers, Json(std::vector<Json>(10'001, Json::object())).dump()), "422 invalid body");
}

TEST_F(HttpApi, ListsPageByPageAndByFilter) {
  arrange();
  Json many = Json::array();
  for (int i = 0; i < 25; ++i) many.push_back({{"handle", "x" + std::to_string(i)}});
  ASSERT_EQ(ask("POST", kContainers, many.dump()).status, 201);
  std::size_t seen = 0;
  std::string after = "0";
  for (int page = 0; page < 3; ++page) {
    const Said said = ask("GET", "/api/v1/containers?limit=10&after=" + after);
    seen += said.body["containers"].size();
    if (said.body["next"].is_null()) break;
    after = said.body["next"].get<std::string>();
  }
  EXPECT_EQ(seen, 26u);
  EXPECT_EQ(ask("GET", "/api/v1/containers?limit=26").body["next"], nullptr);
  EXPECT_EQ(ask("GET", "/api/v1/containers?owner=b1").body["containers"].size(), 1u);
  EXPECT_EQ(ask("GET", "/api/v1/containers?worker=nope").body["containers"].size(), 0u);
  EXPECT_EQ(ask("GET", "/api/v1/containers?state=created").body["containers"].size(), 0u);
  EXPECT_EQ(ask("GET", "/api/v1/volumes?missing=true").body["volumes"].size(), 0u);
  EXPECT_EQ(ask("GET", "/api/v1/volumes?missing=false&worker=w1&state=creating").body["volumes"][0]["container"], "c1");
  EXPECT_EQ(ask("GET", "/api/v1/owners?limit=1").body["owners"][0]["id"], "b1");
  EXPECT_EQ(ask("GET", "/api/v1/workers?after=w1").body["workers"].size(), 0u);
  EXPECT_EQ(refused("GET", "/api/v1/containers?state=gone"), "422 invalid state");
  EXPECT_EQ(refused("GET", "/api/v1/containers?limit=100001"), "422 invalid limit");
  EXPECT_EQ(refused("GET", "/api/v1/workers?limit=0"), "422 invalid limit");
  EXPECT_EQ(refused("GET", "/api/v1/owners?kind=build"), "422 invalid kind");
  EXPECT_EQ(refused("GET", "/api/v1/owners/b1?x=1"), "422 invalid x");
}

TEST_F(HttpApi, ASyncTellsWhatToDestroyAndTakesTheAnswer) {
  arrange();
  ASSERT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  ASSERT_EQ(ask("POST", kVolumes + "/v1/created").status, 200);
  ASSERT_EQ(ask("POST", kVolumes + "/v1/destroy").status, 200);
  const std::string path = "/api/v1/workers/w1/sync";
  const Said first =
      ask("POST", path, sync_body(1, R"(,"containers":{"full":["c1"]},"volumes":{"full":["v1"]},"disk":{"total_bytes":9,"used_bytes":3})"));
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.body["destroy"]["volumes"], Json::array({"v1"}));
  const std::int64_t high_water = first.body["high_water"];
  Json done{{"session", "s1"}, {"incarnation", "i1"}, {"started", 1},
            {"sequence", 2},   {"as_of", high_water}, {"results", {{{"kind", "volume"}, {"handle", "v1"}, {"ok", true}}}}};
  EXPECT_EQ(ask("POST", path, done.dump(), "gateway").status, 200);
  EXPECT_EQ(refused("GET", kVolumes + "/v1"), "404 not-found");
  EXPECT_EQ(ask("GET", "/api/v1/workers/w1").body["disk"]["used_bytes"], 3);
  EXPECT_EQ(refused("POST", path, sync_body(1)), "409 fenced sequence");
  EXPECT_EQ(refused("POST", path, R"({"session":"s2","incarnation":"i1","started":1,"sequence":3,"as_of":0})"), "409 fenced session");
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/sync", sync_body(1)), "404 not-found");
  EXPECT_EQ(refused("POST", "/api/v1/workers/nope/sync", "{}"), "404 not-found");
  EXPECT_EQ(refused("POST", path, "{}"), "422 invalid session");
}

TEST_F(HttpApi, AHeldSyncIsAnsweredWhenThereIsWork) {
  arrange();
  ASSERT_EQ(ask("POST", kVolumes + "/v1/created").status, 200);
  const std::string path = "/api/v1/workers/w1/sync";
  ASSERT_EQ(ask("POST", path, sync_body(1, R"(,"volumes":{"full":["v1"]})")).status, 200);
  RawClient held(transport->port());
  held.send(request_text("POST", path, sync_body(2, R"(,"wait_ms":60000)"), "gateway"));
  for (int turn = 0; plane.held() == 0 && turn < 1'000'000; ++turn) std::this_thread::yield();
  ASSERT_EQ(plane.held(), 1u);
  plane.serve_held();
  EXPECT_EQ(plane.held(), 1u);
  ASSERT_EQ(ask("POST", kVolumes + "/v1/destroy").status, 200);
  plane.serve_held();
  EXPECT_EQ(plane.held(), 0u);
  const Said answered = heard(held);
  ASSERT_EQ(answered.status, 200);
  EXPECT_EQ(answered.body["destroy"]["volumes"], Json::array({"v1"}));
}

TEST_F(HttpApi, TheGatewayActsForTheWorkerOfTheKeyAlone) {
  arrange();
  ASSERT_EQ(ask("PUT", "/api/v1/workers/w2", Json{{"keys", {kKey2}}}.dump()).status, 201);
  const auto as_key = [&](const std::string& verb, const std::string& key, const std::string& body = "") {
    return ask("POST", "/api/v1/gateway/" + verb, body, "gateway", "Reclaim-Key: " + key + "\r\n");
  };
  EXPECT_EQ(as_key("whois", kKey1).body["worker"], "w1");
  EXPECT_EQ(as_key("whois", kKey2).body["worker"], "w2");
  EXPECT_EQ(as_key("sync", kKey2, sync_body(1)).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/workers/w1").body["incarnation"], nullptr);
  EXPECT_EQ(ask("GET", "/api/v1/workers/w2").body["incarnation"], "i1");
  EXPECT_EQ(as_key("heartbeat", kKey1).body["name"], "w1");
  EXPECT_EQ(as_key("status", kKey1).body["name"], "w1");
  EXPECT_EQ(as_key("land", kKey1).body["state"], "landing");
  EXPECT_EQ(as_key("retire", kKey2).body["state"], "retiring");
  const std::string stranger = std::string(kKey1).replace(30, 4, "XXXX");
  for (const std::string verb : {"whois", "sync", "heartbeat", "land", "retire", "status"}) {
    const std::string body = verb == "sync" ? sync_body(9) : "";
    EXPECT_EQ(problem(as_key(verb, stranger, body)), "401 unauthenticated") << verb;
    EXPECT_EQ(problem(as_key(verb, "w1", body)), "422 invalid Reclaim-Key") << verb;
    EXPECT_EQ(refused("POST", "/api/v1/gateway/" + verb, body, "gateway"), "422 invalid Reclaim-Key") << verb;
    EXPECT_EQ(refused("POST", "/api/v1/gateway/" + verb, body, "client"), "403 forbidden") << verb;
  }
}

TEST_F(HttpApi, RunsPassesAndSaysWhatTheyDid) {
  arrange();
  ASSERT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  ASSERT_EQ(ask("POST", kVolumes + "/v1/failed").status, 200);
  ASSERT_EQ(ask("POST", "/api/v1/owners/b1/release").status, 200);
  const Said one = ask("POST", "/api/v1/gc/run", R"({"passes":["mark-failed"]})");
  EXPECT_EQ(one.body["passes"].size(), 1u);
  EXPECT_EQ(one.body["passes"][0]["changed"], 1);
  const Said all = ask("POST", "/api/v1/gc/run");
  EXPECT_EQ(all.body["passes"].size(), 7u);
  EXPECT_EQ(refused("POST", "/api/v1/gc/run", R"({"passes":["no-such"]})"), "422 invalid passes");
  EXPECT_EQ(refused("POST", "/api/v1/gc/run", R"({"passes":"missing"})"), "422 invalid passes");
}

TEST_F(HttpApi, PlansWhatPassesWouldDoAndDoesExactlyThat) {
  arrange();
  ASSERT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  ASSERT_EQ(ask("POST", kVolumes + "/v1/failed").status, 200);
  ASSERT_EQ(ask("POST", "/api/v1/owners/b1/release").status, 200);
  const Said plan = ask("POST", "/api/v1/gc/plan");
  ASSERT_EQ(plan.status, 200);
  EXPECT_EQ(plan.body["count"], 2);
  EXPECT_EQ(plan.body["truncated"], false);
  EXPECT_EQ(plan.body["items"][1]["pass"], "mark-orphans");
  EXPECT_EQ(plan.body["items"][1]["handle"], "c1");
  EXPECT_EQ(ask("GET", kContainers + "/c1").body["state"], "created");
  EXPECT_EQ(ask("POST", "/api/v1/gc/plan", R"({"passes":["mark-failed"],"worker":"w1"})").body["count"], 1);
  ASSERT_EQ(ask("POST", kContainers + "/c1/touch").status, 200);

  const std::string id = plan.body["plan_id"];
  const Said applied = ask("POST", "/api/v1/gc/apply", R"({"plan_id":")" + id + "\"}");
  ASSERT_EQ(applied.status, 200);
  EXPECT_EQ(applied.body["done"], 1);
  EXPECT_EQ(applied.body["refused"], 1);
  EXPECT_EQ(applied.body["items"][0]["error"], nullptr);
  EXPECT_EQ(applied.body["items"][1]["error"]["type"], "urn:reclaim:conflict");
  EXPECT_EQ(ask("GET", kVolumes + "/v1").body["state"], "destroying");

  EXPECT_EQ(refused("POST", "/api/v1/gc/plan", R"({"passes":["no-such"]})"), "422 invalid passes");
  EXPECT_EQ(refused("POST", "/api/v1/gc/plan", R"({"worker":"w9"})"), "422 invalid worker");
  EXPECT_EQ(refused("POST", "/api/v1/gc/plan", R"({"worker":"../w"})"), "422 invalid worker");
  EXPECT_EQ(refused("POST", "/api/v1/gc/apply"), "422 invalid plan_id");
  EXPECT_EQ(refused("POST", "/api/v1/gc/apply", R"({"plan_id":"p"})"), "404 not-found");
}

TEST_F(HttpApi, EventsSayWhoDidWhatAndCanBeFollowed) {
  arrange();
  const Said page = ask("GET", "/api/v1/events?limit=2");
  ASSERT_EQ(page.body["events"].size(), 2u);
  EXPECT_EQ(page.body["events"][0]["action"], "worker-enrolled");
  EXPECT_EQ(page.body["events"][0]["actor"], "token:admin");
  EXPECT_EQ(page.body["next"], page.body["events"][1]["seq"]);
  EXPECT_EQ(ask("GET", "/api/v1/events?after=" + page.body["next"].dump()).body["next"], nullptr);
  EXPECT_EQ(refused("GET", "/api/v1/events?after=x"), "422 invalid after");

  RawClient follower(transport->port());
  follower.send(request_text("GET", "/api/v1/events?after=" + page.body["next"].dump(), "", "viewer", "Accept: text/event-stream\r\n"));
  EXPECT_EQ(follower.read_reply().headers.at("content-type"), "text/event-stream");
  const std::string old = follower.read_chunk();
  EXPECT_EQ(old.substr(0, old.find('\n')), "id: 3");
  ASSERT_EQ(ask("POST", kContainers + "/c1/created").status, 200);
  const std::string fresh = follower.read_chunk();
  EXPECT_NE(fresh.find("\ndata: {\"seq\":5,"), std::string::npos) << fresh;
  EXPECT_TRUE(fresh.ends_with("\n\n"));

  RawClient again(transport->port());
  again.send(request_text("GET", "/api/v1/events", "", "viewer", "Accept: text/event-stream\r\nLast-Event-ID: 4\r\n"));
  again.read_reply();
  EXPECT_TRUE(again.read_chunk().starts_with("id: 5\n"));
}

TEST_F(HttpApi, TokensAreShownOnceAndEndAtOnce) {
  const Said made = ask("POST", "/api/v1/tokens", R"({"role":"viewer","name":"board"})");
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.at("cache-control"), "no-store");
  const std::string id = made.body["id"];
  tokens["new"] = made.body["token"];
  EXPECT_EQ(ask("GET", "/api/v1/workers", "", "new").status, 200);
  const Said list = ask("GET", "/api/v1/tokens");
  EXPECT_EQ(list.body["tokens"].size(), 5u);
  EXPECT_EQ(list.body.dump().find(tokens["new"]), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/tokens/" + id).body["name"], "board");
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/" + id).body["name"], "board");
  EXPECT_EQ(refused("GET", "/api/v1/workers", "", "new"), "401 unauthenticated");
  EXPECT_EQ(refused("GET", "/api/v1/tokens/" + id), "404 not-found");
  EXPECT_EQ(refused("DELETE", "/api/v1/tokens/" + id), "404 not-found");
  EXPECT_EQ(refused("POST", "/api/v1/tokens", R"({"role":"king"})"), "422 invalid role");
  EXPECT_EQ(refused("POST", "/api/v1/tokens", "{}"), "422 invalid role");
  const Said left = ask("GET", "/api/v1/tokens");
  for (const Json& token : left.body["tokens"]) {
    if (token["role"] == "admin") {
      EXPECT_EQ(refused("DELETE", "/api/v1/tokens/" + token["id"].get<std::string>()), "409 conflict");
    }
  }
}

}  // namespace
}  // namespace reclaim::http
