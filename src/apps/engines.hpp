// What processes beside a server work on: its database and its store, named by the same three flags.
#pragma once

#include <memory>
#include <string>

#include "apps/open_database.hpp"
#include "cli/command_line.hpp"
#include "server/counted_store.hpp"

namespace reclaim::apps {

struct EngineFlags {
  std::string data;
  std::string database;
  std::string store;
};
void add_engine_flags(CLI::App& command, EngineFlags& flags);

struct Engines {
  OpenedDatabase database;
  std::unique_ptr<server::CountedStore> store;
};
// `--data` stands for what a server keeps there, and only for what one has made: nobody works on an empty archive because a directory was
// misspelt. Errors: kInvalid with the flag; those of opening.
Result<Engines> open_engines(const EngineFlags& flags);

}  // namespace reclaim::apps
