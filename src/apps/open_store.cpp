#include "apps/open_store.hpp"

#include <string_view>

#include "adapters/objects_lmdb/lmdb_store.hpp"

namespace reclaim::apps {
namespace {

constexpr std::string_view kLmdb = "lmdb:";

}  // namespace

bool is_store_address(const std::string& address) { return address.starts_with(kLmdb) && address.size() > kLmdb.size(); }

Result<std::unique_ptr<ports::ObjectStore>> open_store(const std::string& address) {
  if (!is_store_address(address)) return invalid("store", "must be lmdb:PATH");
  return objects_lmdb::open_lmdb({.directory = address.substr(kLmdb.size())});
}

}  // namespace reclaim::apps
