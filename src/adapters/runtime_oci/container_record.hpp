// What a runtime wrote about one of its containers: state.json of runc, status and config.json of crun. Read by us only to learn what
// is left to clean where the runtime itself cannot any more.
//
// What callers may rely on
//  * is_whole says that the file is what the runtime writes. Of a damaged file it gives what can still be read: a number that was
//    cut short is not among it.
//  * `init` is a process only if its birth is recorded too: a bare number proves nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/system/processes.hpp"
#include "base/result.hpp"

namespace reclaim::runtime_oci {

enum class Dialect { kRunc, kCrun };

struct ContainerRecord {
  bool is_whole = false;
  std::optional<system::ProcessId> init = {};
  std::vector<std::string> cgroups = {};  // paths as in adapters/system/cgroups.hpp, without repetitions
};

// `root` is the runtime's. A container without any of these files has an empty record. An error: they cannot be read at all now.
Result<ContainerRecord> read_record(int root, const std::string& id, Dialect dialect);

// Notes on the state directory itself, as an extended attribute, what is about to be destroyed. A runtime that dies in the middle of its
// delete leaves a directory without state: a successor then knows whose processes to look for, and need not guess. The note goes with the
// directory. A filesystem or a user that cannot keep one: then there is none.
void note_record(int root, const std::string& id, const ContainerRecord& record);
// Nothing where there is no note. It is never whole.
ContainerRecord noted_record(int root, const std::string& id);

// What a text says although it may be damaged anywhere. For read_record, and for tests.
ContainerRecord parse_record(std::string_view text, Dialect dialect);

}  // namespace reclaim::runtime_oci
