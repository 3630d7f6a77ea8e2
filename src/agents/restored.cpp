#include "agents/restored.hpp"

#include <string>
#include <vector>

#include "agents/agent_id.hpp"
#include "agents/epochs.hpp"

namespace reclaim::agents {
namespace {

// Whatever is in it: a beat that cannot be read is nobody's sign of life.
Status remove_beat(ports::ObjectStore& store, const std::string& key) {
  const ports::ObjectName name{std::string(kBeatKind), key};
  const ports::Object beat = TRY(store.read(name));
  return store.remove(name, beat.version);
}

}  // namespace

Status begin_anew(ports::ObjectStore& store, std::uint64_t epoch) {
  TRY(skip_epochs(store, epoch));
  for (const std::string& key : TRY(store.list_all(std::string(kBeatKind)))) TRY(remove_beat(store, key));
  return done();
}

}  // namespace reclaim::agents
