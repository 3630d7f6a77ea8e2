#include "sim/coverage.hpp"

#include <execinfo.h>
#include <link.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <utility>

namespace reclaim::sim {
namespace {

// Decorators and the port's own helpers are between a fault and who made the call.
constexpr int kFrames = 14;
using Stack = std::array<void*, kFrames>;

int main_program(dl_phdr_info* info, std::size_t, void* base) {
  *static_cast<std::uintptr_t*>(base) = info->dlpi_addr;
  return 1;
}

class Crossed {
 public:
  Crossed() {
    const char* directory = std::getenv("RECLAIM_CROSSED");
    if (directory != nullptr) path_ = std::string(directory) + "/" + program_invocation_short_name;
  }
  Crossed(const Crossed&) = delete;
  Crossed& operator=(const Crossed&) = delete;
  // A line for each: port, call, and the addresses of the callers as addr2line takes them.
  ~Crossed() {
    if (path_.empty()) return;
    std::uintptr_t base = 0;
    dl_iterate_phdr(main_program, &base);
    std::ofstream file(path_);
    for (const auto& [what, stack] : calls_) {
      file << what << std::hex;
      for (const void* caller : stack) {
        if (caller != nullptr) file << ' ' << reinterpret_cast<std::uintptr_t>(caller) - base;
      }
      file << '\n';
    }
  }

  void note(std::string what) {
    if (path_.empty()) return;
    Stack stack{};
    (void)backtrace(stack.data(), kFrames);
    calls_.emplace(std::move(what), stack);
  }

 private:
  std::string path_;
  std::set<std::pair<std::string, Stack>> calls_;
};

}  // namespace

void note_crossing(std::string_view port, std::string_view call) {
  static Crossed crossed;
  crossed.note(std::string(port) + ' ' + std::string(call));
}

}  // namespace reclaim::sim
