// Real things for tests on the reference machine: programs, runc containers, a btrfs filesystem of its own. All of it needs root; a
// test that cannot have it says so and is skipped.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/system/process.hpp"
#include "adapters/system/system_time.hpp"
#include "base/check.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::testing_support {

inline bool is_root() { return geteuid() == 0; }

inline const Clock& real_clock() {
  static const system::SystemClock clock;
  return clock;
}

inline Instant in(Millis patience) { return real_clock().now() + patience; }

// Runs a program that must succeed; what it wrote.
inline std::string must_run(const std::vector<std::string>& argv) {
  auto ended = system::run_process({argv}, real_clock(), in(Millis(60'000)));
  check(ended.ok(), ended.ok() ? "" : ended.error().message.c_str());
  check(ended.value().exit_code == 0, (argv[0] + ": " + ended.value().errors).c_str());
  return ended.value().output;
}

inline void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Whether `holds` became true within ten seconds.
template <class Predicate>
bool eventually(Predicate holds) {
  for (const Instant end = in(Millis(10'000)); real_clock().now() < end; system::pause_for(Millis(5))) {
    if (holds()) return true;
  }
  return holds();
}

// Stands still at 0 until something is so, then is far past every deadline: a test of a deadline that no busy machine can hurry.
class ClockThatWaitsFor : public Clock {
 public:
  explicit ClockThatWaitsFor(std::function<bool()> is_so) : is_so_(std::move(is_so)) {}
  Instant now() const override { return {is_so_() ? 1'000'000'000 : 0}; }
  WallTime wall() const override { return {}; }

 private:
  std::function<bool()> is_so_;
};
inline constexpr Instant kItsDeadline{20};

inline bool holds_text(const std::string& path) { return std::filesystem::exists(path) && std::filesystem::file_size(path) > 0; }

inline bool is_alive(pid_t pid) { return kill(pid, 0) == 0; }

// crun refuses to work where version 2 of cgroups holds controllers beside version 1. This process and its children see none there from
// here on, in a mount namespace of their own.
inline void hide_unified_controllers() {
  static const bool hidden = [] {
    const char* const controllers = "/sys/fs/cgroup/unified/cgroup.controllers";
    if (!std::filesystem::exists(controllers)) return true;
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("/dev/null", controllers, nullptr, MS_BIND, nullptr) == 0;
  }();
  check(hidden, "a mount namespace for crun");
}

// Where in the cgroup hierarchies containers go: the runtime's own choice, one named by a path, or a child of that path.
struct OciCgroup {
  bool by_runtime = false;
  std::string above = {};
};

// A root of an OCI runtime and the bundle to make containers from. What is left at the end is deleted by force.
class OciMachine {
 public:
  explicit OciMachine(const std::string& directory, std::string program = "runc")
      : program_(std::move(program)), root_(directory + "/state"), bundle_(directory + "/bundle") {
    if (program_ == "crun") hide_unified_controllers();
    for (const char* made : {"bin", "proc", "sys", "dev", "tmp", "etc"}) std::filesystem::create_directories(bundle_ + "/rootfs/" + made);
    std::filesystem::create_directories(root_);
    std::filesystem::copy_file("/bin/busybox", bundle_ + "/rootfs/bin/busybox");
    for (const char* applet : {"sh", "sleep"}) std::filesystem::create_symlink("busybox", bundle_ + "/rootfs/bin/" + applet);
  }
  OciMachine(const OciMachine&) = delete;
  OciMachine& operator=(const OciMachine&) = delete;
  ~OciMachine() {
    for (const auto& entry : std::filesystem::directory_iterator(root_)) {
      (void)system::run_process({{program_, "--root", root_, "delete", "--force", entry.path().filename()}}, real_clock(),
                                in(Millis(30'000)));
    }
  }

  const std::string& program() const { return program_; }
  const std::string& root() const { return root_; }

  // Through a shell for its redirections: a container keeps the descriptors it is born with.
  void create(const std::string& id, const OciCgroup& cgroup = {}) const {
    const std::string bundle = bundle_ + "/" + id + ".bundle";
    std::filesystem::create_directories(bundle);
    write_text(bundle + "/config.json", config(id, cgroup));
    must_run({"sh", "-c", "exec \"$0\" --root \"$1\" create --bundle \"$2\" \"$3\" </dev/null >/dev/null 2>\"$1\".log", program_, root_,
              bundle, id});
  }
  void start(const std::string& id) const { call("start", id); }
  void run(const std::string& id, const OciCgroup& cgroup = {}) const {
    create(id, cgroup);
    start(id);
  }
  std::string call(const std::string& verb, const std::string& id) const { return must_run({program_, "--root", root_, verb, id}); }
  bool has(const std::string& id) const {
    const std::string ids = "\n" + must_run({program_, "--root", root_, "list", "--quiet"});
    return ids.find("\n" + id + "\n") != std::string::npos;
  }
  pid_t init_of(const std::string& id) const {
    const std::string state = call("state", id);
    const auto at = state.find("\"pid\": ");
    check(at != std::string::npos, "the state names a pid");
    return std::stoi(state.substr(at + 7));
  }

 private:
  // Named after the test's directory: ids repeat on the machine, cgroups must not.
  std::string cgroups_path(const std::string& id, const OciCgroup& cgroup) const {
    if (cgroup.by_runtime) return "";
    const std::string owner = std::filesystem::path(root_).parent_path().filename();
    return R"("cgroupsPath":")" + cgroup.above + "/" + owner + "." + id + R"(",)";
  }
  std::string config(const std::string& id, const OciCgroup& cgroup) const {
    return R"({"ociVersion":"1.0.2",
 "process":{"terminal":false,"user":{"uid":0,"gid":0},"args":["/bin/sleep","100000"],"env":["PATH=/bin"],"cwd":"/",
            "noNewPrivileges":true,"capabilities":{"bounding":[],"effective":[],"permitted":[]}},
 "root":{"path":")" +
           bundle_ + R"(/rootfs","readonly":true},"hostname":"c",
 "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
           {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755","size=64k"]}],
 "linux":{)" +
           cgroups_path(id, cgroup) +
           R"("namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"}]}})";
  }

  std::string program_;
  std::string root_;
  std::string bundle_;
};

// A mount, undone at the end.
class Mount {
 public:
  static std::unique_ptr<Mount> tmpfs(const std::string& at) {
    check(mount("reclaim-test", at.c_str(), "tmpfs", 0, "size=1m") == 0, "mount tmpfs");
    return std::unique_ptr<Mount>(new Mount(at));
  }
  static std::unique_ptr<Mount> bind(const std::string& what, const std::string& at) {
    check(mount(what.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) == 0, "bind mount");
    return std::unique_ptr<Mount>(new Mount(at));
  }
  // A file system of its own in `directory`, mounted at directory/mnt.
  static std::unique_ptr<Mount> btrfs(const std::string& directory) {
    const std::string image = directory + "/btrfs.img";
    write_text(image, "");
    std::filesystem::resize_file(image, std::uintmax_t{256} << 20U);
    std::filesystem::create_directory(directory + "/mnt");
    // mkfs.btrfs asks every mounted loop device for its file, and fails when another test unmounts one meanwhile: it gets to see none.
    must_run({"unshare", "--mount", "sh", "-c", "umount --all --types btrfs --lazy; exec mkfs.btrfs -q \"$0\"", image});
    must_run({"mount", "-o", "loop", image, directory + "/mnt"});
    return std::unique_ptr<Mount>(new Mount(directory + "/mnt"));
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount() { umount2(at_.c_str(), MNT_DETACH); }

  const std::string& path() const { return at_; }

 private:
  explicit Mount(std::string at) : at_(std::move(at)) {}

  std::string at_;
};

}  // namespace reclaim::testing_support
