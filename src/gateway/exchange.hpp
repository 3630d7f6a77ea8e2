// One exec command, from its first byte in to its exit status: a state machine that knows nothing of SSH.
//
// The owner feeds what the client sends, hands each question of next_ask() to the door, feeds the answers back in the order in which
// the door gives them, and writes `out` and `err` until `exit_status` is all that is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/control_door.hpp"

namespace reclaim::gateway {

enum class Command { kSync, kFollow, kHeartbeat, kLand, kRetire, kStatus };
std::optional<Command> parse_command(std::string_view text);
inline constexpr std::string_view kKnownCommands = "sync, sync --follow, heartbeat, land, retire, status";

inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitTemporary = 3;

// Bytes on their way out, and how many of them are gone.
class Outbox {
 public:
  void add(std::string_view bytes) { bytes_.append(bytes); }
  std::string_view rest() const { return std::string_view(bytes_).substr(sent_); }
  bool empty() const { return sent_ == bytes_.size(); }
  void sent(std::size_t count);

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
};

// A question to the door: a frame, or one of the small calls.
struct Ask {
  std::uint64_t number = 0;
  std::optional<ports::WorkerCall> call;
  std::string frame;
  bool may_be_short = false;  // a frame of a standing channel, which may leave out what an earlier one said
};

class Exchange {
 public:
  Exchange(Command command, std::size_t frame_bytes_max) : command_(command), frame_bytes_max_(frame_bytes_max) {}

  Command command() const { return command_; }
  void feed(std::string_view bytes);
  void feed_end();
  // The next question, if there is one and the one before has been passed on: frames reach the door in the order they came in.
  std::optional<Ask> next_ask();
  void passed_on() { passing_ = false; }
  void answered(std::uint64_t number, Result<std::string> answer);
  // Ends the exchange: the problem on stderr and no further input.
  void fail(const Error& error);

  // Frames wait that cannot be asked yet; the owner stops reading until they can.
  bool is_full() const { return !frames_.empty(); }
  bool is_waiting_for_door() const { return !unanswered_.empty(); }
  std::size_t held_bytes() const { return held_bytes_; }

  Outbox out;
  Outbox err;
  std::optional<int> exit_status;

 private:
  void split(std::string_view bytes);
  void finish_follow();
  Ask ask(std::string frame);

  const Command command_;
  const std::size_t frame_bytes_max_;
  std::string input_;               // of the frame that is coming in
  std::deque<std::string> frames_;  // whole, not asked yet
  std::map<std::uint64_t, std::size_t> unanswered_;
  std::size_t held_bytes_ = 0;  // input_, frames_ and unanswered_ together
  std::uint64_t asked_ = 0;
  bool passing_ = false;
  bool ended_ = false;
};

}  // namespace reclaim::gateway
