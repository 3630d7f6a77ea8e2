// What is in the store, kind by kind: names, versions and sizes, for people who look into it beside whoever writes.
//
// It reads every object, a few at a time, and holds no moment still: what comes or goes meanwhile may be on the list or not.
// Who may call: any thread. Errors: kUnavailable, when the store does not answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// Every kind of object that this Reclaim makes.
inline constexpr std::string_view kStoreKinds[] = {"root", "agent", "beat", "queue", "segment", "index", "mount", "damaged"};

struct ListedObject {
  ports::ObjectName name;
  ports::Version version;
  std::size_t size = 0;
  std::string unreadable = {};  // why, where the store cannot read what it keeps; then nothing but the name is known
};

// By name.
Result<std::vector<ListedObject>> list_objects(ports::ObjectStore& store, const std::string& kind);

}  // namespace reclaim::archive
