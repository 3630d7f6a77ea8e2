#include "runtime/config.hpp"

#include <gtest/gtest.h>

namespace reclaim::runtime {
namespace {

const std::vector<ConfigKey> kKeys = {{"listen", ConfigType::kText},
                                      {"volumes", ConfigType::kTexts},
                                      {"brake-min", ConfigType::kInteger},
                                      {"brake-fraction", ConfigType::kNumber},
                                      {"observe", ConfigType::kBoolean},
                                      {"sync-interval", ConfigType::kDuration},
                                      {"collector-interval", ConfigType::kDurationOrNever}};

std::string read(std::string_view text) {
  auto entries = parse_config(text, "r.toml", kKeys);
  if (!entries.ok()) return entries.error().message;
  std::string shown;
  for (const ConfigEntry& entry : entries.value()) {
    shown += entry.where + " " + entry.key;
    for (const std::string& value : entry.values) shown += " " + value;
    shown += "; ";
  }
  return shown;
}

TEST(Config, KeysAreFlagsInTheOrderOfTheirLines) {
  EXPECT_EQ(read("volumes = ['dir:/a', 'dir:/b']\nlisten = '127.0.0.1:1'\nbrake-min = 20\nbrake-fraction = 0.5\nobserve = true\n"
                 "sync-interval = '1h30m'\ncollector-interval = 'never'\n"),
            "r.toml:1 volumes dir:/a dir:/b; r.toml:2 listen 127.0.0.1:1; r.toml:3 brake-min 20; r.toml:4 brake-fraction 0.5; "
            "r.toml:5 observe true; r.toml:6 sync-interval 1h30m; r.toml:7 collector-interval never; ");
  EXPECT_EQ(read(""), "");
}

TEST(Config, MistakesNameTheFileAndTheLine) {
  EXPECT_EQ(read("\nlisen = 'x'\n"), "r.toml:2: unknown key `lisen`");
  EXPECT_EQ(read("[server]\nlisten = 'x'\n"), "r.toml:1: unknown key `server`");
  EXPECT_EQ(read("listen = 5\n"), "r.toml:1: `listen` must be a string");
  EXPECT_EQ(read("brake-min = '20'\n"), "r.toml:1: `brake-min` must be an integer");
  EXPECT_EQ(read("brake-min = 0.5\n"), "r.toml:1: `brake-min` must be an integer");
  EXPECT_EQ(read("observe = 1\n"), "r.toml:1: `observe` must be true or false");
  EXPECT_EQ(read("volumes = ['a', 1]\n"), "r.toml:1: `volumes` must be a string or an array of strings");
  EXPECT_EQ(read("sync-interval = 30\n"), "r.toml:1: `sync-interval` must be a duration with a unit, such as \"30s\"");
  EXPECT_EQ(read("sync-interval = 'never'\n"), "r.toml:1: `sync-interval` must be a duration with a unit, such as \"30s\"");
  EXPECT_TRUE(read("observe = true\nlisten = \n").starts_with("r.toml:2: ")) << read("observe = true\nlisten = \n");
}

TEST(Config, FileThatIsNotThereIsNamed) {
  auto entries = read_config("/nonexistent/r.toml", kKeys);
  ASSERT_FALSE(entries.ok());
  EXPECT_EQ(entries.error().kind, Error::Kind::kNotFound);
}

}  // namespace
}  // namespace reclaim::runtime
