#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/console.hpp"

namespace reclaim::cli {
namespace {

std::vector<Ordered> items(const char* text) {
  const Ordered list = Ordered::parse(text);
  return {list.begin(), list.end()};
}

const View kView = {{"NAME", "name"}, {"COUNT", "count"}, {"QUIET", "quiet", true}, {"ERROR", "error"}, {"USED", "disk.used_bytes"}};

TEST(Table, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(render_table(kView, items(R"([{"name":"a","count":1,"error":"busy"},{"name":"long","count":1000,"error":null}])"), 100, false),
            "NAME  COUNT  ERROR\n"
            "a         1  busy\n"
            "long   1000\n");
}

TEST(Table, LeavesOutColumnsThatHaveNothingToSay) {
  const std::string table =
      render_table(kView, items(R"([{"name":"a","count":0,"quiet":0},{"name":"b","count":0,"quiet":false}])"), 100, false);
  EXPECT_EQ(table, "NAME  COUNT\na         0\nb         0\n");
  EXPECT_EQ(render_table(kView, {}, 100, false), "NAME  COUNT  ERROR  USED\n");
}

TEST(Table, CutsLongTextsToTheWidthOfTheTerminal) {
  EXPECT_EQ(render_table(kView, items(R"([{"name":"w1","count":1,"error":"device or resource busy since Tuesday"}])"), 30, false),
            "NAME  COUNT  ERROR\n"
            "w1        1  device or resour…\n");
}

TEST(Table, NoLineIsWiderThanTheTerminal) {
  const auto rows =
      items(R"([{"name":"a-rather-long-name-of-a-worker","count":123456789,"error":"ööööööööööööööööööööööööö","disk":{"used_bytes":1}}])");
  for (int width = 1; width < 90; ++width) {
    std::istringstream lines(render_table(kView, rows, width, false));
    for (std::string line; std::getline(lines, line);) {
      const auto characters = std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
      EXPECT_LE(characters, width) << line;
    }
  }
}

TEST(Table, KeepsNumbersWholeAndDropsTheLeastImportantColumns) {
  EXPECT_EQ(render_table(kView, items(R"([{"name":"w1","count":123456789,"disk":{"used_bytes":1048576}}])"), 16, false),
            "NAME      COUNT\nw1    123456789\n");
}

TEST(Table, ColoursOnlyTheTitles) { EXPECT_EQ(render_table({{"A", "a"}}, items(R"([{"a":"x"}])"), 100, true), "\x1b[1mA\x1b[0m\nx\n"); }

TEST(Cell, SaysSpansAndSizesAsPeopleDo) {
  const std::pair<std::pair<const char*, Ordered>, const char*> cases[] = {
      {{"age_s", 192}, "3m12s"},
      {{"age_s", 90061}, "1d1h"},
      {{"age_s", 0}, "0s"},
      {{"next_sync_ms", 1500}, "1s"},
      {{"next_sync_ms", 250}, "250ms"},
      {{"used_bytes", 1023}, "1023 B"},
      {{"bytes", 1536}, "1.5 KiB"},
      {{"bytes", 1073741824}, "1.0 GiB"},
      {{"age_s", 9007199254740991}, "9007199254740991"},
      {{"bytes", 9007199254740991}, "8.0 PiB"},
      {{"count", 7}, "7"},
      {{"x", true}, "yes"},
      {{"since", "2026-11-23T04:05:06.789Z"}, "2026-11-23 04:05:06"},
      {{"x", Ordered()}, ""},
  };
  for (const auto& [given, cell] : cases) EXPECT_EQ(cell_of(given.first, given.second), cell) << given.first << " " << given.second;
  EXPECT_EQ(cell_of("tags", Ordered::parse(R"(["a","b"])")), "a, b");
  EXPECT_EQ(cell_of("labels", Ordered::parse(R"({"k":"v","n":1})")), "k=v n=1");
}

TEST(Cell, CannotMoveTheCursor) {
  EXPECT_EQ(cell_of("error", "a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \xc3\xa4"),
            "?31m \xc3\xa4");
}

TEST(Fields, ShowsAnObjectLineByLineInItsOrder) {
  EXPECT_EQ(render_fields(Ordered::parse(R"({"name":"w1","disk":{"total_bytes":2048,"used_bytes":0},"tags":["a"],"frozen":null})"), 100),
            "name              w1\n"
            "disk.total_bytes  2.0 KiB\n"
            "disk.used_bytes   0 B\n"
            "tags              a\n"
            "frozen\n");
}

}  // namespace
}  // namespace reclaim::cli
