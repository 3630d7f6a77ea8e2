// Requests as people see them: one by its id, a page of all, and whether any names a tape or a file.
//
// Who may call: any thread; it reads only. While requests move, a list may miss one or show it twice; one that is asked for by its id is
// found wherever it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/segments.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

enum class RequestState {
  kQueued,
  kTransferring,  // in somebody's hands, not read yet
  kReporting,     // delivered or failed, and its requester has not heard of it yet
  kFailed,        // final: in the failed queue, or failed and reported
  kDone,          // final
};
inline constexpr RequestState kRequestStates[] = {RequestState::kQueued, RequestState::kTransferring, RequestState::kReporting,
                                                  RequestState::kFailed, RequestState::kDone};
std::string_view name_of(RequestState state);  // queued
constexpr bool is_final(RequestState state) { return state == RequestState::kFailed || state == RequestState::kDone; }

struct ShownRequest {
  RequestId id;
  RequestState state = RequestState::kQueued;
  bool reported = false;  // says something beside a final state only
  stored::Request request;
};
// The request at that place of the segment.
ShownRequest shown(const SegmentAt& at, int place);

// kNotFound: there never was one, or it was cancelled or removed, or it ended and is forgotten. At most four reads and one statement.
Result<ShownRequest> show_request(const Context& context, ports::ObjectStore& store, const RequestId& id);

struct RequestFilter {
  std::optional<Vid> vid = {};  // of the active copy
  std::optional<FileId> file = {};
  std::optional<RequestState> state = {};

  bool takes(const ShownRequest& request) const;
};
struct RequestPage {
  std::vector<ShownRequest> requests;
  std::string next;  // what to go on after; empty: there are no more
};
// First what is in the store, by segment, then what has ended and is not forgotten. `after` is a page's `next`, or empty. A page may have
// fewer than `limit`, also none, and a `next`: it looks at a bounded number of segments. What cannot be read is left out. kInvalid:
// `after`.
Result<RequestPage> list_requests(const Context& context, ports::ObjectStore& store, const RequestFilter& filter, const std::string& after,
                                  std::size_t limit);

// Whether any request names it, as its file or as the tape of any of its copies. Reads all segments there are, a few at a time: for what is
// done seldom. kCorrupt: a segment cannot be read, so nobody can say.
Result<bool> tape_has_requests(ports::ObjectStore& store, const Vid& vid);
Result<bool> file_has_requests(ports::ObjectStore& store, const FileId& file);

}  // namespace reclaim::archive
