// Drives: which there are, and whether their operator wants them to work.
#include "archive/drives.hpp"

#include "archive/mounts.hpp"
#include "http/archive_codec.hpp"
#include "http/routes.hpp"

namespace reclaim::http {
namespace {

constexpr std::size_t kReasonLengthMax = 1024;

using Mounted = std::map<std::string, std::string>;  // VIDs, by drive

// A drive is shown whatever the store does.
Mounted look_at(const ApiParts& parts) {
  Mounted mounted;
  const Result<std::vector<archive::Mount>> mounts = archive::list_mounts(parts.archive.store());
  if (!mounts.ok()) return mounted;
  for (const archive::Mount& mount : mounts.value()) {
    if (mount.problem.empty()) mounted[mount.drive] = mount.vid.str();
  }
  return mounted;
}

Answered encode(const archive::Drive& drive, const Mounted& mounted) {
  const auto tape = mounted.find(drive.name.str());
  Answered json;
  json["name"] = drive.name.str();
  json["desired"] = name_of(drive.desired);
  json["reason"] = drive.reason;
  json["since"] = to_rfc3339(drive.since);
  json["mounted"] = tape == mounted.end() ? Answered() : Answered(tape->second);
  return json;
}

archive::Desired read_desired(wire::ObjectReader& reader) {
  const std::optional<archive::Desired> desired = archive::desired_of(reader.required_text("desired"));
  if (!desired) reader.fail(invalid("desired", "must be up or down"));
  return desired.value_or(archive::Desired::kUp);
}

Result<Reply> set_drive(const ApiParts& parts, const Request& request) {
  const wire::Json body = TRY(body_of(request));
  const archive::DriveName name = TRY(name_in_path<archive::DriveName>(request, "drive"));
  const archive::Context context = archive_context_of(parts, request);
  wire::ObjectReader reader(body, "");
  const archive::Desired desired = read_desired(reader);
  const std::string reason = reader.text("reason", kReasonLengthMax).value_or("");
  const Status fields = reader.finish();
  if (!fields.ok()) {
    TRY(archive::find_drive(context, name));
    return fields.error();
  }
  return reply_with(encode(TRY(archive::set_drive(context, name, desired, reason)), look_at(parts)));
}

Result<Reply> get_drive(const ApiParts& parts, const Request& request) {
  const archive::DriveName name = TRY(name_in_path<archive::DriveName>(request, "drive"));
  TRY(no_query(request));
  return reply_with(encode(TRY(archive::find_drive(archive_context_of(parts, request), name)), look_at(parts)));
}

Result<Reply> list_drives(const ApiParts& parts, const Request& request) {
  QueryReader query(request.call);
  const std::string after = query.text("after").value_or("");
  const std::int64_t limit = query.limit();
  TRY(query.finish());
  const Mounted mounted = look_at(parts);
  return list_reply(
      "drives", TRY(archive::list_drives(archive_context_of(parts, request), after, limit + 1)), limit,
      [&](const archive::Drive& drive) { return encode(drive, mounted); }, [](const archive::Drive& drive) { return drive.name.str(); });
}

}  // namespace

void add_drive_routes(Routes& routes, const ApiParts& parts) {
  const std::string all = "/api/v1/drives";
  const std::string one = all + "/{d}";
  routes.add("GET", all, server::Need::kRead, [&parts](const Request& request) { return list_drives(parts, request); });
  routes.add("GET", one, server::Need::kRead, [&parts](const Request& request) { return get_drive(parts, request); });
  routes.add("PUT", one, server::Need::kAdmin, [&parts](const Request& request) { return set_drive(parts, request); });
}

}  // namespace reclaim::http
