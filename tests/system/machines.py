"""A worker's machine: real runc containers and real volumes in one directory, and what can be found out about them without Reclaim."""
import concurrent.futures
import copy
import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess

from harness import run, wait_until

CLONE_NEWNS = 0x20000

CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/sleep", "100000"], "env": ["PATH=/bin"], "cwd": "/",
                "noNewPrivileges": True, "capabilities": {"bounding": [], "effective": [], "permitted": []}},
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "c",
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               # Without it parallel creates on one rootfs collide in its /dev.
               {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]}],
    "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")]},
}


class Machine:
    """One runc root, one directory of volumes, one btrfs filesystem of volumes on a loop device."""

    def __init__(self, story, name):
        self.name = name
        self.story = story
        self.directory = story.directory / name
        self.runc = self.directory / "runc"
        self.dirs = self.directory / "dirs"
        self.btrfs = self.directory / "btrfs"
        self.bundle = self.directory / "bundle"
        self.disks = 0
        for made in (self.runc, self.dirs / "live", self.btrfs):
            made.mkdir(parents=True)
        self.outside = self.directory / "outside.txt"  # volumes link to it; it has to outlive them all
        self.outside.write_text("not under any root\n")
        self.make_bundle()
        self.make_btrfs()

    def make_bundle(self):
        for made in ("bin", "proc", "sys", "dev", "tmp", "etc"):
            (self.bundle / "rootfs" / made).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.bundle / "rootfs/bin/busybox")
        (self.bundle / "rootfs/bin/sleep").symlink_to("busybox")
        (self.bundle / "config.json").write_text(json.dumps(CONFIG))

    def make_btrfs(self):
        # A new file each time: while anybody still holds the last one's mount (a namespace just made), its loop device would be mounted.
        self.disks += 1
        image = self.directory / f"btrfs-{self.disks}.img"
        with open(image, "xb") as file:
            file.truncate(512 << 20)
        # mkfs.btrfs asks every mounted loop device for its file, and fails when another test unmounts one meanwhile: it gets to see none.
        run("unshare", "--mount", "sh", "-c", 'umount --all --types btrfs --lazy; exec mkfs.btrfs -q -f "$0"', image)
        run("mount", "-o", "loop", image, self.btrfs)
        (self.btrfs / "live").mkdir()

    # What Reclaim is told about it.

    def worker_flags(self):
        return ["--containers", f"runc:{self.runc}", "--volumes", f"dir:{self.dirs}", "--volumes", f"btrfs:{self.btrfs}",
                "--state", self.directory / "state"]

    # Making things, as other programs do.

    def run_container(self, handle):
        self.run_in_bundle("runc", self.runc, self.bundle, handle)

    def run_in_bundle(self, runtime, root, bundle, handle):
        # A container keeps the descriptors that it is born with: it must not inherit pipes.
        output = self.directory / f"{runtime}.log"
        with open(output, "ab") as log:
            command = [runtime, "--root", root, "run", "--detach", "--bundle", bundle, handle]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{runtime} cannot run {handle}: {output.read_text()[-1000:]}")

    def make_directory(self, handle):
        # Elsewhere on the filesystem, then renamed into live/: nobody sees half a volume.
        made = self.dirs / f"making-{handle}"
        made.mkdir()
        self.fill(made, handle)
        made.rename(self.dirs / "live" / handle)

    def make_subvolume(self, handle):
        made = self.btrfs / f"making-{handle}"
        run("btrfs", "subvolume", "create", made)
        self.fill(made, handle)
        made.rename(self.btrfs / "live" / handle)

    def make_snapshot(self, handle, parent):
        made = self.btrfs / f"making-{handle}"
        run("btrfs", "subvolume", "snapshot", self.btrfs / "live" / parent, made)
        (made / f"added-by-{handle}").write_text(handle)
        made.rename(self.btrfs / "live" / handle)

    def fill(self, directory, handle):
        (directory / "a/b/c").mkdir(parents=True)
        (directory / "a/b/c/deep").write_text(f"deep in {handle}\n" * 10)
        (directory / "data").write_bytes(handle.encode() * 500)
        (directory / "read-only").write_text("no")
        (directory / "read-only").chmod(0o400)
        (directory / "link-out").symlink_to(self.outside)
        (directory / "link-up").symlink_to("../..")

    # Unmaking them behind everybody's back.

    def remove_containers(self, handles):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda handle: run("runc", "--root", self.runc, "delete", "--force", handle), handles))

    def hide(self, handles):
        """Out of sight of runc and of every driver, and untouched; seek() brings them back."""
        for live, aside in self.places():
            aside.mkdir(exist_ok=True)
            for handle in handles:
                if (live / handle).exists():
                    (live / handle).rename(aside / handle)

    def seek(self, handles):
        for live, aside in self.places():
            for handle in handles:
                if (aside / handle).exists():
                    (aside / handle).rename(live / handle)

    def places(self):
        """Where things are, and where on the same filesystem they are not looked for."""
        volumes = [(root / "live", root / "aside") for root in (self.dirs, self.btrfs)]
        return [(self.runc, self.directory / "aside"), *volumes]

    def wipe(self):
        """As after a new disk: the same paths, nothing on them."""
        self.remove_containers(self.containers())
        run("umount", self.btrfs)
        for root in (self.runc, self.dirs):
            shutil.rmtree(root)
        for made in (self.runc, self.dirs / "live"):
            made.mkdir(parents=True)
        self.make_btrfs()

    # What is there, asked of the machine itself.

    def containers(self):
        return {container["id"] for container in wait_until(self.list_of_runc, 10, "runc list")}

    def list_of_runc(self):
        """None when a container went away under runc's eyes, which makes its list fail."""
        command = ["runc", "--root", self.runc, "list", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return (json.loads(done.stdout) or []) if done.returncode == 0 else None

    def volumes(self):
        return set(os.listdir(self.dirs / "live")) | set(os.listdir(self.btrfs / "live"))

    def contents(self):
        return {"containers": self.containers(), "volumes": self.volumes()}

    def dying(self):
        """What the worker has taken out of sight and not yet removed."""
        return {name for root in (self.dirs, self.btrfs) if (root / "dead").exists() for name in os.listdir(root / "dead")}

    def volume(self, handle):
        on_btrfs = self.btrfs / "live" / handle
        return on_btrfs if on_btrfs.exists() else self.dirs / "live" / handle

    def print_of_volume(self, handle):
        """One hash over names, modes, links and bytes of a whole tree."""
        digest = hashlib.sha256()
        root = self.volume(handle)
        for path in sorted(root.rglob("*")):
            about = path.lstat()
            digest.update(f"{path.relative_to(root)} {about.st_mode:o} {about.st_uid} {about.st_mtime_ns}\n".encode())
            if stat.S_ISLNK(about.st_mode):
                digest.update(os.readlink(path).encode())
            elif stat.S_ISREG(about.st_mode):
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def print_of_container(self, handle):
        """Which process it is, and since when: another one would be another container."""
        return self.print_of_process(self.process_of(handle))

    def process_of(self, handle):
        return json.loads((self.runc / handle / "state.json").read_text())["init_process_pid"]

    @staticmethod
    def print_of_process(pid):
        about = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return f"{pid} since {about[19]}, {'dead' if about[0] == 'Z' else 'alive'}"

    @staticmethod
    def is_over(pid):
        about = pathlib.Path(f"/proc/{pid}/stat")
        return not about.exists() or about.read_text().rsplit(")", 1)[1].split()[0] == "Z"

    def prints(self, containers, volumes):
        return {**{f"container {handle}": self.print_of_container(handle) for handle in containers},
                **{f"volume {handle}": self.print_of_volume(handle) for handle in volumes}}

    def traces(self, handles):
        """Where the machine still knows any of these handles: mounts, cgroups, processes, subvolumes, state directories."""
        found = []
        mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        found += [f"mount: {line}" for line in mounts if any(part in handles for part in line.split()[4].split("/"))]
        # Others come and go meanwhile, which os.walk bears.
        found += [f"cgroup: {above}/{name}" for above, names, _ in os.walk("/sys/fs/cgroup") for name in names if name in handles]
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                of_process = (process / "cgroup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += [f"process {process.name}: {line}" for line in of_process.splitlines() if line.rsplit("/", 1)[-1] in handles]
        subvolumes = [line.split(" path ")[1] for line in run("btrfs", "subvolume", "list", self.btrfs).splitlines()]
        found += [f"subvolume: {path}" for path in subvolumes if os.path.basename(path).split(".")[0] in handles]
        found += [f"runc state: {handle}" for handle in os.listdir(self.runc) if handle in handles]
        return found


# Directories below PLACE. The first try to destroy one that has a file `stubborn` in it fails.
DRIVER = """#!/bin/sh
cd "{place}" || exit 1
case "$1" in
  identity) echo '{{"protocol":1,"kind":"volume","manages":"directories of {name}"}}' ;;
  list)
    for handle in *; do [ ! -d "$handle" ] || list="$list,{{\\"handle\\":\\"$handle\\"}}"; done
    echo "{{\\"resources\\":[${{list#,}}]}}" ;;
  destroy)
    if [ -e "./$2/stubborn" ]; then rm "./$2/stubborn"; echo "it is busy" >&2; exit 1; fi
    rm -rf "./$2" && echo '{{"gone":true}}' ;;
  *) exit 1 ;;
esac
"""


class EveryDriver(Machine):
    """Beside those a root of crun, a root of overlays, and directories that a program of others looks after."""

    def __init__(self, story, name):
        super().__init__(story, name)
        self.crun = self.directory / "crun"
        self.overlay = self.directory / "overlay"
        self.place = self.directory / "things"
        self.lower = self.directory / "lower"
        self.seen_dying = set()
        for made in (self.crun, self.overlay / "live", self.place, self.lower):
            made.mkdir(parents=True)
        self.fill(self.lower, "lower")
        self.program = self.directory / "things-driver"
        self.program.write_text(DRIVER.format(place=self.place, name=name))
        self.program.chmod(0o755)

    def worker_flags(self):
        return [*super().worker_flags(), "--containers", f"crun:{self.crun}", "--volumes", f"overlay:{self.overlay}",
                "--volumes", f"exec:{self.program}"]

    @property
    def cgroup(self):
        """Above those of all containers of crun; runtimes leave it behind."""
        return f"{self.story.prefix}{self.name}-crun"

    def run_container_of_crun(self, handle):
        bundle = self.directory / "bundles" / handle
        bundle.mkdir(parents=True)
        config = copy.deepcopy(CONFIG)
        config["root"]["path"] = str(self.bundle / "rootfs")
        config["linux"]["cgroupsPath"] = f"/{self.cgroup}/{handle}"
        (bundle / "config.json").write_text(json.dumps(config))
        self.run_in_bundle("crun", self.crun, bundle, handle)

    def make_overlay(self, handle):
        made = self.overlay / f"making-{handle}"
        for part in ("upper", "work", "merged"):
            (made / part).mkdir(parents=True)
        options = f"lowerdir={self.lower},upperdir={made / 'upper'},workdir={made / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", options, made / "merged")
        (made / "merged/data").write_text(handle)
        (made / "merged/a/b/c/deep").unlink()  # leaves a whiteout
        made.rename(self.overlay / "live" / handle)  # and its mount with it

    def make_thing(self, handle, is_stubborn=False):
        made = self.directory / f"making-{handle}"
        made.mkdir()
        self.fill(made, handle)
        if is_stubborn:
            (made / "stubborn").touch()
        made.rename(self.place / handle)

    def make_immutable(self, handle):
        """A directory that cannot be removed until mend() has seen twice that somebody tries."""
        self.make_directory(handle)
        run("chattr", "+i", self.dirs / "live" / handle / "data")

    def mend(self):
        dying = set((self.dirs / "dead").glob("*-immutable*/data"))
        for path in dying & self.seen_dying:
            subprocess.run(["chattr", "-i", path], stderr=subprocess.DEVNULL, check=False)  # it may be gone by now
        self.seen_dying = dying

    def containers(self):
        # Its state directories: crun itself lists nobody when it cannot read one of them.
        return super().containers() | {name for name in os.listdir(self.crun) if not name.startswith(".")}

    def volumes(self):
        return super().volumes() | set(os.listdir(self.overlay / "live")) | set(os.listdir(self.place))

    def dying(self):
        dead = self.overlay / "dead"
        return super().dying() | (set(os.listdir(dead)) if dead.exists() else set())

    def volume(self, handle):
        places = [root / handle for root in (self.overlay / "live", self.place) if (root / handle).exists()]
        return places[0] if places else super().volume(handle)

    def process_of(self, handle):
        status = self.crun / handle / "status"
        return json.loads(status.read_text())["pid"] if status.exists() else super().process_of(handle)

    def traces(self, handles):
        return super().traces(handles) + [f"crun state: {handle}" for handle in os.listdir(self.crun) if handle in handles]


def hide_unified_controllers():
    """crun refuses to work where version 2 of cgroups holds controllers beside version 1: from here on nobody of ours sees any."""
    controllers = "/sys/fs/cgroup/unified/cgroup.controllers"
    if os.geteuid() != 0 or not os.path.exists(controllers):
        return
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "cannot have a mount namespace of our own")
    run("mount", "--make-rprivate", "/")
    run("mount", "--bind", "/dev/null", controllers)


def worker_process(story, machine, key, gateway, fingerprint, *flags, name=None, title=None):
    """`reclaim worker` on a machine, not yet started; under the machine's name or another."""
    return story.process(title or f"worker-{machine.name}",
                         [story.reclaim, "worker", "--name", name or machine.name, "--gateway", gateway, "--gateway-fingerprint",
                          fingerprint, "--key", key, "--sync-interval", "1s", *machine.worker_flags(), *flags])
