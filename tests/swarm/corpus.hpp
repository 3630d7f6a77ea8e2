// Seeds that once found something, with what they found. A world changes with the code that builds it, so a seed may lose its story; the
// story has a test of its own then.
#pragma once

#include <cstdint>
#include <string_view>

namespace reclaim::test {

struct KeptSeed {
  std::string_view workload;
  std::uint64_t seed;
  std::size_t steps;  // 0: the workload's own
  std::string_view story;
};

inline constexpr KeptSeed kCorpus[] = {
    {"archive", 65, 0,
     "A desk was collected between making a segment and announcing it to a queue that refused it. It could not undo what the collector had "
     "put into a queue by then, and told the submitter that the request was nowhere."},
    {"archive", 20904, 1200,
     "A desk's creation of a segment was answered late, after the desk's collector had queued it and a sweep had split it: taken for a "
     "segment that nobody had seen, it was written once more, and its requests were queued twice."},
};

}  // namespace reclaim::test
