#include "agents/agent.hpp"

#include <utility>

#include "agents/epochs.hpp"
#include "agents/records.hpp"
#include "base/ids.hpp"

namespace reclaim::agents {
namespace {

constexpr int kAttempts = 4;  // of one write: a lost answer and a few rewrites by others

bool may_be_tried_again(const Error& error) { return error.kind == Error::Kind::kConflict || error.kind == Error::Kind::kUnavailable; }

}  // namespace

Agent::Agent(ports::ObjectStore& store, AgentId id, stored::Agent record, ports::Version version, ports::Version beat)
    : store_(store), id_(std::move(id)), heart_(store, id_, beat), record_(std::move(record)), version_(version) {}

// The beat comes first: an agent without one is dead, and that is what a crash between the two leaves. A lost answer is not looked into:
// what it left is a dead agent that owns nothing.
Result<std::unique_ptr<Agent>> Agent::register_as(ports::ObjectStore& store, const std::string& name, const std::string& kind) {
  for (const auto& [field, text] : {std::pair("name", name), std::pair("kind", kind)}) {
    if (!is_well_formed_name(text)) return invalid(field, "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  }
  const std::uint64_t epoch = TRY(draw_epoch(store));
  AgentId id{.name = name, .epoch = epoch};
  stored::Agent record;
  record.set_kind(kind);
  const ports::Version beat = TRY(store.create(id.beat(), encode(id, stored::Beat())));
  const ports::Version version = TRY(store.create(id.object(), encode(id, record)));
  return std::unique_ptr<Agent>(new Agent(store, std::move(id), std::move(record), version, beat));
}

// Always one write that the store accepts, also where the list holds the names already: it proves that nobody has collected this agent,
// so that whoever does it from here on finds the names and rewrites the objects.
Status Agent::own(std::span<const ports::ObjectName> names) {
  TRY(heart_.check());
  std::set<ports::ObjectName> wanted = owned_;
  wanted.insert(names.begin(), names.end());
  if (wanted.size() > kOwnedMax) return too_large(id_.str() + " would own more than " + std::to_string(kOwnedMax) + " objects");
  TRY(write(wanted));
  owned_ = std::move(wanted);
  return done();
}

void Agent::release(std::span<const ports::ObjectName> names) {
  for (const ports::ObjectName& name : names) owned_.erase(name);
}

Status Agent::flush() {
  TRY(heart_.check());
  return is_listed(owned_) ? done() : write(owned_);
}

// A write is tried at the version last known. Whenever it is not certain what became of it, the object says: collected or gone, done
// after all, or to be written again at another version (its own lost write, or a rewrite by an agent that leaves the list as it is).
Status Agent::write(const std::set<ports::ObjectName>& wanted) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!version_) {
      TRY(read_again());
      if (is_listed(wanted)) return done();
    }
    stored::Agent record = record_;
    set_owned(record, wanted);
    const Refusals::Mark sent = heart_.refusals().mark();
    const Result<ports::Version> written = store_.replace(id_.object(), *version_, encode(id_, record));
    if (written.ok()) {
      heart_.refusals().proven(sent);
      version_ = written.value();
      record_ = std::move(record);
      listed_ = wanted;
      return done();
    }
    version_.reset();
    if (written.error().kind == Error::Kind::kNotFound) return fence();
    if (!may_be_tried_again(written.error())) return written.error();
  }
  return given_up();
}

Status Agent::read_again() {
  const Result<ports::Object> object = store_.read(id_.object());
  if (!object.ok()) return object.error().kind == Error::Kind::kNotFound ? fence() : object.error();
  record_ = TRY(decode_agent(id_, object.value().bytes));
  if (!record_.collector().empty()) return fence();
  const std::vector<ports::ObjectName> names = owned_by(record_);
  listed_ = {names.begin(), names.end()};
  version_ = object.value().version;
  return done();
}

Status Agent::leave() {
  TRY(heart_.check());
  if (!owned_.empty()) return conflict(id_.str() + " still owns " + std::to_string(owned_.size()) + " objects");
  TRY(remove());
  heart_.end();
  return done();
}

// Gone already, or collected when it owned nothing: it has left all the same.
Status Agent::remove() {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!version_) {
      const Status read = read_again();
      if (heart_.is_fenced()) return done();
      TRY(read);
    }
    Status removed = store_.remove(id_.object(), *version_);
    if (removed.ok() || removed.error().kind == Error::Kind::kNotFound) return done();
    version_.reset();
    if (!may_be_tried_again(removed.error())) return removed;
  }
  return given_up();
}

Status Agent::fence() {
  heart_.found_collected();
  return heart_.check();
}

Error Agent::given_up() const { return unavailable(id_.str() + " could not be written " + std::to_string(kAttempts) + " times in a row"); }

}  // namespace reclaim::agents
