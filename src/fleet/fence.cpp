#include "fleet/fence.hpp"

#include <algorithm>

namespace reclaim::fleet {
namespace {

using Verdict = std::variant<Admission, Refusal>;

Verdict refuse(Refusal::Kind kind, std::string message) { return Refusal{kind, std::move(message)}; }

Verdict admit_incarnation(const WorkerRow& worker, const Remembered& remembered, const wire::SyncRequest& request) {
  if (request.incarnation == worker.accepted_incarnation) return Admission::kNewIncarnation;
  const std::string how = ": `reclaim workers accept " + worker.name + " --what incarnation` takes it";
  if (remembered.incarnation_was_here) {
    return refuse(Refusal::Kind::kSuperseded, "this incarnation was superseded by incarnation " + worker.incarnation + how);
  }
  if (request.accepts_new_incarnation) return Admission::kNewIncarnation;
  return refuse(Refusal::Kind::kHeldIncarnation, "worker " + worker.name + " is known under incarnation " + worker.incarnation +
                                                     "; this one (a wiped or another disk) is held" + how);
}

Verdict admit_session(const WorkerRow& worker, const Remembered& remembered, const wire::SyncRequest& request) {
  const bool is_current = request.session == worker.session;
  if (is_current && (request.started != worker.started || request.incarnation != worker.incarnation)) {
    return refuse(Refusal::Kind::kSuperseded, "a session keeps its incarnation and its start counter");
  }
  if (is_current && request.sequence <= worker.sequence) {
    return refuse(Refusal::Kind::kSequence,
                  "sequence " + std::to_string(request.sequence) + " is not above " + std::to_string(worker.sequence));
  }
  if (is_current) return Admission::kSameSession;
  if (remembered.session_was_here) return refuse(Refusal::Kind::kSuperseded, "superseded by a later session of this worker");
  const bool has_synced = !worker.session.empty();
  if (request.incarnation != worker.incarnation) {
    return has_synced ? admit_incarnation(worker, remembered, request) : Verdict(Admission::kNewSession);
  }
  if (worker.session_accepted || request.started > worker.started) return Admission::kNewSession;
  return refuse(Refusal::Kind::kSuperseded,
                std::string(request.started < worker.started ? "superseded by a later start of this worker"
                                                             : "superseded: another session has this start counter") +
                    ". If this is the one that shall live: `reclaim workers accept " + worker.name + " --what session`");
}

bool begins_anew(const wire::SyncRequest& request) {
  return request.as_of == 0 && !request.same && std::ranges::none_of(kResourceKinds, [&request](ResourceKind kind) {
           return request.inventories[kind] && request.inventories[kind]->base;
         });
}

std::optional<Refusal> check_memory(const WorkerRow& worker, const Remembered& remembered, const wire::SyncRequest& request) {
  const auto forgotten = [](const std::string& what) {
    return Refusal{Refusal::Kind::kRegressed,
                   what + ": this control plane has forgotten something (a restored backup?), see `reclaim lineage show`"};
  };
  if (request.answered && !remembered.answered_is_replaced) {
    const wire::Answered& answered = *request.answered;
    if (answered.lineage != remembered.lineage) return forgotten("the worker was last answered under lineage " + answered.lineage);
    const bool is_current = !worker.session.empty() && answered.session == worker.session;
    const std::optional<std::int64_t> known = is_current ? worker.sequence : remembered.answered_sequence;
    if (!known) return forgotten("the worker was last answered in session " + answered.session + ", which is not known here");
    if (*known < answered.sequence) {
      return forgotten("the worker was answered to sync " + std::to_string(answered.sequence) + ", known here is " +
                       std::to_string(*known));
    }
  }
  const bool has_synced = !worker.session.empty();
  if (has_synced && !worker.anew && !remembered.answered_is_replaced && request.as_of > worker.change) {
    return forgotten("as_of " + std::to_string(request.as_of) + " quotes an answer that was never given here");
  }
  if ((worker.anew || remembered.answered_is_replaced) && !begins_anew(request)) {
    return Refusal{Refusal::Kind::kBeginAnew, "the lineage was replaced: begin anew, with full inventories and as_of 0"};
  }
  return std::nullopt;
}

std::string_view fence_of(Refusal::Kind kind) {
  switch (kind) {
    case Refusal::Kind::kSequence: return "sequence";
    case Refusal::Kind::kSuperseded: return "session";
    case Refusal::Kind::kHeldIncarnation:  // like a lost lineage: destroy nothing, keep syncing
    case Refusal::Kind::kRegressed:
    case Refusal::Kind::kBeginAnew: return "lineage";
  }
  check(false, "unknown refusal");
  return "";
}

}  // namespace

Error to_error(const Refusal& refusal) { return fenced(refusal.message, std::string(fence_of(refusal.kind))); }

std::variant<Admission, Refusal> admit(const WorkerRow& worker, const Remembered& remembered, const wire::SyncRequest& request) {
  Verdict verdict = admit_session(worker, remembered, request);
  if (std::holds_alternative<Refusal>(verdict)) return verdict;
  if (std::optional<Refusal> refusal = check_memory(worker, remembered, request)) return *std::move(refusal);
  return verdict;
}

}  // namespace reclaim::fleet
