#include "archive/quarantine.hpp"

#include "archive/objects.hpp"
#include "stored/envelope.hpp"

namespace reclaim::archive {

// One that is there already is of somebody who did not come to the removal, or of bytes that read otherwise then.
Status keep_aside(ports::ObjectStore& store, const DamagedId& id, const ports::Object& object, const std::string& why) {
  if (reclaim::stored::is_newer(former_name(id).str(), kObjectsFormat, object.bytes)) return corrupt("left to a newer Reclaim: " + why);
  stored::Damaged damaged;
  damaged.set_reason(why);
  damaged.set_content(object.bytes);
  const ports::ObjectName name = damaged_name(id);
  const std::string bytes = encode(id, damaged);
  const Result<ports::Version> created = store.create(name, bytes);
  if (created.ok()) return done();
  if (created.error().kind != Error::Kind::kConflict) return created.error();
  const ports::Object there = TRY(store.read(name));
  if (there.bytes != bytes) TRY(store.replace(name, there.version, bytes));
  return done();
}

Status quarantine(ports::ObjectStore& store, const SegmentId& id, const ports::Object& object, const std::string& why) {
  TRY(keep_aside(store, id, object, why));
  Status removed = store.remove(object_name(id), object.version);
  if (!removed.ok() && removed.error().kind == Error::Kind::kNotFound) return done();
  return removed;
}

}  // namespace reclaim::archive
