#include "archive/drives.hpp"

#include "audit/events.hpp"
#include "ports/statements.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;

Result<Drive> parse_drive(const ports::Row& row) {
  const std::optional<Desired> desired = desired_of(row.text(1));
  if (!desired) return corrupt("drive " + row.text(0) + " is desired to be what this version does not know: " + row.text(1));
  return Drive{.name = DriveName(row.text(0)), .desired = *desired, .reason = row.text(2), .since = {row.integer(3)}};
}

template <class Runner>
Result<Drive> read_drive(Runner& runner, ports::Statement statement, const DriveName& name) {
  const ports::Rows rows = TRY(runner.run(statement, {name.str()}));
  if (rows.empty()) return not_found("no drive " + name.str() + ": it registers itself when it first starts");
  return parse_drive(rows[0]);
}

ports::Values values_of(const Drive& drive) {
  return {drive.name.str(), std::string(name_of(drive.desired)), drive.reason, drive.since.ms};
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

}  // namespace

std::string_view name_of(Desired desired) { return desired == Desired::kUp ? "up" : "down"; }

std::optional<Desired> desired_of(std::string_view name) {
  if (name == "up") return Desired::kUp;
  return name == "down" ? std::optional(Desired::kDown) : std::nullopt;
}

Result<Outcome<Drive>> register_drive(const Context& context, const DriveName& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcome<Drive>> {
    const Drive drive{.name = name, .desired = Desired::kUp, .since = context.wall};
    if (TRY(transaction.run(sql::drive_insert, values_of(drive))).changed == 0) {
      return Outcome<Drive>{TRY(read_drive(transaction, sql::drive_find, name)), false};
    }
    TRY(audit::append_events(transaction, context.wall, context.actor, {{.action = "drive-registered", .to = "up", .drive = name.str()}}));
    return Outcome<Drive>{drive, true};
  });
}

Result<Drive> find_drive(const Context& context, const DriveName& name) { return read_drive(context.database, sql::drive_find, name); }

Result<std::vector<Drive>> list_drives(const Context& context, const std::string& after, std::int64_t limit) {
  std::vector<Drive> drives;
  for (const ports::Row& row : TRY(context.database.run(sql::drive_list, {after, limit}))) drives.push_back(TRY(parse_drive(row)));
  return drives;
}

Result<Drive> set_drive(const Context& context, const DriveName& name, Desired desired, const std::string& reason) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Drive> {
    Drive before = TRY(read_drive(transaction, sql::drive_lock, name));
    if (desired == Desired::kDown && is_blank(reason)) return invalid("reason", "is required: say why the drive is taken down");
    if (before.desired == desired && before.reason == reason) return before;
    const bool turns = before.desired != desired;
    Drive drive{.name = name, .desired = desired, .reason = reason, .since = turns ? context.wall : before.since};
    TRY(transaction.run(sql::drive_update, values_of(drive)));
    TRY(audit::append_events(transaction, context.wall, context.actor,
                             {{.action = turns ? "drive-state" : "drive-reason",
                               .from = std::string(name_of(before.desired)),
                               .to = std::string(name_of(desired)),
                               .reason = reason,
                               .drive = name.str()}}));
    return drive;
  });
}

}  // namespace reclaim::archive
