// The one exchange between a worker and the control plane, as values, with its JSON form (docs/openapi.yaml: Sync).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace reclaim::wire {

inline constexpr std::int64_t kNumberMax = 9007199254740991;  // what every JSON reader keeps exact
inline constexpr std::size_t kHandlesMax = 1'000'000;         // of one kind in one sync
inline constexpr std::size_t kResultsMax = 10'000;
inline constexpr std::size_t kInHandMax = 10'000;
inline constexpr std::int64_t kWaitMaxMs = 60'000;

template <class T>
struct PerKind {
  T containers{};
  T volumes{};
  T& operator[](ResourceKind kind) { return kind == ResourceKind::kContainer ? containers : volumes; }
  const T& operator[](ResourceKind kind) const { return kind == ResourceKind::kContainer ? containers : volumes; }
  bool operator==(const PerKind&) const = default;
};

// A full inventory (`base` empty, `added` is all there is) or a delta on the acknowledged inventory of sequence `base`.
struct Inventory {
  std::optional<std::int64_t> base;
  std::vector<std::string> added;    // as found; the server sets malformed names aside
  std::vector<std::string> removed;  // empty for a full inventory
  std::int64_t count = 0;            // of a delta: well-formed handles present after it
  SetDigest digest;                  // of a delta: over the same set
  bool operator==(const Inventory&) const = default;
};

struct DestroyResult {
  ResourceKind kind = ResourceKind::kContainer;
  std::string handle;
  bool succeeded = false;
  std::string error;
  std::int64_t attempt = 1;
  bool stuck = false;                        // past its deadline and still in hand
  std::optional<std::int64_t> took_ms = {};  // from its start to its end, on the worker
  bool operator==(const DestroyResult&) const = default;
};

struct Malformed {
  ResourceKind kind = ResourceKind::kContainer;
  std::string name;
  bool operator==(const Malformed&) const = default;
};

// A kind that was left out of the sync, and why: its list failed, or a root of it is not fit to be listed.
struct Unlisted {
  ResourceKind kind = ResourceKind::kContainer;
  std::string error;
  bool operator==(const Unlisted&) const = default;
};

// The last answer that the worker received at all, in any session.
struct Answered {
  std::string lineage;
  std::string session;
  std::int64_t sequence = 0;
  bool operator==(const Answered&) const = default;
};

struct Disk {
  std::int64_t total_bytes = 0;
  std::int64_t used_bytes = 0;
  bool operator==(const Disk&) const = default;
};

struct SyncRequest {
  std::string session;
  std::string incarnation;
  std::int64_t started = 0;
  std::int64_t sequence = 0;
  std::int64_t as_of = 0;
  std::optional<Answered> answered;
  PerKind<std::optional<Inventory>> inventories;
  std::vector<Malformed> malformed;
  std::vector<Unlisted> unlisted;
  std::vector<DestroyResult> results;
  PerKind<std::vector<std::string>> in_hand;
  std::optional<Disk> disk;
  std::int64_t wait_ms = 0;
  bool same = false;                     // nothing new since the last acknowledged inventories
  std::string boot;                      // the machine's boot id; empty: not told
  bool accepts_new_incarnation = false;  // the worker's operator has agreed to an incarnation that nobody has seen yet
  bool operator==(const SyncRequest&) const = default;
};

struct SyncAnswer {
  std::int64_t sequence = 0;
  std::string lineage;
  std::vector<std::string> replaces;
  std::int64_t high_water = 0;
  PerKind<std::vector<std::string>> destroy;
  std::vector<ResourceKind> resync;
  std::int64_t next_sync_ms = 0;
  bool operator==(const SyncAnswer&) const = default;
};

// `same` frames of a standing channel leave out session, incarnation and started; `standing` supplies them from the channel's last
// full frame. Without one they are required.
struct Standing {
  std::string session;
  std::string incarnation;
  std::int64_t started = 0;
};

Result<SyncRequest> parse_sync_request(std::string_view text, const Standing* standing = nullptr);
Result<SyncAnswer> parse_sync_answer(std::string_view text);
std::string to_json(const SyncRequest& request);
std::string to_json(const SyncAnswer& answer);

// RFC 9457. `to_problem` is the one place where an error becomes a body; `parse_problem` reads one back for clients.
std::string to_problem(const Error& error);
int status_of(const Error& error);
Error parse_problem(int status, std::string_view body);

}  // namespace reclaim::wire
