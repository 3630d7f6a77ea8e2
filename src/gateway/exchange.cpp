#include "gateway/exchange.hpp"

#include "wire/sync.hpp"

namespace reclaim::gateway {
namespace {

// A worker has one sync held and the next that ends it; more than these wait unread.
constexpr std::size_t kUnansweredMax = 4;
constexpr std::size_t kUnwrittenBytesMax = std::size_t{1} << 20;

std::optional<ports::WorkerCall> call_of(Command command) {
  switch (command) {
    case Command::kHeartbeat: return ports::WorkerCall::kHeartbeat;
    case Command::kLand: return ports::WorkerCall::kLand;
    case Command::kRetire: return ports::WorkerCall::kRetire;
    case Command::kStatus: return ports::WorkerCall::kStatus;
    case Command::kSync:
    case Command::kFollow: return std::nullopt;
  }
  return std::nullopt;
}

bool is_temporary(const Error& error) { return error.kind == Error::Kind::kUnavailable || error.kind == Error::Kind::kContended; }

}  // namespace

std::optional<Command> parse_command(std::string_view text) {
  if (text == "sync") return Command::kSync;
  if (text == "sync --follow") return Command::kFollow;
  if (text == "heartbeat") return Command::kHeartbeat;
  if (text == "land") return Command::kLand;
  if (text == "retire") return Command::kRetire;
  if (text == "status") return Command::kStatus;
  return std::nullopt;
}

void Outbox::sent(std::size_t count) {
  sent_ += count;
  if (!empty()) return;
  std::string().swap(bytes_);
  sent_ = 0;
}

void Exchange::feed(std::string_view bytes) {
  if (exit_status || ended_ || call_of(command_)) return;
  split(bytes);
  if (input_.size() > frame_bytes_max_) fail(too_large("a frame is at most " + std::to_string(frame_bytes_max_) + " bytes"));
}

void Exchange::split(std::string_view bytes) {
  held_bytes_ += bytes.size();
  for (auto end = bytes.find('\n'); command_ == Command::kFollow && end != std::string_view::npos; end = bytes.find('\n')) {
    input_.append(bytes.substr(0, end));
    if (input_.size() > frame_bytes_max_) return;
    held_bytes_ -= 1;
    frames_.push_back(std::move(input_));
    input_ = {};
    bytes.remove_prefix(end + 1);
  }
  input_.append(bytes);
}

void Exchange::feed_end() {
  ended_ = true;
  if (command_ == Command::kFollow) finish_follow();
}

// Half a frame is told last, so that the answers to the whole ones before it are not lost.
void Exchange::finish_follow() {
  if (exit_status || !ended_ || !frames_.empty() || !unanswered_.empty()) return;
  if (input_.empty()) {
    exit_status = kExitDone;
  } else {
    fail(unparsable("the input ended in the middle of a frame; every frame ends with a newline"));
  }
}

std::optional<Ask> Exchange::next_ask() {
  if (exit_status || passing_) return std::nullopt;
  if (command_ == Command::kFollow) {
    if (frames_.empty() || unanswered_.size() >= kUnansweredMax || out.rest().size() > kUnwrittenBytesMax) return std::nullopt;
    std::string frame = std::move(frames_.front());
    frames_.pop_front();
    return ask(std::move(frame));
  }
  if (asked_ > 0 || (command_ == Command::kSync && !ended_)) return std::nullopt;
  return ask(std::move(input_));
}

Ask Exchange::ask(std::string frame) {
  unanswered_.emplace(++asked_, frame.size());
  passing_ = true;
  return {asked_, call_of(command_), std::move(frame), command_ == Command::kFollow};
}

void Exchange::answered(std::uint64_t number, Result<std::string> answer) {
  const auto found = unanswered_.find(number);
  if (found == unanswered_.end()) return;
  held_bytes_ -= found->second;
  unanswered_.erase(found);
  if (exit_status) return;
  const bool goes_on = command_ == Command::kFollow;
  if (!answer.ok() && (!goes_on || answer.error().kind == Error::Kind::kUnauthenticated)) return fail(answer.error());
  out.add(answer.ok() ? answer.value() : wire::to_problem(answer.error()));
  out.add("\n");
  if (goes_on) {
    finish_follow();
  } else {
    exit_status = kExitDone;
  }
}

void Exchange::fail(const Error& error) {
  if (exit_status) return;
  err.add(wire::to_problem(error) + "\n");
  exit_status = is_temporary(error) ? kExitTemporary : kExitRefused;
  input_ = {};
  frames_.clear();
  unanswered_.clear();
  held_bytes_ = 0;
}

}  // namespace reclaim::gateway
