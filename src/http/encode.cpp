#include "http/encode.hpp"

namespace reclaim::http {
namespace {

Answered or_null(const std::string& text) { return text.empty() ? Answered() : Answered(text); }
Answered or_null(const std::optional<WallTime>& at) { return at ? Answered(to_rfc3339(*at)) : Answered(); }
Answered or_null(const std::optional<std::int64_t>& number) { return number ? Answered(*number) : Answered(); }
Answered seconds(Millis length) { return length.count() / 1000; }
Answered seconds_or_null(const std::optional<Millis>& length) { return length ? seconds(*length) : Answered(); }

std::string_view state_of(const fleet::Owner& owner) {
  if (owner.live) return owner.released ? "kept" : "live";
  return owner.released && owner.release_reason == "released" ? "released" : "expired";
}

}  // namespace

Answered encode(const fleet::Worker& worker) {
  Answered json;
  json["name"] = worker.name.str();
  json["state"] = name_of(worker.state);
  json["since"] = to_rfc3339(worker.since);
  json["incarnation"] = or_null(worker.incarnation);
  json["ephemeral"] = worker.ephemeral;
  json["tags"] = worker.tags;
  json["keys"] = worker.keys;
  json["existing"] = name_of(worker.existing);
  json["containers"] = worker.containers;
  json["volumes"] = worker.volumes;
  json["destroying"] = worker.destroying;
  json["oldest_destroying_s"] = seconds_or_null(worker.oldest_destroying);
  json["missing"] = worker.missing;
  json["unknown"] = worker.unknown;
  json["held"] = worker.held;
  json["malformed"] = worker.malformed;
  json["last_sync_age_s"] = seconds_or_null(worker.last_sync_age);
  json["braked"] = or_null(worker.braked);
  json["frozen"] = or_null(worker.frozen);
  json["holds"] = Answered::array();
  for (const fleet::Hold& hold : worker.holds) json["holds"].push_back({{"what", name_of(hold.what)}, {"reason", hold.reason}});
  json["unlisted"] = Answered::array();
  for (const auto& unlisted : worker.unlisted) json["unlisted"].push_back({{"kind", unlisted.kind}, {"error", unlisted.error}});
  json["disk"] = nullptr;
  if (worker.disk) json["disk"] = {{"total_bytes", worker.disk->total_bytes}, {"used_bytes", worker.disk->used_bytes}};
  return json;
}

Answered encode(const fleet::Lineage& lineage) {
  Answered json;
  json["lineage"] = lineage.id;
  json["replaces"] = lineage.replaces;
  json["regressed_workers"] = Answered::array();
  for (const fleet::RegressedWorker& worker : lineage.regressed) {
    Answered item;
    item["worker"] = worker.worker.str();
    item["since"] = to_rfc3339(worker.since);
    item["reason"] = worker.reason;
    item["lineage"] = or_null(worker.lineage);
    item["unknown"] = {{"containers", worker.unknown.containers}, {"volumes", worker.unknown.volumes}};
    item["names"] = worker.unknown_names;
    json["regressed_workers"].push_back(std::move(item));
  }
  return json;
}

Answered encode(const fleet::Owner& owner, WallTime now) {
  const bool kept = owner.live && owner.released;
  Answered json;
  json["id"] = owner.spec.id.str();
  json["kind"] = owner.spec.kind;
  json["state"] = state_of(owner);
  json["ttl_s"] = seconds_or_null(owner.spec.ttl);
  json["expires_in_s"] = seconds_or_null(owner.expires_in);
  json["interruptible"] = owner.spec.interruptible;
  json["labels"] = owner.spec.labels;
  json["created"] = to_rfc3339(owner.created);
  json["released_at"] = or_null(owner.released);
  json["keep_until"] = kept && owner.expires_in ? Answered(to_rfc3339(now + *owner.expires_in)) : Answered();
  json["resources"] = owner.resources;
  return json;
}

Answered encode(const fleet::Resource& resource) {
  Answered json;
  json["worker"] = resource.name.worker.str();
  json["kind"] = name_of(resource.name.kind);
  json["handle"] = resource.name.handle.str();
  json["state"] = name_of(resource.state);
  json["since"] = to_rfc3339(resource.since);
  json["reason"] = or_null(resource.reason);
  json["owner"] = or_null(resource.owner);
  json["container"] = or_null(resource.container);
  json["parent"] = or_null(resource.parent);
  json["missing_since"] = or_null(resource.missing_since);
  json["pinned"] = resource.pinned;
  json["pin_reason"] = resource.pinned ? or_null(resource.pin_reason) : Answered();
  json["in_hand"] = resource.in_hand;
  json["in_hand_s"] = seconds_or_null(resource.in_hand_for);
  json["stuck"] = resource.stuck;
  json["attempts"] = resource.attempts + (resource.stuck ? 1 : 0);  // the one that does not end is one of them
  json["last_error"] = or_null(resource.last_error);
  json["bytes"] = or_null(resource.bytes);
  return json;
}

Answered encode(const fleet::Explanation& explanation) {
  Answered json;
  json["verdict"] = explanation.verdict;
  json["rule"] = explanation.rule;
  json["because"] = explanation.because;
  json["blocked_by"] = explanation.blocked_by;
  json["earliest"] = or_null(explanation.earliest);
  json["last_error"] = or_null(explanation.last_error);
  return json;
}

Answered encode(const audit::RecordedEvent& recorded) {
  const audit::Event& event = recorded.event;
  Answered json;
  json["seq"] = recorded.seq;
  json["at"] = to_rfc3339(recorded.at);
  json["actor"] = recorded.actor;
  json["action"] = event.action;
  const auto put = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  put("worker", event.worker);
  put("kind", event.kind ? std::string(name_of(*event.kind)) : "");
  put("handle", event.handle);
  put("owner", event.owner);
  put("tape", event.tape);
  put("file", event.file);
  put("policy", event.policy);
  put("drive", event.drive);
  put("from", event.from);
  put("to", event.to);
  put("reason", event.reason);
  return json;
}

Answered encode(const server::PassOutcome& outcome) {
  Answered json;
  json["pass"] = outcome.pass;
  json["changed"] = outcome.report.changed;
  json["more"] = outcome.report.more;
  json["failures"] = outcome.report.failures;
  json["error"] = or_null(outcome.error);
  return json;
}

Answered encode(const server::Token& token) {
  Answered json;
  json["id"] = token.id;
  json["role"] = name_of(token.role);
  json["name"] = token.name;
  json["created"] = to_rfc3339(token.created);
  return json;
}

std::string to_text(const Answered& json) { return json.dump(-1, ' ', false, Answered::error_handler_t::replace); }

}  // namespace reclaim::http
