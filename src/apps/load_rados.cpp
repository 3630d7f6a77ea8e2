#include "apps/load_rados.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "adapters/system/system_time.hpp"

namespace reclaim::apps {
namespace {

std::filesystem::path module_path() {
  std::error_code failure;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", failure);
  return executable.parent_path().parent_path() / "lib/reclaim/objects_rados.so";
}

Error not_here(const std::string& why) { return invalid("store", "rados:// needs " + why); }

struct Module {
  objects_rados::OpenRados* open;
};

Result<Module> load() {
  const std::filesystem::path path = module_path();
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return not_here(path.string() + ", and this Reclaim was built without it (librados-dev)");
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return not_here(std::string("the package librados2: ") + ::dlerror());
  auto* const found = reinterpret_cast<objects_rados::OpenRados*>(::dlsym(module, objects_rados::kOpenRadosName));
  if (found == nullptr) return not_here("a " + path.string() + " of the same build: " + ::dlerror());
  return Module{found};
}

}  // namespace

Result<std::unique_ptr<ports::ObjectStore>> load_rados(const objects_rados::RadosOptions& options) {
  static const system::SystemClock clock;
  const Module module = TRY(load());
  Result<std::unique_ptr<ports::ObjectStore>> opened = unavailable("not opened");
  module.open(options, clock, opened);
  return opened;
}

}  // namespace reclaim::apps
