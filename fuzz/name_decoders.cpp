// Names of objects in the store, and words on command lines and in bodies: what was accepted is written exactly so again.
#include "decoders.hpp"

#include "agents/agent_id.hpp"
#include "apps/rados_address.hpp"
#include "archive/damaged.hpp"
#include "archive/files.hpp"
#include "archive/names.hpp"
#include "base/check.hpp"
#include "base/duration.hpp"
#include "base/endpoint.hpp"
#include "base/ids.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::fuzz {
namespace {

template <class T, class Write>
void same(const Result<T>& parsed, std::string_view bytes, Write&& write) {
  if (parsed.ok()) check(write(parsed.value()) == bytes, "a name is written as it was read");
}

void name(std::string_view bytes) {
  same(ports::parse_object_name(bytes), bytes, [](const auto& read) { return read.str(); });
  same(archive::parse_segment_name(bytes), bytes, [](const auto& read) { return archive::object_name(read).str(); });
  same(archive::parse_queue_name(bytes), bytes, [](const auto& read) { return archive::object_name(read).str(); });
  same(archive::parse_index_name(bytes), bytes, [](const auto& read) { return archive::index_name(read).str(); });
  same(archive::parse_mount_name(bytes), bytes, [](const auto& read) { return archive::mount_name(read).str(); });
  same(archive::parse_damaged(bytes), bytes, [](const auto& read) { return archive::damaged_name(read).str(); });
  same(archive::parse_owner(bytes), bytes, [](const auto& read) { return archive::object_name(read).str(); });
  same(archive::parse_request_id(bytes), bytes, [](const auto& read) { return archive::text_of(read); });
  same(agents::parse_agent_key(bytes), bytes, [](const auto& read) { return read.key(); });
  same(agents::parse_agent(bytes), bytes, [](const auto& read) { return read.str(); });
  same(parse_handle(bytes), bytes, [](const auto& read) { return read.str(); });
  same(parse_worker_name(bytes), bytes, [](const auto& read) { return read.str(); });
  same(parse_owner_id(bytes), bytes, [](const auto& read) { return read.str(); });
}

void word(std::string_view bytes) {
  (void)parse_duration(bytes);
  (void)parse_duration_or_never(bytes);
  (void)parse_endpoint(bytes, "listen");
  (void)archive::parse_checksum(bytes, "checksum");
  (void)ports::parse_report_url(bytes);
  (void)apps::parse_rados_address(bytes);
}

std::vector<std::string> names() {
  return {"segment/17-1",
          "index/17-1",
          "queue/V00001.to_transfer",
          "queue/V00001.to_report",
          "mount/V00001",
          "damaged/17-1",
          "17-1-3",
          "agent/drive-1@17",
          "drive-1@17",
          "root/root",
          "damaged/V00001.to_transfer-12",
          "container_01.x-y"};
}

std::vector<std::string> words() {
  return {"10s",
          "1h30m",
          "never",
          "127.0.0.1:8443",
          "[::1]:22",
          "adler32:1e0b0402",
          "http://user@host:80/path?x=1#y",
          "rados://pool/ns?conf=/etc/ceph/ceph.conf&user=admin"};
}

const Known kKnown{{"name", name, names}, {"word", word, words}};

}  // namespace

}  // namespace reclaim::fuzz
