// Where the client's words go. Results on `out`, everything else on `err`, one line each.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/printable.hpp"
#include "base/time.hpp"

namespace reclaim::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  int width = 100;          // of tables, in characters
  bool has_colour = false;  // `out` is a terminal and NO_COLOR is not set
  bool is_live = false;     // `err` is a terminal: lines that come and go may be written to it
  // Waits between two attempts. False: nobody reads `out` any more, so there is no reason to try again.
  std::function<bool(Millis)> pause = [](Millis) { return false; };
};

// Of this process: standard output and error, the terminal's width.
Console system_console();

// `reclaim: text` on `err`, as one line.
void complain(Console& console, std::string_view text);

// What is going on, on a terminal only; gone when it is destroyed.
class Progress {
 public:
  explicit Progress(Console& console) : console_(console) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }
  void say(std::string_view text);
  void clear();

 private:
  Console& console_;
  bool is_shown_ = false;
};

}  // namespace reclaim::cli
