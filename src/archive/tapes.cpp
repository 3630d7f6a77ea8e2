#include "archive/tapes.hpp"

#include "audit/events.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;

struct TapeRow {
  std::int64_t id = 0;
  std::int64_t change = 0;
  Tape tape;
};

Result<TapeRow> parse_tape(const ports::Row& row) {
  const std::optional<TapeState> state = tape_state_of(row.text(4));
  if (!state) return corrupt("tape " + row.text(1) + " is in a state that this version does not know: " + row.text(4));
  TapeRow parsed{.id = row.integer(0), .change = row.integer(7), .tape = {}};
  parsed.tape.spec = {.vid = Vid(row.text(1)),
                      .pool = PoolName(row.text(2)),
                      .library = LibraryName(row.text(3)),
                      .state = *state,
                      .reason = row.text(5),
                      .full = row.integer(8) != 0};
  parsed.tape.state_since = {row.integer(6)};
  return parsed;
}

template <class Runner>
Result<TapeRow> read_tape(Runner& runner, ports::Statement statement, const Vid& vid) {
  const ports::Rows rows = TRY(runner.run(statement, {vid.str()}));
  if (rows.empty()) return not_found("no tape " + vid.str());
  return parse_tape(rows[0]);
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

Status check_asked(TapeState asked, const std::string& reason) {
  if (const std::optional<TapeState> final_state = once_cleaned(asked)) {
    return invalid("state", std::string(name_of(asked)) + " comes by itself: ask for " + std::string(name_of(*final_state)));
  }
  if (needs_reason(asked) && is_blank(reason)) return invalid("reason", "is required: say why the tape leaves service");
  return done();
}

Status tell(Transaction& transaction, const Context& context, const char* action, const Tape& tape, const std::string& from,
            const std::string& reason) {
  return audit::append_events(
      transaction, context.wall, context.actor,
      {{.action = action, .from = from, .to = std::string(name_of(tape.spec.state)), .reason = reason, .tape = tape.spec.vid.str()}});
}

Result<Tape> change_reason(Transaction& transaction, const Context& context, TapeRow row, const std::string& reason) {
  if (row.tape.spec.reason == reason) return std::move(row.tape);
  row.tape.spec.reason = reason;
  TRY(transaction.run(sql::tape_set_reason, {row.id, reason}));
  TRY(tell(transaction, context, "tape-reason", row.tape, std::string(name_of(row.tape.spec.state)), reason));
  return std::move(row.tape);
}

Result<Tape> change_state(Transaction& transaction, const Context& context, TapeRow row, TapeState state, const std::string& reason) {
  const std::string from(name_of(row.tape.spec.state));
  row.tape.spec.state = state;
  row.tape.spec.reason = state == TapeState::kActive ? "" : reason;
  row.tape.state_since = context.wall;
  TRY(transaction.run(sql::tape_set_state, {row.id, std::string(name_of(state)), row.tape.spec.reason, context.wall.ms}));
  TRY(tell(transaction, context, "tape-state", row.tape, from, reason));
  return std::move(row.tape);
}

}  // namespace

Result<Outcome<Tape>> add_tape(const Context& context, const TapeSpec& spec) {
  TRY(check_asked(spec.state, spec.reason));
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcome<Tape>> {
    const ports::Rows inserted =
        TRY(transaction.run(sql::tape_insert, {spec.vid.str(), spec.pool.str(), spec.library.str(), std::string(name_of(spec.state)),
                                               spec.reason, context.wall.ms, std::int64_t{spec.full}}));
    if (inserted.changed == 0) {
      Result<TapeRow> there = read_tape(transaction, sql::tape_lock, spec.vid);
      if (!there.ok() && there.error().kind == Error::Kind::kNotFound)
        return contended("tape " + spec.vid.str() + " has just been removed");
      Tape tape = TRY(std::move(there)).tape;
      if (tape.spec == spec) return Outcome<Tape>{std::move(tape), false};
      return conflict("tape " + spec.vid.str() + " is there with other content: pool " + tape.spec.pool.str() + ", library " +
                      tape.spec.library.str() + ", " + std::string(name_of(tape.spec.state)));
    }
    Tape tape{.spec = spec, .state_since = context.wall};
    TRY(tell(transaction, context, "tape-added", tape, "", spec.reason));
    return Outcome<Tape>{std::move(tape), true};
  });
}

Result<Tape> find_tape(const Context& context, const Vid& vid) { return TRY(read_tape(context.database, sql::tape_find, vid)).tape; }

Result<std::vector<Tape>> find_tapes(const Context& context, const std::vector<Vid>& vids) {
  wire::Json list = wire::Json::array();
  for (const Vid& vid : vids) list.push_back(vid.str());
  std::vector<Tape> tapes;
  for (const ports::Row& row : TRY(context.database.run(sql::tapes_find, {wire::to_text(list)})))
    tapes.push_back(TRY(parse_tape(row)).tape);
  return tapes;
}

Result<std::vector<Tape>> list_tapes(const Context& context, const std::string& after, std::int64_t limit) {
  std::vector<Tape> tapes;
  for (const ports::Row& row : TRY(context.database.run(sql::tape_list, {after, limit}))) tapes.push_back(TRY(parse_tape(row)).tape);
  return tapes;
}

Result<Tape> ask_tape_state(const Context& context, const Vid& vid, TapeState asked, const std::string& reason) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Tape> {
    TapeRow row = TRY(read_tape(transaction, sql::tape_lock, vid));
    TRY(check_asked(asked, reason));
    const TapeState from = row.tape.spec.state;
    const std::optional<TapeEvent> event = asking_for(asked);
    const std::optional<TapeState> becomes = event ? next(from, *event) : std::nullopt;
    if (!becomes) {
      return conflict("tape " + vid.str() + " is " + std::string(name_of(from)) + " and cannot become " + std::string(name_of(asked)));
    }
    if (*becomes == from) return change_reason(transaction, context, std::move(row), reason);
    return change_state(transaction, context, std::move(row), *becomes, reason);
  });
}

Result<Tape> remove_tape(const Context& context, const Vid& vid, const HasRequests& has_requests) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Tape> {
    TapeRow row = TRY(read_tape(transaction, sql::tape_lock, vid));
    const ports::Rows removed = TRY(transaction.run(sql::tape_delete, {row.id}));
    if (removed.changed == 0) return conflict("tape " + vid.str() + " holds copies of files: move or remove them first");
    if (TRY(has_requests())) return conflict("requests wait on tape " + vid.str());
    TRY(audit::append_events(transaction, context.wall, context.actor,
                             {{.action = "tape-removed", .from = std::string(name_of(row.tape.spec.state)), .tape = vid.str()}}));
    return std::move(row.tape);
  });
}

Result<std::vector<PendingTape>> pending_tapes(const Context& context) {
  wire::Json states = wire::Json::array();
  for (const TapeState state : kTapeStates) {
    if (is_pending(state)) states.push_back(name_of(state));
  }
  std::vector<PendingTape> pending;
  for (const ports::Row& row : TRY(context.database.run(sql::tapes_in_states, {wire::to_text(states)}))) {
    TapeRow found = TRY(parse_tape(row));
    pending.push_back({std::move(found.tape.spec.vid), found.tape.spec.state, std::move(found.tape.spec.reason), found.change});
  }
  return pending;
}

Result<bool> finish_pending(const Context& context, const PendingTape& tape) {
  const std::optional<TapeState> becomes = once_cleaned(tape.state);
  check(becomes.has_value(), "only X_PENDING is finished");
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<bool> {
    const std::string from(name_of(tape.state));
    const std::string to(name_of(*becomes));
    const ports::Rows finished = TRY(transaction.run(sql::tape_finish, {tape.vid.str(), to, context.wall.ms, from, tape.change}));
    if (finished.empty()) return false;
    TRY(audit::append_events(transaction, context.wall, context.actor,
                             {{.action = "tape-state", .from = from, .to = to, .reason = finished[0].text(0), .tape = tape.vid.str()}}));
    return true;
  });
}

}  // namespace reclaim::archive
