#include "apps/open_store.hpp"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "apps/load_rados.hpp"
#include "apps/rados_address.hpp"

namespace reclaim::apps {
namespace {

constexpr std::string_view kLmdb = "lmdb:";

// What stands in the way at the path that was named does not go away by waiting.
Error of_path(Error error) {
  const bool is_wrong_path = error.kind == Error::Kind::kConflict || error.kind == Error::Kind::kNotFound;
  if (is_wrong_path) return invalid("store", std::move(error.message));
  return error;
}

}  // namespace

Status check_store_address(const std::string& address) {
  if (address.starts_with(kLmdb) && address.size() > kLmdb.size()) return done();
  if (!address.starts_with(kRados)) return invalid("store", "must be lmdb:PATH or rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME]");
  TRY(parse_rados_address(address));
  return done();
}

Result<std::unique_ptr<ports::ObjectStore>> open_store(const std::string& address) {
  TRY(check_store_address(address));
  if (address.starts_with(kRados)) return load_rados(TRY(parse_rados_address(address)));
  Result<std::unique_ptr<ports::ObjectStore>> opened = objects_lmdb::open_lmdb({.directory = address.substr(kLmdb.size())});
  if (!opened.ok()) return of_path(opened.error());
  return opened;
}

Result<std::unique_ptr<ports::ObjectStore>> open_existing_store(const std::string& address) {
  TRY(check_store_address(address));
  if (address.starts_with(kRados)) {
    objects_rados::RadosOptions options = TRY(parse_rados_address(address));
    options.create = false;
    return load_rados(options);
  }
  const std::string path = address.substr(kLmdb.size());
  std::error_code failure;
  const bool is_there = std::filesystem::exists(path + "/data.mdb", failure);
  if (!is_there && !failure) return not_found("there is no store in " + path + ": a server makes it when it first starts");
  return open_store(address);
}

std::string store_of(const std::string& data) { return std::string(kLmdb) + data + "/store"; }

}  // namespace reclaim::apps
