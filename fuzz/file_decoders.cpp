// Files that people write, and that a backup is of.
#include "decoders.hpp"

#include "apps/backup_files.hpp"
#include "base/check.hpp"
#include "runtime/config.hpp"

namespace reclaim::fuzz {
namespace {

void config(std::string_view bytes) {
  using enum runtime::ConfigType;
  static const std::vector<runtime::ConfigKey> known = {
      {"text", kText},       {"texts", kTexts},       {"integer", kInteger},      {"number", kNumber},
      {"boolean", kBoolean}, {"duration", kDuration}, {"never", kDurationOrNever}};
  const auto parsed = runtime::parse_config(bytes, "fuzz.toml", known);
  if (!parsed.ok()) return;
  for (const runtime::ConfigEntry& entry : parsed.value()) check(!entry.values.empty() || entry.key == "texts", "a key has a value");
}

void manifest(std::string_view bytes) {
  const auto parsed = apps::decode_manifest(bytes);
  if (!parsed.ok()) return;
  const std::string written = apps::encode(parsed.value());
  const auto again = apps::decode_manifest(written);
  check(again.ok() && apps::encode(again.value()) == written, "a manifest can be written and read again");
}

std::vector<std::string> configs() {
  return {"text = \"a\"\ntexts = [\"a\", 'b']\ninteger = 0x1f\nnumber = 1.5e3\nboolean = true\nduration = \"10s\"\nnever = \"never\"\n",
          "[table]\na = 1979-05-27T07:32:00Z\n", "text = \"\"\"\na\n\"\"\"\n"};
}
std::vector<std::string> manifests() {
  return {R"({"format":1,"created":"2026-01-01T00:00:00.000Z","lineage":"l","files":[)"
          R"({"name":"database.sqlite","bytes":4096,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},)"
          R"({"name":"store.mdb","bytes":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]})"};
}

const Known kKnown{{"config", config, configs}, {"manifest", manifest, manifests}};

}  // namespace

}  // namespace reclaim::fuzz
