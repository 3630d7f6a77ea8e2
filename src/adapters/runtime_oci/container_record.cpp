#include "adapters/runtime_oci/container_record.hpp"

#include <sys/xattr.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "adapters/system/cgroups.hpp"
#include "adapters/system/files.hpp"
#include "wire/json.hpp"

namespace reclaim::runtime_oci {
namespace {

constexpr std::size_t kStateMax = std::size_t{16} << 20U;

constexpr const char* kNote = "trusted.reclaim.record";  // trusted: only root writes it
constexpr std::size_t kNoteMax = 3072;                   // what every filesystem keeps

struct Words {
  const char* file;
  const char* pid;
  const char* start;
};

constexpr Words words_of(Dialect dialect) {
  return dialect == Dialect::kRunc ? Words{"state.json", "init_process_pid", "init_process_start"}
                                   : Words{"status", "pid", "process-start-time"};
}

// `"key": 123` anywhere in the text, if something follows the digits: the last ones of a text that was cut may not be all.
std::optional<std::uint64_t> find_number(std::string_view text, const std::string& key) {
  std::size_t at = text.find("\"" + key + "\"");
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_not_of(" :\t\n", at + key.size() + 2);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data() + at, text_end, number);
  if (failure != std::errc() || end == text_end) return std::nullopt;
  return number;
}

void add_cgroup(ContainerRecord& record, std::string path) {
  if (!path.empty() && std::ranges::find(record.cgroups, path) == record.cgroups.end()) record.cgroups.push_back(std::move(path));
}

void add_cgroups(ContainerRecord& record, const wire::Json& state, Dialect dialect) {
  if (dialect == Dialect::kCrun) {
    if (state.contains("cgroup-path") && state["cgroup-path"].is_string()) add_cgroup(record, state["cgroup-path"].get<std::string>());
    return;
  }
  if (!state.contains("cgroup_paths") || !state["cgroup_paths"].is_object()) return;
  for (const wire::Json& path : state["cgroup_paths"]) {
    if (path.is_string()) add_cgroup(record, system::cgroup_path_of(path.get<std::string>()));
  }
}

// crun's copy of the container's configuration outlives its status.
void add_configured_cgroup(ContainerRecord& record, std::string_view text) {
  const auto json = wire::parse_json(text);
  if (!json.ok() || !json.value().is_object()) return;
  const wire::Json::json_pointer place("/linux/cgroupsPath");
  if (!json.value().contains(place)) return;
  const wire::Json& path = json.value()[place];
  // systemd's `slice:prefix:name` does not say where it is.
  if (path.is_string() && path.get<std::string>().starts_with('/')) add_cgroup(record, path.get<std::string>());
}

}  // namespace

ContainerRecord parse_record(std::string_view text, Dialect dialect) {
  const Words words = words_of(dialect);
  ContainerRecord record;
  const auto pid = find_number(text, words.pid);
  const auto start = find_number(text, words.start);
  if (pid && start && *pid > 0 && *pid <= INT32_MAX) record.init = system::ProcessId{static_cast<pid_t>(*pid), *start};
  const auto json = wire::parse_json(text);
  if (!json.ok() || !json.value().is_object()) return record;
  record.is_whole = record.init.has_value() || (pid && *pid == 0);
  add_cgroups(record, json.value(), dialect);
  return record;
}

Result<ContainerRecord> read_record(int root, const std::string& id, Dialect dialect) {
  auto directory = system::open_directory_at(root, id);
  if (!directory.ok() && directory.error().kind != Error::Kind::kUnavailable) return ContainerRecord{};
  const system::Fd opened = TRY(std::move(directory));
  const auto text = system::read_file_at(opened.get(), words_of(dialect).file, kStateMax);
  if (!text.ok() && text.error().kind == Error::Kind::kUnavailable) return text.error();
  ContainerRecord record = text.ok() ? parse_record(text.value(), dialect) : ContainerRecord{};
  if (dialect == Dialect::kRunc || record.is_whole) return record;
  const auto configuration = system::read_file_at(opened.get(), "config.json", kStateMax);
  if (configuration.ok()) add_configured_cgroup(record, configuration.value());
  return record;
}

void note_record(int root, const std::string& id, const ContainerRecord& record) {
  const auto directory = system::open_directory_at(root, id);
  if (!directory.ok()) return;
  wire::Json note{{"cgroups", record.cgroups}};
  if (record.init) note.update({{"pid", record.init->pid}, {"start", record.init->start}});
  const std::string text = wire::to_text(note);
  if (text.size() <= kNoteMax) (void)fsetxattr(directory.value().get(), kNote, text.data(), text.size(), 0);
}

ContainerRecord noted_record(int root, const std::string& id) {
  ContainerRecord record;
  const auto directory = system::open_directory_at(root, id);
  if (!directory.ok()) return record;
  std::string text(kNoteMax, '\0');
  const ssize_t size = fgetxattr(directory.value().get(), kNote, text.data(), text.size());
  if (size < 0) return record;
  text.resize(static_cast<std::size_t>(size));
  const auto json = wire::parse_json(text);
  if (!json.ok() || !json.value().is_object()) return record;
  wire::ObjectReader reader(json.value(), "note");
  const auto pid = reader.integer("pid", 1, INT32_MAX);
  const auto start = reader.integer("start", 0, INT64_MAX);
  std::vector<std::string> cgroups = reader.texts("cgroups", kNoteMax);
  if (!reader.finish().ok()) return record;
  if (pid && start) record.init = system::ProcessId{static_cast<pid_t>(*pid), static_cast<std::uint64_t>(*start)};
  record.cgroups = std::move(cgroups);
  return record;
}

}  // namespace reclaim::runtime_oci
