// One bench per maker of libraries and buffers: a way to put things there behind the port's back, and to see what is really left.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "adapters/buffer_dir/buffer_dir.hpp"
#include "adapters/buffer_memory/memory_buffer.hpp"
#include "adapters/library_dir/library_dir.hpp"
#include "adapters/library_memory/memory_library.hpp"
#include "base/adler32.hpp"
#include "support/temp_directory.hpp"

namespace reclaim {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string checksum_of(std::string_view bytes) {
  Adler32 sum;
  sum.add(bytes);
  return sum.text();
}

class LibraryBench {
 public:
  virtual ~LibraryBench() = default;
  virtual ports::TapeLibrary& library() = 0;
  virtual void bring(const std::string& vid) = 0;
  virtual void take_away(const std::string& vid) = 0;
  virtual void put(const std::string& vid, std::uint64_t fseq, const std::string& bytes) = 0;
};

class LibraryDirBench : public LibraryBench {
 public:
  ports::TapeLibrary& library() override { return library_; }
  void bring(const std::string& vid) override { std::filesystem::create_directory(at(vid)); }
  void take_away(const std::string& vid) override { std::filesystem::rename(at(vid), at("away." + vid)); }
  void put(const std::string& vid, std::uint64_t fseq, const std::string& bytes) override {
    put_file(at(vid) / std::to_string(fseq), bytes);
  }
  std::filesystem::path at(const std::string& vid) const { return directory_.path() / vid; }

 private:
  testing_support::TempDirectory directory_{testing_support::TempDirectory::in_memory()};
  library_dir::LibraryDir library_{directory_.path()};
};

class LibraryMemoryBench : public LibraryBench {
 public:
  ports::TapeLibrary& library() override { return library_; }
  void bring(const std::string& vid) override { library_.bring(vid); }
  void take_away(const std::string& vid) override { library_.take_away(vid); }
  void put(const std::string& vid, std::uint64_t fseq, const std::string& bytes) override { library_.put(vid, fseq, bytes); }

 private:
  library_memory::MemoryLibrary library_;
};

class BufferBench {
 public:
  virtual ~BufferBench() = default;
  virtual ports::DiskBuffer& buffer() = 0;
  virtual void put(const std::string& path, const std::string& bytes) = 0;
  // By destination.
  virtual std::map<std::string, std::string> files() = 0;
  virtual std::size_t unfinished() = 0;
};

class BufferDirBench : public BufferBench {
 public:
  explicit BufferDirBench(const std::filesystem::path& root = {}) : root_(root.empty() ? directory_.path() : root) {
    buffer_ = buffer_dir::BufferDir::open(root_).value();
  }
  ports::DiskBuffer& buffer() override { return *buffer_; }
  void put(const std::string& path, const std::string& bytes) override { put_file(root_ / path, bytes); }
  std::map<std::string, std::string> files() override {
    std::map<std::string, std::string> files;
    for (auto entry = std::filesystem::recursive_directory_iterator(root_); entry != std::filesystem::recursive_directory_iterator();
         ++entry) {
      const bool is_drives = entry->path().filename() == ".drives";
      if (is_drives) entry.disable_recursion_pending();
      if (!is_drives && entry->is_regular_file()) files[std::filesystem::relative(entry->path(), root_)] = content_of(entry->path());
    }
    return files;
  }
  std::size_t unfinished() override {
    const auto entries = std::filesystem::directory_iterator(root_ / ".drives");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
  const std::filesystem::path& root() const { return root_; }

 private:
  testing_support::TempDirectory directory_{testing_support::TempDirectory::in_memory()};
  std::filesystem::path root_;
  std::unique_ptr<buffer_dir::BufferDir> buffer_;
};

class BufferMemoryBench : public BufferBench {
 public:
  ports::DiskBuffer& buffer() override { return buffer_; }
  void put(const std::string& path, const std::string& bytes) override { buffer_.put(path, bytes); }
  std::map<std::string, std::string> files() override { return buffer_.files(); }
  std::size_t unfinished() override { return buffer_.unfinished(); }

 private:
  buffer_memory::MemoryBuffer buffer_;
};

inline ports::Delivery delivery_of(const std::string& destination, std::string_view bytes, std::uint64_t epoch = 7) {
  return {
      .writer = "D1", .epoch = epoch, .request = "3-1-2", .destination = destination, .size = bytes.size(), .checksum = checksum_of(bytes)};
}

inline Status go_on() { return done(); }

// All of it at once.
inline Status deliver(ports::DiskBuffer& buffer, const ports::Delivery& delivery, std::string_view bytes) {
  const std::unique_ptr<ports::DeliveryFile> file = TRY(buffer.begin(delivery, go_on));
  if (file == nullptr) return done();
  TRY(file->append(bytes));
  return file->finish(go_on);
}

// What it came to: ok, or the kind of its error.
template <class Outcome>
std::string told(const Outcome& outcome) {
  if (outcome.ok()) return "ok";
  switch (outcome.error().kind) {
    case Error::Kind::kNotFound: return "not found";
    case Error::Kind::kConflict: return "conflict";
    case Error::Kind::kFenced: return "fenced";
    case Error::Kind::kContended: return "contended";
    case Error::Kind::kUnavailable: return "unavailable";
    case Error::Kind::kCorrupt: return "corrupt";
    case Error::Kind::kInvalid: return "invalid";
    case Error::Kind::kUnparsable: return "unparsable";
    case Error::Kind::kTooLarge: return "too large";
    case Error::Kind::kForbidden: return "forbidden";
    case Error::Kind::kUnauthenticated: return "unauthenticated";
  }
  return "";
}

}  // namespace reclaim
