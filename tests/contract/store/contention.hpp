// One object that many count up, each by reading it and replacing it at the version read.
#pragma once

#include <string>

#include "ports/object_store.hpp"

namespace reclaim::test {

inline const ports::ObjectName kCounter{"counter", "one"};

// Adds `times` to the object's number. False when the store answers anything but success and conflict.
inline bool count_up(ports::ObjectStore& store, int times) {
  while (times > 0) {
    const Result<ports::Object> now = store.read(kCounter);
    if (!now.ok()) return false;
    const Result<ports::Version> next = store.replace(kCounter, now.value().version, std::to_string(std::stoi(now.value().bytes) + 1));
    if (next.ok()) --times;
    if (!next.ok() && next.error().kind != Error::Kind::kConflict) return false;
  }
  return true;
}

}  // namespace reclaim::test
