// What somebody asks for, as a request: the file and its copies as the catalogue knows them, and whether it may be asked for at all.
//
// Who may call: any thread. Nothing is written: what is admitted exists when it is in a queue (enqueue.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/context.hpp"
#include "archive/ledger.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"

namespace reclaim::archive {

struct Submission {
  FileId file;
  std::string destination;
  std::string report_to = {};
  std::string requester = {};
  std::int64_t priority = 0;  // larger first
  std::optional<PolicyName> policy = {};
};

// Each by itself, in their order, in a number of statements that does not grow with theirs; the ordinal and the active copy are open.
// kInvalid with the field: no such file or policy, a destination that leaves the buffer, ...; kConflict: the file has no copy. The whole
// fails only if the database does.
Result<std::vector<Result<stored::Request>>> admit(const Context& context, std::span<const Submission> submissions, std::int64_t now_ms);

// Once the requests are in a queue, in one transaction: puts them on record for the ledger, and says which of these files are not there
// (any more). Whoever removes one at this moment is waited for, so that afterwards either he has found the request, or this finds the file
// gone.
Result<std::set<std::string>> book_requests(const Context& context, const Origins& highest, const std::set<std::string>& files);

}  // namespace reclaim::archive
