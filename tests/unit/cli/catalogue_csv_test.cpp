#include "cli/catalogue_csv.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace reclaim::cli {
namespace {

constexpr const char* kTitles = "id,size,checksum,copies\n";

// The files as JSON, one a line, or what is wrong and where.
std::string read(const std::string& text) {
  std::istringstream stream(text);
  CatalogueCsv csv(stream);
  std::string told;
  for (;;) {
    const Result<std::optional<wire::Json>> file = csv.next();
    if (!file.ok()) return file.error().field + ": " + file.error().message;
    if (!file.value()) return told;
    told += std::to_string(csv.line()) + " " + wire::to_text(*file.value()) + "\n";
  }
}

TEST(CatalogueCsv, ReadsFilesWithAnyNumberOfCopies) {
  EXPECT_EQ(read(std::string(kTitles) + "f1,12,adler32:1e0b0402,V1:3 V2:8\nf2,0,adler32:00000001,\n"),
            R"(2 {"checksum":"adler32:1e0b0402","copies":[{"fseq":3,"vid":"V1"},{"fseq":8,"vid":"V2"}],"id":"f1","size":12})"
            "\n"
            R"(3 {"checksum":"adler32:00000001","copies":[],"id":"f2","size":0})"
            "\n");
  EXPECT_EQ(read(kTitles), "") << "no files are no mistake";
}

TEST(CatalogueCsv, TheLastLineNeedsNoEndAndLinesMayEndAsSpreadsheetsWriteThem) {
  const std::string plain = read(std::string(kTitles) + "f1,1,c,V1:1\nf2,1,c,V1:2");
  EXPECT_EQ(read("id,size,checksum,copies\r\nf1,1,c,V1:1\r\nf2,1,c,V1:2\r\n"), plain);
}

TEST(CatalogueCsv, TheTitlesAreJustThese) {
  for (const char* text : {"", "\n", "f1,1,c,V1:1\n", "ID,SIZE,CHECKSUM,COPIES\n", "id,size,checksum,copies,\n",
                           " id,size,checksum,copies\n", "\xef\xbb\xbfid,size,checksum,copies\n"}) {
    EXPECT_EQ(read(text), "line 1: must be id,size,checksum,copies") << text;
  }
}

TEST(CatalogueCsv, NamesTheLineAndTheColumnThatIsWrong) {
  for (const auto& [line, column] :
       std::vector<std::pair<std::string, std::string>>{{"", "has 1 fields"},
                                                        {"f2,1,c", "has 3 fields"},
                                                        {"f2,1,c,V1:1,V2:1", "has 5 fields"},
                                                        {"\"f2\",1,c,V1:1", "id"},
                                                        {" f2,1,c,V1:1", "id"},
                                                        {"f2, 1,c,V1:1", "size"},
                                                        {"f2,+1,c,V1:1", "size"},
                                                        {"f2,0x1,c,V1:1", "size"},
                                                        {"f2,99999999999999999999,c,V1:1", "size"},
                                                        {"f2,1,,V1:1", "checksum"},
                                                        {"f2,1,c,V1", "copies"},
                                                        {"f2,1,c,:1", "copies"},
                                                        {"f2,1,c,V1:", "copies"},
                                                        {"f2,1,c,V1:-1", "copies"},
                                                        {"f2,1,c,V1:1:2", "copies"},
                                                        {"f2,1,c,V1:1 ", "copies"},
                                                        {"f2,1,c, V1:1", "copies"},
                                                        {"f2,1,c,V1:1;V2:1", "copies"},
                                                        {std::string(8193, 'x'), "is longer than 8192 bytes"}}) {
    EXPECT_TRUE(read(std::string(kTitles) + "f1,1,c,V1:1\n" + line + "\nf3,1,c,V1:3\n").starts_with("line 3: " + column)) << line;
  }
}

}  // namespace
}  // namespace reclaim::cli
