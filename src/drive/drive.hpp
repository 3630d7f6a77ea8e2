// What a drive works with.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agents/takeover.hpp"
#include "archive/context.hpp"
#include "archive/drives.hpp"
#include "archive/hand.hpp"
#include "archive/names.hpp"
#include "drive/resting.hpp"
#include "ports/disk_buffer.hpp"
#include "ports/tape_library.hpp"

namespace reclaim::drive {

struct Try;  // transfer.hpp

struct Drive {
  archive::DriveName name;
  archive::Hand& hand;
  agents::Estate& estate;
  std::function<archive::Context()> context;  // as it is at the moment of each call
  ports::TapeLibrary& library;
  ports::DiskBuffer& buffer;
  // What moves the tape, where something does; after unload() nothing of the tape is open. They end within kHookStep.
  std::function<Status(const archive::Vid&)> load;
  std::function<Status(const archive::Vid&)> unload;
  std::function<bool()> is_stopping;
  std::shared_ptr<Resting> resting = std::make_shared<Resting>();  // one for as long as the drive lives
  // Told of every try to copy a file, as soon as it is over; empty: nobody asks.
  std::function<void(const Try&)> told = {};
};

// How long a step may take before this process counts as stuck (agents/heart.hpp).
inline constexpr Millis kHookStep{600'000};
inline constexpr Millis kLocateStep{300'000};
inline constexpr Millis kChunkStep{60'000};
inline constexpr Millis kStoreStep{30'000};

}  // namespace reclaim::drive
