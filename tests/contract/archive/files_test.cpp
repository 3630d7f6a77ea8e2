// Files in the catalogue, one by one and ten thousand at once.
#include "contract/archive/engines.hpp"
#include "sim/counting_database.hpp"

namespace reclaim::test {
namespace {

using Strings = std::vector<std::string>;

class Files : public CatalogueTest {
 protected:
  // `f1 f2!conflict`: each item's id, and what is wrong with it.
  std::string add_all(const std::vector<FileSpec>& specs) {
    std::string told;
    std::size_t at = 0;
    for (const auto& outcome : must(archive::add_files(catalogue.context(), specs))) {
      const std::string id = specs.at(at++).id.str();
      const std::string said = outcome.ok() ? (outcome.value().created ? "" : "=") : "!" + refusal(outcome);
      told += (told.empty() ? "" : ", ") + id + said;
    }
    return told;
  }
};

TEST_P(Files, KeepTheirContentAndTheOrderOfTheirCopies) {
  const FileSpec spec = file("f1", {{Vid("V3"), 7}, {Vid("V1"), 9007199254740991}});
  EXPECT_TRUE(must(catalogue.add(spec)).created);
  EXPECT_FALSE(must(catalogue.add(spec)).created);
  const archive::File found = must(archive::find_file(catalogue.context(), FileId("f1")));
  EXPECT_EQ(found.spec, spec);
  EXPECT_EQ(found.created, catalogue.wall);
  EXPECT_EQ(refusal(archive::find_file(catalogue.context(), FileId("f2"))), "not-found");
}

TEST_P(Files, AnArrayIsAppliedInOrderAsIfOneByOne) {
  must(catalogue.add(file("old", {{Vid("V1"), 1}})));
  EXPECT_EQ(add_all({
                file("a", {{Vid("V1"), 2}, {Vid("V2"), 2}}),
                file("b", {{Vid("V9"), 1}}),
                file("c", {{Vid("V1"), 1}}),
                file("d", {{Vid("V2"), 2}}),
                file("a", {{Vid("V1"), 2}, {Vid("V2"), 2}}),
                file("a", {{Vid("V1"), 2}}),
                file("old", {{Vid("V1"), 1}}),
                file("old", {{Vid("V1"), 5}}),
                file("e", {{Vid("V1"), 6}, {Vid("V1"), 7}}),
                file("f", {{Vid("V1"), 6}}),
                file("g", {}),
            }),
            "a, b!invalid copies[0].vid, c!conflict, d!conflict, a=, a!conflict, old=, old!conflict, e!invalid copies[1].vid, f, g");
  std::string there;
  for (const archive::File& each : must(archive::list_files(catalogue.context(), "", 100))) there += each.spec.id.str() + " ";
  EXPECT_EQ(there, "a f g old ");
}

TEST_P(Files, TenThousandAreAddedInAsManyStatementsAsTwo) {
  std::vector<FileSpec> specs;
  for (int i = 1; i <= 10'000; ++i) specs.push_back(file("f" + std::to_string(i), {{Vid("V1"), i}, {Vid("V2"), 20'000 - i}}));
  sim::CountingDatabase counting(catalogue.database());
  const archive::Context context = catalogue.through(counting);
  must(archive::add_files(context, {file("x", {{Vid("V3"), 1}}), file("y", {{Vid("V3"), 2}})}));
  const std::int64_t few = counting.take().statements;
  const auto outcomes = must(archive::add_files(context, specs));
  EXPECT_EQ(counting.take().statements, few);
  for (const auto& outcome : outcomes) ASSERT_TRUE(outcome.ok() && outcome.value().created);
  const auto again = must(archive::add_files(context, specs));
  for (const auto& outcome : again) ASSERT_TRUE(outcome.ok() && !outcome.value().created);
  const std::vector<archive::File> listed = must(archive::list_files(context, "", 20'000));
  ASSERT_EQ(listed.size(), 10'002U);
  EXPECT_EQ(must(archive::find_file(context, FileId("f777"))).spec, specs.at(776));
}

TEST_P(Files, OfATapeAreListedAsTheyLieThere) {
  must(catalogue.add(file("a", {{Vid("V1"), 30}})));
  must(catalogue.add(file("b", {{Vid("V1"), 4}, {Vid("V2"), 1}})));
  must(catalogue.add(file("c", {{Vid("V2"), 2}, {Vid("V1"), 200}})));
  const auto first = must(archive::list_files_of_tape(catalogue.context(), Vid("V1"), 0, 2));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].file.spec, file("b", {{Vid("V1"), 4}, {Vid("V2"), 1}}));
  EXPECT_EQ(first[1].fseq, 30);
  const auto rest = must(archive::list_files_of_tape(catalogue.context(), Vid("V1"), 30, 2));
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].file.spec.id.str(), "c");
  EXPECT_TRUE(must(archive::list_files_of_tape(catalogue.context(), Vid("V9"), 0, 2)).empty());
}

TEST_P(Files, CopiesAreChangedAsAWholeOrNotAtAll) {
  must(catalogue.add(file("a", {{Vid("V1"), 1}, {Vid("V2"), 1}})));
  must(catalogue.add(file("b", {{Vid("V3"), 1}})));
  const auto change = [&](const std::vector<Copy>& copies) { return archive::change_copies(catalogue.context(), FileId("a"), copies); };
  EXPECT_EQ(refusal(archive::change_copies(catalogue.context(), FileId("z"), {{Vid("V9"), 1}})), "not-found");
  EXPECT_EQ(refusal(change({{Vid("V1"), 1}, {Vid("V9"), 1}})), "invalid copies[1].vid");
  EXPECT_EQ(refusal(change({{Vid("V2"), 9}, {Vid("V3"), 1}})), "conflict");
  EXPECT_EQ(must(archive::find_file(catalogue.context(), FileId("a"))).spec.copies.size(), 2U);
  const std::int64_t before = catalogue.last_event();
  const std::vector<Copy> turned{{Vid("V2"), 1}, {Vid("V1"), 1}, {Vid("V3"), 2}};
  EXPECT_EQ(must(change(turned)).spec.copies, turned);
  EXPECT_EQ(must(change(turned)).spec.copies, turned);
  EXPECT_EQ(must(archive::find_file(catalogue.context(), FileId("a"))).spec.copies, turned);
  EXPECT_TRUE(must(change({})).spec.copies.empty());
  EXPECT_EQ(catalogue.events(before), (Strings{"file-changed a (copies V2:1 V1:1 V3:2)", "file-changed a (no copies)"}));
  must(catalogue.add(file("c", {{Vid("V1"), 1}})));
}

TEST_P(Files, AreRemovedWithTheirCopiesUnlessARequestNamesThem) {
  must(catalogue.add(file("a", {{Vid("V1"), 1}})));
  EXPECT_EQ(refusal(archive::remove_file(catalogue.context(), FileId("a"), somebody_asks)), "conflict");
  EXPECT_EQ(must(archive::remove_file(catalogue.context(), FileId("a"), nobody_asks)).spec, file("a", {{Vid("V1"), 1}}));
  EXPECT_EQ(refusal(archive::remove_file(catalogue.context(), FileId("a"), nobody_asks)), "not-found");
  must(catalogue.add(file("b", {{Vid("V1"), 1}})));
}

TEST_P(Files, TellWhatWasDone) {
  const std::int64_t before = catalogue.last_event();
  add_all(
      {file("b", {{Vid("V1"), 2}}), file("a", {{Vid("V1"), 1}, {Vid("V2"), 1}}), file("b", {{Vid("V1"), 2}}), file("c", {{Vid("V1"), 1}})});
  must(archive::remove_file(catalogue.context(), FileId("b"), nobody_asks));
  EXPECT_EQ(catalogue.events(before),
            (Strings{"file-added b (copies V1:2)", "file-added a (copies V1:1 V2:1)", "file-removed b (copies V1:2)"}));
}

ON_BOTH_ENGINES(Files);

TEST(Checksums, AreAdler32InEightDigits) {
  EXPECT_EQ(must(archive::parse_checksum("adler32:0A1b2C3d", "c")), "adler32:0a1b2c3d");
  for (const char* text : {"", "adler32:", "adler32:1234567", "adler32:123456789", "adler32:1234567g", "ADLER32:12345678", "12345678",
                           "adler32: 2345678", "md5:12345678"}) {
    EXPECT_EQ(refusal(archive::parse_checksum(text, "c")), "invalid c") << text;
  }
}

}  // namespace
}  // namespace reclaim::test
