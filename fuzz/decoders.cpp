#include "decoders.hpp"

#include <algorithm>

namespace reclaim::fuzz {
namespace {

std::vector<Decoder>& known() {
  static std::vector<Decoder> decoders;
  return decoders;
}

}  // namespace

Known::Known(std::initializer_list<Decoder> decoders) { known().insert(known().end(), decoders); }

std::vector<Decoder> all_decoders() {
  std::vector<Decoder> all = known();
  std::ranges::sort(all, {}, &Decoder::name);
  return all;
}

}  // namespace reclaim::fuzz
