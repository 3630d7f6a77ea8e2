// Tapes that a drive leaves alone for a while, because what it wanted of them could not be had: without it the one whose requests are the
// oldest would be mounted again and again, and no other would have its turn.
//
// Who may call: the drive's thread. It is kept in memory alone: whoever starts anew tries everything once more.
#pragma once

#include <cstdint>
#include <map>

#include "archive/names.hpp"

namespace reclaim::drive {

class Resting {
 public:
  // By the wall clock; one that was set back ends every rest.
  bool rests(const archive::Vid& vid, std::int64_t now_ms) const;
  // For a second; every time again before end() for twice as long, a minute at most.
  void begin(const archive::Vid& vid, std::int64_t now_ms);
  void end(const archive::Vid& vid) { rests_.erase(vid); }

 private:
  struct Rest {
    std::int64_t begun_ms = 0;
    std::int64_t length_ms = 0;
  };
  std::map<archive::Vid, Rest> rests_;
};

}  // namespace reclaim::drive
