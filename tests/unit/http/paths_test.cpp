#include "http/paths.hpp"

#include <gtest/gtest.h>

#include "http/query_reader.hpp"
#include "http/target.hpp"

namespace reclaim::http {
namespace {

Found find(std::string_view method, std::string_view path) {
  Paths paths;
  paths.add("GET", "/workers");
  paths.add("GET", "/workers/{w}");
  paths.add("PUT", "/workers/{w}");
  paths.add("PUT", "/workers/{w}/containers/{h}/pin");
  paths.add("POST", "/workers/{w}/containers");
  return paths.find(method, parse_target(path).value().segments);
}

TEST(Paths, FindsARouteAndItsParameters) {
  EXPECT_EQ(find("GET", "/workers").route, 0);
  EXPECT_EQ(find("PUT", "/workers/w1").route, 2);
  const Found pin = find("PUT", "/workers/w%201/containers/c%2F1/pin");
  EXPECT_EQ(pin.route, 3);
  EXPECT_EQ(pin.parameters, (std::vector<std::string>{"w 1", "c/1"}));
}

TEST(Paths, AnswersHeadWhereItAnswersGet) { EXPECT_EQ(find("HEAD", "/workers/w1").route, 1); }

TEST(Paths, KnowsAPathFromAMethodThatItDoesNotAnswer) {
  const Found found = find("DELETE", "/workers/w1");
  EXPECT_TRUE(found.path_known);
  EXPECT_EQ(found.route, -1);
  EXPECT_EQ(found.allowed, (std::vector<std::string>{"GET", "HEAD", "PUT"}));
}

TEST(Paths, TakesNoPathForAnother) {
  for (const std::string_view path : {"/", "/worker", "/workers/", "//workers", "/workers/w1/", "/workers/w1/containers/c1", "/Workers",
                                      "/workers%2Fw1", "/workers/w1/containers//pin", "/workers/w1%2Fcontainers"}) {
    const Found found = find("POST", path);
    EXPECT_EQ(found.route, -1) << path;
    EXPECT_EQ(found.path_known, path == "/workers/w1%2Fcontainers") << path;
  }
}

Call call_with(std::string_view target) {
  Call call;
  call.query = parse_target(target).value().query;
  return call;
}

std::string wrong_part(std::string_view target) {
  const Call call = call_with(target);
  QueryReader reader(call);
  reader.limit();
  reader.boolean("missing");
  reader.text("worker");
  const Status status = reader.finish();
  return status.ok() ? "" : status.error().field;
}

TEST(QueryReader, ReadsWhatIsThereAndHasDefaults) {
  const Call call = call_with("/?limit=7&missing=true&worker=");
  QueryReader reader(call);
  EXPECT_EQ(reader.limit(), 7);
  EXPECT_EQ(reader.boolean("missing"), true);
  EXPECT_EQ(reader.text("worker"), std::nullopt);
  EXPECT_TRUE(reader.finish().ok());
  const Call empty;
  EXPECT_EQ(QueryReader(empty).limit(), kListDefault);
}

TEST(QueryReader, NamesTheParameterThatIsWrong) {
  EXPECT_EQ(wrong_part("/?limit=100000&worker=w"), "");
  for (const std::string_view limit : {"0", "100001", "-1", "x", "1x", "+1", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(wrong_part("/?limit=" + std::string(limit)), "limit") << limit;
  }
  EXPECT_EQ(wrong_part("/?missing=yes"), "missing");
  EXPECT_EQ(wrong_part("/?worker=a&worker=b"), "worker");
  EXPECT_EQ(wrong_part("/?wroker=a"), "wroker");
}

}  // namespace
}  // namespace reclaim::http
