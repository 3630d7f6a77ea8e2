#include <gtest/gtest.h>

#include "wire/sync.hpp"

namespace reclaim::wire {
namespace {

TEST(Problem, NamesTheFieldOrWhatFenced) {
  EXPECT_EQ(
      to_problem(invalid("volumes.base", "must be an integer")),
      R"({"type":"urn:reclaim:invalid","title":"Invalid request","status":422,"detail":"must be an integer","field":"volumes.base"})");
  EXPECT_EQ(to_problem(fenced("a newer session acts", "session")),
            R"({"type":"urn:reclaim:fenced","title":"Superseded","status":409,"detail":"a newer session acts","fenced_by":"session"})");
  EXPECT_EQ(to_problem(not_found("no worker w1")),
            R"({"type":"urn:reclaim:not-found","title":"Not found","status":404,"detail":"no worker w1"})");
}

TEST(Problem, HasTheStatusOfTheContract) {
  EXPECT_EQ(status_of(unparsable("")), 400);
  EXPECT_EQ(status_of(unauthenticated("")), 401);
  EXPECT_EQ(status_of(forbidden("")), 403);
  EXPECT_EQ(status_of(not_found("")), 404);
  EXPECT_EQ(status_of(conflict("")), 409);
  EXPECT_EQ(status_of(fenced("", "session")), 409);
  EXPECT_EQ(status_of(too_large("")), 413);
  EXPECT_EQ(status_of(invalid("f", "")), 422);
  EXPECT_EQ(status_of(corrupt("")), 500);
  EXPECT_EQ(status_of(unavailable("")), 503);
  EXPECT_EQ(status_of(contended("")), 503);
}

TEST(Problem, IsReadBackAsTheErrorItWas) {
  for (const Error& error : {not_found("a"), conflict("b"), fenced("c", "lineage"), unavailable("e"), corrupt("f"), invalid("owner", "g"),
                             unparsable("h"), too_large("i"), forbidden("j"), unauthenticated("k \" \n")}) {
    const Error again = parse_problem(status_of(error), to_problem(error));
    EXPECT_EQ(again.kind, error.kind) << error.message;
    EXPECT_EQ(again.message, error.message);
    EXPECT_EQ(again.field, error.field);
  }
}

TEST(Problem, ThatNothingHappenedIsForTheServerAlone) {
  EXPECT_EQ(parse_problem(503, to_problem(contended("busy"))).kind, Error::Kind::kUnavailable);
}

TEST(Problem, OfAStrangerIsUnavailableAndSaysTheStatus) {
  for (const char* body : {"<html>Bad Gateway</html>", "[]", "{}", R"({"type":"about:blank","detail":"upstream"})", R"({"type":7})"}) {
    const Error error = parse_problem(502, body);
    EXPECT_EQ(error.kind, Error::Kind::kUnavailable) << body;
    EXPECT_NE(error.message.find("502"), std::string::npos) << error.message;
  }
}

TEST(Problem, DetailThatIsNotUtf8IsStillAProblem) { EXPECT_EQ(parse_problem(404, to_problem(not_found("\xff"))).message, "\xef\xbf\xbd"); }

}  // namespace
}  // namespace reclaim::wire
