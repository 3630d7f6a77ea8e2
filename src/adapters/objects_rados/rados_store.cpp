#include "adapters/objects_rados/rados_store.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/objects_rados/flight.hpp"
#include "adapters/objects_rados/listing.hpp"
#include "adapters/objects_rados/page.hpp"
#include "adapters/objects_rados/pool.hpp"

namespace reclaim::objects_rados {
namespace {

using ports::Object;
using ports::ObjectName;
using ports::StoreAnswer;
using ports::StoreCall;
using ports::Version;

constexpr std::size_t kInFlight = 64;  // calls of one batch
// An OSD knows the last 3000 writes of a placement group again when they are sent again. Nobody writes as many to one in this time.
constexpr Millis kSureOfRefusal{2000};

// The store itself is an object in its namespace. Each kind has a namespace of its own, NAMESPACE/KIND: no store can be named so.
const ObjectName kStamp{"", "store"};
constexpr std::string_view kStampMark = "RCLMOBJS ";
constexpr int kFormat = 1;

std::string version_text(const StoreCall& call) { return std::to_string(call.version.number); }

class RadosStore : public ports::ObjectStore {
 public:
  RadosStore(std::unique_ptr<Pool> pool, const RadosOptions& options, const Clock& clock)
      : pool_(std::move(pool)), name_space_(options.name_space), clock_(clock) {}

  // The format, of a store that has one; a namespace without one gets it.
  Status prepare(bool create);

  std::vector<StoreAnswer> run(std::span<const StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

 private:
  // A call of a batch: either refused before it was sent, or on its way since.
  struct Sent {
    Status refused;
    Instant since;
    std::unique_ptr<Flight> flight = {};
  };
  using Doors = std::map<std::string, Door>;

  Result<Door> open(const std::string& kind) { return pool_->open(kind.empty() ? name_space_ : name_space_ + '/' + kind); }
  StoreAnswer alone(const StoreCall& call);
  Sent send(const StoreCall& call, Doors& doors);
  StoreAnswer receive(const StoreCall& call, Sent& sent, bool& lost);
  StoreAnswer judge(const StoreCall& call, int code, Millis took);

  const std::unique_ptr<Pool> pool_;
  const std::string name_space_;
  const Clock& clock_;
};

StoreAnswer success(const StoreCall& call, Flight& flight) {
  if (call.op == StoreCall::Op::kRemove) return Object{};
  if (flight.size() > ports::kObjectBytesMax) return corrupt(call.name.str() + " has more bytes than any object of Reclaim");
  return Object{flight.bytes(), Version{flight.version()}};
}

// What the guard said, if it was the guard.
Status refusal(const StoreCall& call, int code) {
  const std::string name = call.name.str();
  if (code == -ENOENT) return not_found("there is no " + name);
  if (code == -EEXIST && call.op == StoreCall::Op::kCreate) return conflict(name + " exists");
  const bool is_guarded = call.op == StoreCall::Op::kReplace || call.op == StoreCall::Op::kRemove;
  // EINVAL: RADOS does not compare with version 0, which no object has.
  const bool is_version = code == -ERANGE || code == -EOVERFLOW || (code == -EINVAL && call.version.number == 0);
  if (is_guarded && is_version) return conflict(name + " is not at version " + version_text(call));
  return done();
}

StoreAnswer RadosStore::judge(const StoreCall& call, int code, Millis took) {
  if (code == -EFBIG || code == -EMSGSIZE) return too_large(call.name.str() + " is larger than the cluster's own limits allow");
  const Status refused = refusal(call, code);
  if (refused.ok()) return error_of(code);
  if (code == -ENOENT && pool_->is_deleted()) return unavailable("the pool was deleted");
  if (call.op == StoreCall::Op::kRead || took < kSureOfRefusal) return refused.error();
  return unavailable(refused.error().message + ", but the answer took " + std::to_string(took.count()) + " ms and may be the second");
}

RadosStore::Sent RadosStore::send(const StoreCall& call, Doors& doors) {
  Sent sent{.refused = ports::check_call(call), .since = clock_.now()};
  if (!sent.refused.ok()) return sent;
  auto door = doors.find(call.name.kind);
  if (door == doors.end()) {
    Result<Door> opened = open(call.name.kind);
    if (!opened.ok()) return {.refused = opened.error(), .since = {}};
    door = doors.emplace(call.name.kind, std::move(opened).value()).first;
  }
  sent.flight = std::make_unique<Flight>(door->second.get(), call);
  return sent;
}

StoreAnswer RadosStore::receive(const StoreCall& call, Sent& sent, bool& lost) {
  if (!sent.flight) return sent.refused.error();
  const int code = sent.flight->wait();
  if (code == -ETIMEDOUT) lost = true;
  return code == 0 ? success(call, *sent.flight) : judge(call, code, clock_.now() - sent.since);
}

std::vector<StoreAnswer> RadosStore::run(std::span<const StoreCall> calls) {
  if (const Status whole = ports::check_batch(calls); !whole.ok()) return std::vector<StoreAnswer>(calls.size(), whole.error());
  std::vector<StoreAnswer> answers;
  answers.reserve(calls.size());
  Doors doors;
  std::deque<Sent> sent;  // the calls from answers.size() on
  bool lost = false;
  while (answers.size() < calls.size()) {
    while (!lost && sent.size() < kInFlight && answers.size() + sent.size() < calls.size()) {
      sent.push_back(send(calls[answers.size() + sent.size()], doors));
    }
    if (sent.empty()) {
      answers.emplace_back(unavailable("not sent: the cluster did not answer in time"));
      continue;
    }
    answers.push_back(receive(calls[answers.size()], sent.front(), lost));
    sent.pop_front();
  }
  return answers;
}

Result<std::vector<std::string>> RadosStore::list(const std::string& kind, const std::string& after, std::size_t limit) {
  TRY(ports::check_list(kind, after));
  if (limit == 0) return std::vector<std::string>{};
  const Door door = TRY(open(kind));
  Page page(after, std::min(limit, ports::kStoreListMax));
  const int code = for_each_name(door.get(), [&](std::string_view name) {
    ObjectName found{kind, std::string(name)};
    if (ports::is_well_formed(found)) page.add(std::move(found.key));  // what others put there has no place in the port
  });
  if (code != 0) return pool_->is_deleted() ? unavailable("the pool was deleted") : error_of(code);
  return page.take();
}

StoreAnswer RadosStore::alone(const StoreCall& call) {
  const Door door = TRY(open(call.name.kind));
  const Instant since = clock_.now();
  Flight flight(door.get(), call);
  const int code = flight.wait();
  return code == 0 ? success(call, flight) : judge(call, code, clock_.now() - since);
}

Status judge_stamp(const std::string& bytes) {
  if (bytes == std::string(kStampMark) + std::to_string(kFormat)) return done();
  if (!bytes.starts_with(kStampMark)) return corrupt("is no object store of Reclaim: it holds something else");
  return invalid("", "was written by a newer program: its format is " + bytes.substr(kStampMark.size(), 10) + ", this one knows " +
                         std::to_string(kFormat));
}

Status RadosStore::prepare(bool create) {
  StoreAnswer stamp = alone(ports::read_call(kStamp));
  if (!stamp.ok() && stamp.error().kind == Error::Kind::kNotFound && create) {
    const StoreAnswer created = alone(ports::create_call(kStamp, std::string(kStampMark) + std::to_string(kFormat)));
    if (created.ok()) return done();
    if (created.error().kind != Error::Kind::kConflict) return created.error();
    stamp = alone(ports::read_call(kStamp));
  }
  if (!stamp.ok() && stamp.error().kind == Error::Kind::kNotFound)
    return not_found("there is no store: a server makes it when it first starts");
  return judge_stamp(TRY(std::move(stamp)).bytes);
}

Result<std::unique_ptr<ports::ObjectStore>> open_all(const RadosOptions& options, const Clock& clock) {
  auto store = std::make_unique<RadosStore>(TRY(Pool::connect(options)), options, clock);
  TRY(store->prepare(options.create));
  return std::unique_ptr<ports::ObjectStore>(std::move(store));
}

}  // namespace

Result<std::unique_ptr<ports::ObjectStore>> open_rados(const RadosOptions& options, const Clock& clock) {
  Result<std::unique_ptr<ports::ObjectStore>> opened = open_all(options, clock);
  if (opened.ok()) return opened;
  Error error = opened.error();
  error.message = "rados://" + options.pool + '/' + options.name_space + ": " + error.message;
  return error;
}

}  // namespace reclaim::objects_rados
