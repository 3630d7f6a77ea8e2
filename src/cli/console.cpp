#include "cli/console.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace reclaim::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

int terminal_width() {
  winsize size{};
  const bool known = isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 100;
}

// The end of the wait, or the end of whoever reads what we write.
bool wait_while_read(Millis duration) {
  pollfd reader{STDOUT_FILENO, 0, 0};
  return ::poll(&reader, 1, static_cast<int>(duration.count())) == 0;
}

}  // namespace

Console system_console() {
  const char* no_colour = std::getenv("NO_COLOR");
  const bool has_colour = isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
  return {std::cout, std::cerr, terminal_width(), has_colour, isatty(STDERR_FILENO) != 0, wait_while_read};
}

void complain(Console& console, std::string_view text) { console.err << "reclaim: " << printable(text) << std::endl; }

void Progress::clear() {
  if (is_shown_) console_.err << kClearLine << std::flush;
  is_shown_ = false;
}

void Progress::say(std::string_view text) {
  if (!console_.is_live) return;
  console_.err << kClearLine << printable(text) << std::flush;
  is_shown_ = true;
}

}  // namespace reclaim::cli
