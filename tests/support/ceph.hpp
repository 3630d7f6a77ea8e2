// A Ceph of the test's own: ceph.sh starts it and takes it down again, however the test ends. And what no store does: pools that come and
// go, an OSD that stops or dies.
#pragma once

#include <rados/librados.h>
#include <sys/types.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "adapters/system/process.hpp"
#include "base/check.hpp"
#include "support/keeper.hpp"
#include "support/machine.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {

class PrivateCeph {
 public:
  // `objectstore`: memstore, which starts in a second and forgets all when its OSD ends; or bluestore.
  explicit PrivateCeph(const std::string& objectstore)
      : keeper_({(std::filesystem::path(__FILE__).parent_path() / "ceph.sh").string(), directory_, objectstore}) {
    check(rados_create(&cluster_, "admin") == 0, "rados_create");
    check(rados_conf_read_file(cluster_, conf().c_str()) == 0, "ceph.conf");
    check(rados_connect(cluster_) == 0, "the private Ceph answers");
  }
  PrivateCeph(const PrivateCeph&) = delete;
  PrivateCeph& operator=(const PrivateCeph&) = delete;
  ~PrivateCeph() { rados_shutdown(cluster_); }

  // One for all tests of a process, in memory.
  static PrivateCeph& shared() {
    static PrivateCeph ceph("memstore");
    return ceph;
  }

  std::string conf() const { return directory_ + "/ceph.conf"; }
  // The configuration with more said of clients; its path.
  std::string conf_with(const std::string& client_options) {
    std::string path = parent_ / ("ceph" + std::to_string(++made_) + ".conf");
    std::filesystem::copy_file(conf(), path);
    std::ofstream(path, std::ios::app) << "[client]\n" << client_options;
    return path;
  }

  std::string fresh_pool() {
    std::string name = "test" + std::to_string(++made_);
    make_pool(name);
    return name;
  }
  void make_pool(const std::string& name) { check(rados_pool_create(cluster_, name.c_str()) == 0, "pool create"); }
  void delete_pool(const std::string& name) { check(rados_pool_delete(cluster_, name.c_str()) == 0, "pool delete"); }
  // As another program would.
  void put(const std::string& pool, const std::string& name_space, const std::string& object, const std::string& bytes) {
    rados_ioctx_t io = nullptr;
    check(rados_ioctx_create(cluster_, pool.c_str(), &io) == 0, "ioctx");
    rados_ioctx_set_namespace(io, name_space.c_str());
    check(rados_write_full(io, object.c_str(), bytes.data(), bytes.size()) == 0, "write");
    rados_ioctx_destroy(io);
  }
  // A command to the OSD, as JSON.
  void command_osd(const std::string& json) {
    const char* words = json.c_str();
    check(rados_osd_command(cluster_, 0, &words, 1, nullptr, 0, nullptr, nullptr, nullptr, nullptr) == 0, words);
  }

  void signal_osd(int number) const { check(::kill(osd(), number) == 0, "kill"); }
  // In vain while the one that was killed still lets go of its files.
  void start_osd() const {
    const auto starts = [&] {
      const auto ended =
          system::run_process({{"ceph-osd", "-c", conf(), "-i", "0"}}, testing_support::real_clock(), testing_support::in(Millis(60'000)));
      return ended.ok() && ended.value().exit_code == 0;
    };
    check(testing_support::eventually(starts), "the OSD starts");
  }

 private:
  pid_t osd() const {
    pid_t pid = 0;
    std::ifstream(directory_ + "/run/osd.0.pid") >> pid;
    check(pid > 0, "the OSD's pid");
    return pid;
  }

  testing_support::TempDirectory parent_;
  const std::string directory_ = parent_ / "ceph";
  const Keeper keeper_;
  rados_t cluster_ = nullptr;
  std::atomic<int> made_ = 0;
};

}  // namespace reclaim::test
