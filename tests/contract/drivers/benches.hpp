// One bench per driver: a root of its own, ways to put resources there behind the driver's back, and to see what is really left.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/driver_exec/exec_resources.hpp"
#include "adapters/runtime_oci/oci_containers.hpp"
#include "adapters/system/mounts.hpp"
#include "adapters/volumes_btrfs/btrfs_volumes.hpp"
#include "adapters/volumes_dir/dir_volumes.hpp"
#include "adapters/volumes_overlay/overlay_volumes.hpp"
#include "support/machine.hpp"

namespace reclaim {

class DriverBench {
 public:
  virtual ~DriverBench() = default;
  virtual ports::ResourceDriver& driver() = 0;
  virtual void create(const std::string& handle) = 0;
  virtual bool is_there(const std::string& handle) = 0;
  // Where each resource is one entry.
  virtual std::string place() const = 0;

  std::string names() {
    std::vector<std::string> names;
    for (const ports::Listed& listed : driver().list().value()) names.push_back(listed.name + (listed.error.empty() ? "" : "!"));
    std::ranges::sort(names);
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
  }
  Status destroy(const std::string& handle, Millis patience = Millis(30'000)) {
    return driver().destroy(Handle(handle), testing_support::in(patience));
  }
};

class OciBench : public DriverBench {
 public:
  explicit OciBench(const std::string& program)
      : machine_(directory_.path(), program),
        driver_(runtime_oci::OciContainers::open({.program = program,
                                                  .root = machine_.root(),
                                                  .dialect = program == "crun" ? runtime_oci::Dialect::kCrun : runtime_oci::Dialect::kRunc},
                                                 testing_support::real_clock())
                    .value()) {}

  ports::ResourceDriver& driver() override { return driver_; }
  void create(const std::string& handle) override { machine_.run(handle); }
  bool is_there(const std::string& handle) override { return machine_.has(handle) || std::filesystem::exists(place() + "/" + handle); }
  std::string place() const override { return machine_.root(); }
  const testing_support::OciMachine& machine() const { return machine_; }

 private:
  testing_support::TempDirectory directory_;
  testing_support::OciMachine machine_;
  runtime_oci::OciContainers driver_;
};

class RuncBench : public OciBench {
 public:
  RuncBench() : OciBench("runc") {}
};

class CrunBench : public OciBench {
 public:
  CrunBench() : OciBench("crun") {}
};

class DirBench : public DriverBench {
 public:
  ports::ResourceDriver& driver() override { return driver_; }
  void create(const std::string& handle) override {
    std::filesystem::create_directories(place() + "/" + handle + "/a/b");
    testing_support::write_text(place() + "/" + handle + "/a/b/file", "data");
  }
  bool is_there(const std::string& handle) override { return std::filesystem::exists(place() + "/" + handle); }
  std::string place() const override { return directory_ / "live"; }

 private:
  testing_support::TempDirectory directory_;
  volumes_dir::DirVolumes driver_ = volumes_dir::DirVolumes::open(directory_.path(), testing_support::real_clock()).value();
};

class BtrfsBench : public DriverBench {
 public:
  ports::ResourceDriver& driver() override { return driver_; }
  void create(const std::string& handle) override {
    testing_support::must_run({"btrfs", "-q", "subvolume", "create", place() + "/" + handle});
    testing_support::write_text(place() + "/" + handle + "/file", "data");
  }
  bool is_there(const std::string& handle) override { return std::filesystem::exists(place() + "/" + handle); }
  std::string place() const override { return root_ + "/live"; }

 private:
  // Not at the top of the file system: a root may be anywhere on it.
  static std::string make_root(const std::string& mount) {
    std::filesystem::create_directory(mount + "/root");
    return mount + "/root";
  }

  testing_support::TempDirectory directory_;
  std::unique_ptr<testing_support::Mount> mount_ = testing_support::Mount::btrfs(directory_.path());
  std::string root_ = make_root(mount_->path());
  volumes_btrfs::BtrfsVolumes driver_ = volumes_btrfs::BtrfsVolumes::open(root_, testing_support::real_clock()).value();
};

class OverlayBench : public DriverBench {
 public:
  ~OverlayBench() override {
    for (const system::MountInfo& mount : system::mount_table().value()) {
      if (mount.point.starts_with(directory_.path().string() + "/")) umount2(mount.point.c_str(), MNT_DETACH);
    }
  }
  ports::ResourceDriver& driver() override { return driver_; }
  // With data from below, from above, and one that was removed from what is below: a whiteout.
  void create(const std::string& handle) override {
    for (const char* part : {"upper", "work", "merged"}) std::filesystem::create_directories(volume(handle) + "/" + part);
    mount(handle);
    testing_support::write_text(volume(handle) + "/merged/above", "data");
    std::filesystem::remove(volume(handle) + "/merged/removed");
  }
  void mount(const std::string& handle, const std::string& at = "") {
    testing_support::must_run({"mount", "-t", "overlay", "overlay", "-o",
                               "lowerdir=" + lower() + ",upperdir=" + volume(handle) + "/upper,workdir=" + volume(handle) + "/work",
                               at.empty() ? volume(handle) + "/merged" : at});
  }
  bool is_there(const std::string& handle) override { return std::filesystem::exists(volume(handle)); }
  std::string place() const override { return directory_ / "live"; }
  std::string volume(const std::string& handle) const { return place() + "/" + handle; }
  std::string elsewhere(const std::string& name) {
    std::filesystem::create_directories(directory_ / ("elsewhere/" + name));
    return directory_ / ("elsewhere/" + name);
  }

 private:
  std::string lower() const { return directory_ / "lower"; }
  // Layers of an overlay have to lie on a filesystem that takes its attributes.
  static std::string make_lower(const std::string& directory) {
    std::filesystem::create_directory(directory + "/lower");
    testing_support::write_text(directory + "/lower/below", "data");
    testing_support::write_text(directory + "/lower/removed", "data");
    return directory;
  }

  testing_support::TempDirectory directory_;
  volumes_overlay::OverlayVolumes driver_ =
      volumes_overlay::OverlayVolumes::open(make_lower(directory_.path()), testing_support::real_clock()).value();
};

// A program of somebody else's, as docs/exec-driver.md wants it, over plain directories.
class ExecBench : public DriverBench {
 public:
  ExecBench() {
    std::filesystem::create_directories(place());
    std::filesystem::create_directories(memory());
    write_program(R"(
case "$1" in
  identity) echo '{"protocol":1,"kind":"volume","manages":"directories of a test"}' ;;
  list)
    names=''
    for path in "$PLACE"/*; do
      name=${path##*/}
      [ -e "$path" ] && names="$names,{\"handle\":\"$name\"}"
    done
    echo "{\"resources\":[${names#,}]}" ;;
  destroy) rm -rf -- "$PLACE/$2" && echo '{"gone":true}' ;;
  *) exit 2 ;;
esac)");
    driver_ = std::make_unique<driver_exec::ExecResources>(open());
  }
  ports::ResourceDriver& driver() override { return *driver_; }
  void create(const std::string& handle) override { std::filesystem::create_directories(place() + "/" + handle + "/a"); }
  bool is_there(const std::string& handle) override { return std::filesystem::exists(place() + "/" + handle); }
  std::string place() const override { return directory_ / "things"; }
  std::string memory() const { return directory_ / "memory"; }
  std::string path(const std::string& name) const { return directory_ / name; }

  // From here on the program does what this script says, with PLACE set.
  void write_program(const std::string& script) const {
    testing_support::write_text(directory_ / "new",
                                "#!/bin/sh\nPLACE='" + place() + "'\nHERE='" + directory_.path().string() + "'\n" + script);
    testing_support::must_run({"chmod", "755", directory_ / "new"});
    std::filesystem::rename(directory_ / "new", directory_ / "program");  // no writer left: a program being written cannot run
  }
  driver_exec::ExecResources open(const Clock& clock = testing_support::real_clock(), Millis list_timeout = Millis(60'000)) const {
    return driver_exec::ExecResources::open({.program = path("program"), .memory = memory(), .list_timeout = list_timeout}, clock).value();
  }

 private:
  testing_support::TempDirectory directory_;
  std::unique_ptr<driver_exec::ExecResources> driver_;
};

}  // namespace reclaim
