#include "agents/records.hpp"

#include <limits>

#include "base/ids.hpp"
#include "stored/envelope.hpp"

namespace reclaim::agents {
namespace {

constexpr std::uint16_t kFormat = 1;  // of the messages of this room

Error unfit(const ports::ObjectName& name, const std::string& how) { return corrupt("object " + name.str() + ": " + how); }

template <class Message>
Result<Message> open_as(const ports::ObjectName& name, std::string_view bytes) {
  Message message;
  TRY(reclaim::stored::open(name.str(), kFormat, bytes, message));
  return message;
}

Status check_owned(const ports::ObjectName& name, const stored::Agent& agent) {
  if (agent.owned_size() > static_cast<int>(kOwnedMax)) {
    return unfit(name, "it owns " + std::to_string(agent.owned_size()) + " objects, the most is " + std::to_string(kOwnedMax));
  }
  ports::ObjectName last;
  for (const std::string& text : agent.owned()) {
    Result<ports::ObjectName> owned = ports::parse_object_name(text);
    if (!owned.ok()) return unfit(name, "it owns something whose name is none");
    if (owned.value() <= last) return unfit(name, "its list does not ascend at " + text);
    last = std::move(owned).value();
  }
  return done();
}

}  // namespace

ports::ObjectName root_name() { return {"root", "root"}; }

Result<stored::Root> decode_root(std::string_view bytes) {
  stored::Root root = TRY(open_as<stored::Root>(root_name(), bytes));
  if (root.store_format() == 0) return unfit(root_name(), "it names no format of the store");
  if (root.store_format() > kStoreFormat) {
    return unfit(root_name(), "the store has format " + std::to_string(root.store_format()) + ", this Reclaim knows up to " +
                                  std::to_string(kStoreFormat) + ": use the newer one");
  }
  if (root.next_epoch() == 0 || root.next_epoch() == std::numeric_limits<std::uint64_t>::max()) {
    return unfit(root_name(), "its next epoch is none");
  }
  return root;
}

Result<stored::Agent> decode_agent(const AgentId& id, std::string_view bytes) {
  const ports::ObjectName name = id.object();
  stored::Agent agent = TRY(open_as<stored::Agent>(name, bytes));
  if (!is_well_formed_name(agent.kind())) return unfit(name, "its kind is not well formed");
  if (!agent.collector().empty()) {
    const Result<AgentId> collector = parse_agent(agent.collector());
    if (!collector.ok()) return unfit(name, "its collector is no agent");
    if (collector.value() == id) return unfit(name, "it is its own collector");
  }
  TRY(check_owned(name, agent));
  return agent;
}

Result<stored::Beat> decode_beat(const AgentId& id, std::string_view bytes) {
  stored::Beat beat = TRY(open_as<stored::Beat>(id.beat(), bytes));
  if (beat.limit_ms() > static_cast<std::uint64_t>(kStepMax.count())) return unfit(id.beat(), "its limit is longer than a step may take");
  return beat;
}

std::string encode(const stored::Root& root) { return reclaim::stored::seal(root_name().str(), kFormat, root); }
std::string encode(const AgentId& id, const stored::Agent& agent) { return reclaim::stored::seal(id.str(), kFormat, agent); }
std::string encode(const AgentId& id, const stored::Beat& beat) { return reclaim::stored::seal(id.beat().str(), kFormat, beat); }

std::vector<ports::ObjectName> owned_by(const stored::Agent& agent) {
  std::vector<ports::ObjectName> names;
  names.reserve(static_cast<std::size_t>(agent.owned_size()));
  for (const std::string& text : agent.owned()) names.push_back(ports::parse_object_name(text).value());
  return names;
}

Result<std::vector<ports::ObjectName>> owned_names(const ports::ObjectName& object, std::string_view bytes) {
  const AgentId id = TRY(parse_agent(object.str()));
  return owned_by(TRY(decode_agent(id, bytes)));
}

}  // namespace reclaim::agents
