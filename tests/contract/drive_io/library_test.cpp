// What every library does, and what only a directory has to withstand.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <vector>

#include "contract/drive_io/benches.hpp"
#include "support/machine.hpp"

namespace reclaim {
namespace {

namespace fs = std::filesystem;

std::string read_all(ports::TapeReader& reader, std::size_t chunk_size = 3) {
  std::string bytes;
  std::vector<char> chunk(chunk_size);
  for (;;) {
    const Result<std::size_t> got = reader.read(chunk);
    if (!got.ok()) return "error: " + got.error().message;
    if (got.value() == 0) return bytes;
    bytes.append(chunk.data(), got.value());
  }
}

std::string read_at(ports::TapeLibrary& library, const std::string& vid, std::uint64_t fseq) {
  const auto reader = library.open(vid, fseq);
  return reader.ok() ? read_all(*reader.value()) : told(reader);
}

Status write_at(ports::TapeLibrary& library, const std::string& vid, std::uint64_t fseq, std::string_view bytes) {
  const std::unique_ptr<ports::TapeWriter> writer = TRY(library.begin(vid, fseq));
  TRY(writer->append(bytes));
  return writer->keep();
}

template <class Bench>
class Library : public testing::Test {
 protected:
  Library() { bench.bring("V1"); }
  ports::TapeLibrary& library() { return bench.library(); }
  Bench bench;
};
using Libraries = testing::Types<LibraryDirBench, LibraryMemoryBench>;
TYPED_TEST_SUITE(Library, Libraries);

TYPED_TEST(Library, ReadsWhatWasWritten) {
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string("abcd"), std::string(70'000, 'x')}) {
    const std::uint64_t fseq = this->library().last_fseq("V1").value() + 1;
    ASSERT_EQ(told(write_at(this->library(), "V1", fseq, bytes)), "ok");
    EXPECT_EQ(read_at(this->library(), "V1", fseq), bytes);
    EXPECT_EQ(this->library().last_fseq("V1").value(), fseq);
  }
}

TYPED_TEST(Library, TellsATapeThatIsAwayFromAFileThatIsNotThere) {
  this->bench.put("V1", 1, "a");
  EXPECT_EQ(read_at(this->library(), "V1", 2), "not found");
  EXPECT_TRUE(this->library().has("V1").value());
  this->bench.take_away("V1");
  EXPECT_FALSE(this->library().has("V1").value());
  EXPECT_EQ(read_at(this->library(), "V1", 1), "unavailable");
  EXPECT_EQ(told(this->library().begin("V1", 2)), "unavailable");
  EXPECT_EQ(told(this->library().last_fseq("V1")), "unavailable");
}

TYPED_TEST(Library, APlaceIsTakenOnce) {
  ASSERT_EQ(told(write_at(this->library(), "V1", 5, "first")), "ok");
  EXPECT_EQ(told(write_at(this->library(), "V1", 5, "second")), "conflict");
  EXPECT_EQ(read_at(this->library(), "V1", 5), "first");
}

TYPED_TEST(Library, APlaceIsWrittenByOneAtATime) {
  const auto first = this->library().begin("V1", 1);
  ASSERT_TRUE(first.value()->append("first").ok());
  EXPECT_EQ(told(this->library().begin("V1", 1)), "conflict");
  EXPECT_EQ(told(this->library().begin("V1", 2)), "ok");
  EXPECT_TRUE(first.value()->keep().ok());
  EXPECT_EQ(read_at(this->library(), "V1", 1), "first");
}

TYPED_TEST(Library, WhoeverPutsAFileThereMeanwhileKeepsIt) {
  const auto writer = this->library().begin("V1", 1);
  ASSERT_TRUE(writer.value()->append("late").ok());
  this->bench.put("V1", 1, "early");
  EXPECT_EQ(told(writer.value()->keep()), "conflict");
  EXPECT_EQ(read_at(this->library(), "V1", 1), "early");
}

TYPED_TEST(Library, WhatIsNotKeptIsNotThere) {
  {
    const auto writer = this->library().begin("V1", 1);
    ASSERT_TRUE(writer.value()->append("half").ok());
    EXPECT_EQ(read_at(this->library(), "V1", 1), "not found");
    EXPECT_EQ(this->library().last_fseq("V1").value(), 0U);
  }
  EXPECT_EQ(read_at(this->library(), "V1", 1), "not found");
  ASSERT_EQ(told(write_at(this->library(), "V1", 1, "whole")), "ok");
  EXPECT_EQ(read_at(this->library(), "V1", 1), "whole");
}

TYPED_TEST(Library, OtherNamesThanVidsAndPlacesAreRefused) {
  for (const char* vid : {"", ".", "..", ".V1", "V1/", "../V1", "V1/1", "a b", "V1\n"}) {
    EXPECT_EQ(told(this->library().has(vid)), "invalid") << vid;
    EXPECT_EQ(told(this->library().open(vid, 1)), "invalid") << vid;
    EXPECT_EQ(told(this->library().begin(vid, 1)), "invalid") << vid;
    EXPECT_EQ(told(this->library().last_fseq(vid)), "invalid") << vid;
  }
  for (const std::uint64_t fseq : {std::uint64_t{0}, ports::kFseqMax + 1}) {
    EXPECT_EQ(told(this->library().open("V1", fseq)), "invalid");
    EXPECT_EQ(told(this->library().begin("V1", fseq)), "invalid");
  }
  EXPECT_EQ(told(this->library().open("V1", ports::kFseqMax)), "not found");
}

class LibraryDirTest : public testing::Test {
 protected:
  LibraryDirTest() { bench.bring("V1"); }
  ports::TapeLibrary& library() { return bench.library(); }
  fs::path at(const std::string& name) const { return bench.at("V1") / name; }
  LibraryDirBench bench;
  testing_support::TempDirectory elsewhere;
};

TEST_F(LibraryDirTest, OnlyDecimalNumbersWithoutLeadingZerosArePlaces) {
  for (const char* name :
       {"07", "7x", "x8", "+9", "-10", " 11", "12 ", "1e3", "0", "99999999999999999999", ".13.new", "9223372036854775808"}) {
    put_file(at(name), "x");
  }
  EXPECT_EQ(library().last_fseq("V1").value(), 0U);
  put_file(at("6"), "x");
  EXPECT_EQ(library().last_fseq("V1").value(), 6U);
}

TEST_F(LibraryDirTest, LinksAreFollowedNowhere) {
  put_file(elsewhere / "1", "secret");
  fs::create_symlink(elsewhere / "1", at("1"));
  fs::create_directory_symlink(elsewhere.path(), bench.at("V2"));
  EXPECT_EQ(read_at(library(), "V1", 1), "conflict");
  EXPECT_EQ(told(library().begin("V1", 1)), "conflict");
  EXPECT_EQ(read_at(library(), "V2", 1), "unavailable");
  EXPECT_EQ(told(library().has("V2")), "unavailable") << "not a tape, and not an absent one either";
  fs::create_symlink(elsewhere / "stolen", at(".2.new"));
  EXPECT_EQ(told(library().begin("V1", 2)), "conflict");
  EXPECT_FALSE(fs::exists(elsewhere / "stolen"));
}

TEST_F(LibraryDirTest, WhatIsNoFileIsNotRead) {
  fs::create_directory(at("1"));
  ASSERT_EQ(mkfifo(at("2").c_str(), 0600), 0);
  EXPECT_EQ(read_at(library(), "V1", 1), "conflict");
  EXPECT_EQ(read_at(library(), "V1", 2), "conflict") << "and nobody waits for a writer";
  EXPECT_EQ(library().last_fseq("V1").value(), 2U) << "their places are taken";
}

TEST_F(LibraryDirTest, WhatADeadWriterLeftIsWrittenOver) {
  put_file(at(".1.new"), std::string(1000, 'x'));
  ASSERT_EQ(told(write_at(library(), "V1", 1, "whole")), "ok");
  EXPECT_EQ(read_at(library(), "V1", 1), "whole");
  EXPECT_FALSE(fs::exists(at(".1.new")));
}

TEST_F(LibraryDirTest, ALibraryThatIsAwayHasNoTapesAndSaysSo) {
  library_dir::LibraryDir gone(elsewhere / "nothing");
  EXPECT_EQ(told(gone.has("V1")), "unavailable");
  EXPECT_EQ(told(gone.open("V1", 1)), "unavailable");
}

TEST_F(LibraryDirTest, ATapeMayBeAMountAndIsNotHeldOpen) {
  if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
  const auto mount = testing_support::Mount::tmpfs(bench.at("V1"));
  ASSERT_EQ(told(write_at(library(), "V1", 1, "on tape")), "ok");
  {
    const auto reader = library().open("V1", 1);
    EXPECT_EQ(read_all(*reader.value()), "on tape");
  }
  EXPECT_EQ(umount2(mount->path().c_str(), 0), 0) << "nothing is open on it";
  EXPECT_EQ(read_at(library(), "V1", 1), "not found");
}

TEST_F(LibraryDirTest, AFullTapeIsSaidToBeFullAndKeepsNothing) {
  if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
  const auto mount = testing_support::Mount::tmpfs(bench.at("V1"));
  EXPECT_EQ(told(write_at(library(), "V1", 1, std::string(std::size_t{2} << 20U, 'x'))), "too large");
  EXPECT_EQ(library().last_fseq("V1").value(), 0U);
  EXPECT_EQ(told(write_at(library(), "V1", 1, "small")), "ok") << "its room is free again";
}

}  // namespace
}  // namespace reclaim
