#include "drive/transfer.hpp"

#include <algorithm>
#include <vector>

namespace reclaim::drive {
namespace {

constexpr std::size_t kChunk = std::size_t{4} << 20U;

// So that ports end what they do when the process is to stop.
constexpr Error::Kind kStopping = Error::Kind::kContended;

// Whom an error of the buffer concerns (ports/disk_buffer.hpp).
Came came_of_buffer(const Error& error) {
  switch (error.kind) {
    case Error::Kind::kCorrupt: return Came::kCopyFailed;
    case Error::Kind::kConflict:
    case Error::Kind::kInvalid:
    case Error::Kind::kForbidden: return Came::kRequestFailed;
    case Error::Kind::kFenced: return Came::kFenced;
    case kStopping: return Came::kStopped;
    case Error::Kind::kNotFound:
    case Error::Kind::kUnavailable:
    case Error::Kind::kUnparsable:
    case Error::Kind::kTooLarge:
    case Error::Kind::kUnauthenticated: return Came::kBufferFailed;
  }
  return Came::kBufferFailed;
}

Try of_buffer(const Error& error) { return {came_of_buffer(error), error.message}; }

// A tape that is gone fails no request.
Try of_tape(Drive& drive, const archive::Vid& vid, const Error& error) {
  const Result<bool> is_there = drive.library.has(vid.str());
  const bool is_away = !is_there.ok() || !is_there.value();
  return {is_away ? Came::kTapeAway : Came::kCopyFailed, error.message};
}

Try copy(Drive& drive, const archive::Vid& vid, const archive::RequestId& id, const archive::stored::Request& request,
         std::uint64_t& bytes) {
  const ports::Tick tick = [&drive] {
    drive.hand.progress(kChunkStep);
    if (drive.is_stopping()) return Status(Error{kStopping, "the drive is stopping"});
    return drive.hand.check();
  };
  const auto begun = drive.buffer.begin({.writer = drive.name.str(),
                                         .epoch = drive.hand.id().epoch,
                                         .request = archive::text_of(id),
                                         .destination = request.destination(),
                                         .size = request.size(),
                                         .checksum = request.checksum()},
                                        tick);
  if (!begun.ok()) return of_buffer(begun.error());
  if (begun.value() == nullptr) return {};
  drive.hand.progress(kLocateStep);
  const std::uint64_t fseq = archive::active_copy(request)->fseq();
  const auto tape = drive.library.open(vid.str(), fseq);
  if (!tape.ok()) return of_tape(drive, vid, tape.error());
  std::vector<char> chunk(std::min<std::size_t>(kChunk, request.size() + 1));
  for (;;) {
    const Status may_go_on = tick();
    if (!may_go_on.ok()) return of_buffer(may_go_on.error());
    const Result<std::size_t> got = tape.value()->read(chunk);
    if (!got.ok()) return of_tape(drive, vid, got.error());
    if (got.value() == 0) break;
    const Status appended = begun.value()->append({chunk.data(), got.value()});
    if (!appended.ok()) return of_buffer(appended.error());
    bytes += got.value();
  }
  const Status finished = begun.value()->finish(tick);
  return finished.ok() ? Try{} : of_buffer(finished.error());
}

}  // namespace

std::string_view name_of(Came came) {
  switch (came) {
    case Came::kDelivered: return "delivered";
    case Came::kCopyFailed: return "copy_failed";
    case Came::kRequestFailed: return "request_failed";
    case Came::kTapeAway: return "tape_away";
    case Came::kBufferFailed: return "buffer_failed";
    case Came::kStopped: return "stopped";
    case Came::kFenced: return "fenced";
  }
  return "";
}

Try transfer(Drive& drive, const archive::Vid& vid, const archive::RequestId& id, const archive::stored::Request& request) {
  std::uint64_t bytes = 0;
  Try tried = copy(drive, vid, id, request, bytes);
  tried.bytes = bytes;
  return tried;
}

}  // namespace reclaim::drive
