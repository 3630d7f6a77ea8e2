#include "http/archive_codec.hpp"

namespace reclaim::http {

Answered encode(const archive::Tape& tape, const TapeInStore& in_store) {
  Answered json;
  json["vid"] = tape.spec.vid.str();
  json["state"] = archive::name_of(tape.spec.state);
  json["reason"] = tape.spec.reason;
  json["state_since"] = to_rfc3339(tape.state_since);
  json["pool"] = tape.spec.pool.str();
  json["library"] = tape.spec.library.str();
  json["full"] = tape.spec.full;
  json["requests"] = in_store.requests ? Answered(*in_store.requests) : Answered();
  json["mounted_by"] = in_store.mounted_by ? Answered(*in_store.mounted_by) : Answered();
  return json;
}

Answered encode(const archive::File& file) {
  Answered json;
  json["id"] = file.spec.id.str();
  json["size"] = file.spec.size;
  json["checksum"] = file.spec.checksum;
  json["copies"] = Answered::array();
  for (const archive::Copy& copy : file.spec.copies) json["copies"].push_back({{"vid", copy.vid.str()}, {"fseq", copy.fseq}});
  json["created"] = to_rfc3339(file.created);
  return json;
}

Answered encode(const archive::Policy& policy) {
  Answered json;
  json["name"] = policy.name.str();
  json["priority"] = policy.priority;
  json["min_age_s"] = policy.min_age_s;
  json["min_files"] = policy.min_files;
  json["min_bytes"] = policy.min_bytes;
  return json;
}

archive::Context archive_context_of(const ApiParts& parts, const Request& request) { return parts.archive.context(request.caller.actor()); }

}  // namespace reclaim::http
