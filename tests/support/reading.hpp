// What lies on tapes in memory, and a drive's process that serves them, through ports that may fail.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "adapters/library_memory/memory_library.hpp"
#include "base/adler32.hpp"
#include "drive/session.hpp"
#include "support/archive_world.hpp"

namespace reclaim::test {

// A request of a file that lies on these tapes; its place on each is its ordinal.
inline stored::Request request_of_file(library_memory::MemoryLibrary& library, std::uint32_t ordinal,
                                       std::initializer_list<const char*> vids) {
  stored::Request made = request(ordinal, vids);
  const std::string content = "content of " + std::to_string(ordinal);
  Adler32 sum;
  sum.add(content);
  made.set_size(content.size());
  made.set_checksum(sum.text());
  for (const char* vid : vids) library.put(vid, ordinal, content);
  return made;
}

// What a drive works with.
struct Bay {
  ports::Database& database;
  ports::ObjectStore& store;
  library_memory::MemoryLibrary& library;
  ports::DiskBuffer& buffer;
};

// Mount after mount, through whatever goes wrong. What it was refused after its agent had been collected.
inline agents::LateWrites serve(const std::string& name, const Bay& bay, int mounts_max) {
  const auto agent = agents::Agent::register_as(bay.store, name, "drive");
  if (!agent.ok()) return {};
  Hand hand(bay.store, *agent.value());
  std::int64_t now_ms = 1'764'000'000'000;
  const auto context = [&]() -> Context { return {bay.database, {now_ms}, "drive:" + name}; };
  ArchiveEstate estate(hand, context);
  drive::Drive one{.name = DriveName(name),
                   .hand = hand,
                   .estate = estate,
                   .context = context,
                   .library = bay.library,
                   .buffer = bay.buffer,
                   .load = [](const Vid&) { return done(); },
                   .unload = [](const Vid&) { return done(); },
                   .is_stopping = [] { return false; }};
  for (int mounts = 0; mounts < mounts_max && hand.check().ok(); ++mounts) {
    (void)drive::serve_one_mount(one);
    now_ms += 60'000;  // no tape rests any more
  }
  if (drive::give_everything_back(one).ok()) (void)agent.value()->leave();
  return agent.value()->heart().late();
}

}  // namespace reclaim::test
