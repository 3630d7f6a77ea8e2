// Object stores to measure on. A new one has nothing in it, and goes with its directory or with its maker.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ports/object_store.hpp"

namespace reclaim::bench {

class Stores {
 public:
  Stores() = default;
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;
  virtual ~Stores() = default;
  // With what makes a write last.
  virtual std::string name() const = 0;
  // A new one, which may use this directory.
  virtual std::unique_ptr<ports::ObjectStore> open(const std::filesystem::path& directory) = 0;
};

// What stores_named() takes in this build.
std::vector<std::string> names_of_stores();
// "rados" starts a Ceph of its own, one monitor and one OSD.
std::unique_ptr<Stores> stores_named(const std::string& name);

}  // namespace reclaim::bench
