// libFuzzer's door: $RECLAIM_DECODER names the decoder, $RECLAIM_SEEDS a directory for where it begins. `./dev fuzz` sets both.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "decoders.hpp"

namespace {

reclaim::fuzz::Decoder chosen;

bool choose(std::string_view name) {
  for (const auto& decoder : reclaim::fuzz::all_decoders()) {
    if (decoder.name == name) chosen = decoder;
  }
  return chosen.decode != nullptr;
}

int tell_names() {
  std::fputs("RECLAIM_DECODER names one of:", stderr);
  for (const auto& decoder : reclaim::fuzz::all_decoders()) std::fprintf(stderr, " %s", std::string(decoder.name).c_str());
  std::fputs("\n", stderr);
  return 2;
}

// As files, for a search that begins with them.
void write_seeds(const std::filesystem::path& directory) {
  int number = 0;
  for (const std::string& seed : chosen.seeds()) {
    std::ofstream(directory / ("seed-" + std::to_string(++number)), std::ios::binary) << seed;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("RECLAIM_DECODER");
  if (name == nullptr || !choose(name)) std::exit(tell_names());
  if (const char* directory = std::getenv("RECLAIM_SEEDS")) write_seeds(directory);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  chosen.decode({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
