#include "cli/request_lines.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace reclaim::cli {
namespace {

Result<std::vector<RequestLine>> read(const std::string& text) {
  std::istringstream stream(text);
  return read_request_lines(stream);
}

std::string refusal(const std::string& text) {
  const auto lines = read(text);
  return lines.ok() ? "" : lines.error().field + ": " + lines.error().message;
}

TEST(RequestLines, JsonObjectsAreTakenAsTheyAreAndKnowTheirLines) {
  const auto lines = read("{\"file\":\"f1\",\"destination\":\"a, b\"}\r\n{\"file\":\"f2\",\"destination\":\"c\",\"priority\":5}").value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].json, R"({"destination":"a, b","file":"f1"})");
  EXPECT_EQ(lines[1].line, 2);
}

TEST(RequestLines, TheFirstLineOfCsvNamesItsColumnsInAnyOrder) {
  const auto lines = read("destination,file,priority,requester\nrun 7/f1,f1,-5,alice\nrun 7/f2,f2,,\n").value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].json, R"({"destination":"run 7/f1","file":"f1","priority":-5,"requester":"alice"})");
  EXPECT_EQ(lines[1].json, R"({"destination":"run 7/f2","file":"f2"})") << "what is empty is left out";
  EXPECT_EQ(lines[1].line, 3);
}

TEST(RequestLines, WhatIsNoneIsRefusedWithItsLine) {
  EXPECT_EQ(refusal(""), "line 1: is missing: there is nothing to read");
  EXPECT_EQ(refusal("file\nf1\n"), "line 1: must name the columns file and destination");
  EXPECT_EQ(refusal("file,destination,file\n"), "line 1: names file twice");
  EXPECT_EQ(refusal("file,dest\n"), "line 1: 'dest' is no column: file,destination,report_to,requester,priority,policy");
  EXPECT_EQ(refusal("file,destination\nf1,a,b\n"), "line 2: has 3 fields, not 2");
  EXPECT_EQ(refusal("file,destination\nf1,\n"), "line 2: destination: is empty");
  EXPECT_EQ(refusal("file,destination,priority\nf1,a,high\n"), "line 2: priority: is not a number");
  EXPECT_TRUE(refusal("{\"file\":\"f1\"}\n[]\n").starts_with("line 2: is not a JSON object"));
  EXPECT_TRUE(refusal("{\"file\":\"f1\"}\n\n").starts_with("line 2: "));
  EXPECT_TRUE(refusal("{\"file\":1,\"file\":2}\n").starts_with("line 1: "));
  EXPECT_EQ(refusal("file,destination\nf1," + std::string(20'000, 'x')), "line 2: is longer than 16384 bytes");
}

}  // namespace
}  // namespace reclaim::cli
