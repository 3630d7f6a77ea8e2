// Every decoder of foreign bytes, under one name each: what comes over the network, lies in stores and files, or is typed.
//
// decode() takes any bytes and returns. What must never be ends the process: a value that was accepted and cannot be written and read
// again, or is not what it was read from; and whatever a sanitizer says.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace reclaim::fuzz {

struct Decoder {
  std::string_view name = {};  // and of its corpus, fuzz/corpus/NAME
  void (*decode)(std::string_view bytes) = nullptr;
  // Where a search begins, beside the corpus.
  std::vector<std::string> (*seeds)() = nullptr;
};

// Those that are linked into this program, by name.
std::vector<Decoder> all_decoders();

// Each file makes its own known while the program starts.
struct Known {
  Known(std::initializer_list<Decoder> decoders);
};

}  // namespace reclaim::fuzz
