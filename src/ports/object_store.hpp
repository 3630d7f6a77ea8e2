// The object store, as the archive plane sees it: named objects with versions, and no transaction over two of them.
//
// Every write is guarded: `create` fails where the name is taken, `replace` and `remove` where the version is not the one named. There
// is no unconditional write and no lock, so nothing can be held too long and a writer that comes back from the dead is simply refused.
//
// What callers may rely on
//  * A version is never used twice for a name, not even after remove and create. Versions of one name grow; of two names they say nothing.
//  * A read sees every write that was answered before the read began, by whichever process.
//  * The calls of one batch are independent: they take effect in any order, each alone, others in between. Each has its own answer. A
//    name occurs at most once in a batch. An adapter may do better and do them together; nobody counts on it.
//  * A write that was answered is still there after a crash of every process and a power cut.
//  * `list` names every object that was there from its beginning to its end; of those that came or went meanwhile it may name any. So
//    do pages that go on where the last one ended, and no name is on two of them.
//
// Errors, by call
//   create   kConflict: the name is taken
//   read     kNotFound
//   replace  kNotFound: nothing of that name; kConflict: another version
//   remove   the same
//   any      kUnavailable: it may or may not have happened; kTooLarge: over a limit below, nothing happened; kInvalid:
//            a name that is not well formed, nothing happened; kCorrupt: what the store itself keeps beside the bytes cannot be read
//
// Who may call: any thread. A crash between two calls leaves the first done and the second not; between the calls of a batch, any
// subset done.
// (The shape is that of conditional writes in object stores: RADOS compound operations, S3 If-Match; Weil et al., "RADOS", PDSW 2007.)
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace reclaim::ports {

inline constexpr std::size_t kObjectBytesMax = std::size_t{16} << 20U;
inline constexpr std::size_t kStoreBatchMax = 1000;                         // calls in one batch
inline constexpr std::size_t kStoreBatchBytesMax = std::size_t{64} << 20U;  // of all their bytes
inline constexpr std::size_t kStoreListMax = 10'000;                        // names in one answer
inline constexpr std::size_t kObjectKindMax = 16;
inline constexpr std::size_t kObjectKeyMax = 200;

// `kind/key`: a kind is [a-z]{1,16}, a key [A-Za-z0-9][A-Za-z0-9._@-]{0,199}. Listing is by kind.
struct ObjectName {
  std::string kind;
  std::string key;

  std::string str() const { return kind + '/' + key; }
  auto operator<=>(const ObjectName&) const = default;
};

bool is_well_formed(const ObjectName& name);
Result<ObjectName> parse_object_name(std::string_view text);  // kInvalid

// Opaque but for equality and order within one name. No object ever has version 0.
struct Version {
  std::uint64_t number = 0;
  auto operator<=>(const Version&) const = default;
};

struct Object {
  std::string bytes;
  Version version;
};

struct StoreCall {
  enum class Op { kCreate, kRead, kReplace, kRemove };
  Op op;
  ObjectName name;
  Version version = {};    // kReplace, kRemove: the one that must be there
  std::string bytes = {};  // kCreate, kReplace
};

std::string_view name_of(StoreCall::Op op);  // `create`

StoreCall create_call(ObjectName name, std::string bytes);
StoreCall read_call(ObjectName name);
StoreCall replace_call(ObjectName name, Version version, std::string bytes);
StoreCall remove_call(ObjectName name, Version version);

// kRead: bytes and version; kCreate, kReplace: the new version, no bytes; kRemove: version 0.
using StoreAnswer = Result<Object>;

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // One answer for each call, in the calls' order. Calls that break a limit or are not well formed are answered so (kTooLarge,
  // kInvalid) and the others go on. A batch over kStoreBatchMax or kStoreBatchBytesMax is answered kTooLarge throughout and does
  // nothing; one that names an object twice, kInvalid.
  virtual std::vector<StoreAnswer> run(std::span<const StoreCall> calls) = 0;
  // Keys of that kind, ascending by bytes, after `after` (empty: from the first; it need not be there), at most `limit` and at most
  // kStoreListMax. Fewer: there are no more. kInvalid: no such kind or key can be.
  virtual Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) = 0;

  Result<Version> create(ObjectName name, std::string bytes);
  Result<Object> read(ObjectName name);
  Result<Version> replace(ObjectName name, Version version, std::string bytes);
  Status remove(ObjectName name, Version version);
  // All keys of a kind, ascending, page by page.
  Result<std::vector<std::string>> list_all(const std::string& kind);

 private:
  StoreAnswer run_one(StoreCall call);
};

// What every adapter asks before it does anything: ok, or the answer that the call gets.
Status check_call(const StoreCall& call);
// The batch as a whole; kTooLarge, or kInvalid where a name occurs twice.
Status check_batch(std::span<const StoreCall> calls);
Status check_list(const std::string& kind, const std::string& after);
// What is there decides: ok, or the answer that the call gets. `present` is the version of the object of that name, if there is one.
Status check_guard(const StoreCall& call, std::optional<Version> present);

}  // namespace reclaim::ports
