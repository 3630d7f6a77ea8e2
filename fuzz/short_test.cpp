// Every decoder on its corpus, its seeds, and what chance makes of both. Bytes that end the process stay in a file that the first line
// names. $RECLAIM_FUZZ_RUNS: for each decoder. A search by coverage is `./dev fuzz`.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "decoders.hpp"
#include "mutate.hpp"

namespace reclaim::fuzz {
namespace {

constexpr std::size_t kRuns = 20'000;
constexpr std::size_t kSlowerBy = 16;  // one call of the API is so many of another decoder

// The bytes that are being decoded, for whoever finds this process dead.
class LastWords {
 public:
  explicit LastWords(std::string path) : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (::ftruncate(file_, kSize) != 0) std::abort();
    place_ = static_cast<char*>(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0));
    if (place_ == MAP_FAILED) std::abort();
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords() {
    ::munmap(place_, kSize);
    ::close(file_);
    std::filesystem::remove(path_);
  }

  void say(std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    std::memcpy(place_, &size, sizeof size);
    std::memcpy(place_ + sizeof size, bytes.data(), bytes.size());
  }

 private:
  static constexpr std::size_t kSize = 16 * kBytesMax;
  const std::string path_;
  const int file_;
  char* place_;
};

std::vector<std::string> corpus_of(std::string_view name) {
  std::vector<std::filesystem::path> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(RECLAIM_CORPUS) / name, none))
    paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<std::string> samples;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    samples.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return samples;
}

TEST(Decoders, TakeWhateverComes) {
  const char* given = std::getenv("RECLAIM_FUZZ_RUNS");
  const std::size_t runs = given == nullptr ? kRuns : std::stoul(given);
  const std::string path = testing::TempDir() + "/reclaim-fuzz-" + std::to_string(::getpid());
  LastWords last_words(path);
  std::printf("fuzz: what ends this process is in %s, after its size in 8 bytes\n", path.c_str());
  std::size_t executions = 0;
  std::size_t files = 0;
  const std::vector<Decoder> decoders = all_decoders();
  for (const Decoder& decoder : decoders) {
    std::vector<std::string> samples = corpus_of(decoder.name);
    files += samples.size();
    for (std::string& seed : decoder.seeds()) samples.push_back(std::move(seed));
    const auto decode = [&](std::string_view bytes) {
      last_words.say(bytes);
      decoder.decode(bytes);
      ++executions;
    };
    for (const std::string& sample : samples) decode(sample);
    std::mt19937_64 random(std::hash<std::string_view>()(decoder.name));
    const std::size_t of_this = decoder.name == "api" ? runs / kSlowerBy : runs;
    for (std::size_t i = 0; i < of_this; ++i) decode(mutate(random, samples));
  }
  std::printf("fuzz: %zu decoders, %zu executions, a corpus of %zu files\n", decoders.size(), executions, files);
}

}  // namespace
}  // namespace reclaim::fuzz
