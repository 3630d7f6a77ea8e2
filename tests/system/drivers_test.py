"""Drivers beyond runc, dir and btrfs: programs of others held against the protocol, and a worker over crun, overlay and exec roots."""
import json
import os
import pathlib
import shutil
import subprocess
import textwrap

import harness
import machines

ROOT = harness.HERE.parents[1]
CHECK = ROOT / "tools/check-exec-driver"

# A driver for directories below $PLACE that does everything right, and the lines that each spoil one thing.
DIRECTORIES = """
    #!/usr/bin/python3
    import json, os, pathlib, re, shutil, subprocess, sys, time, uuid
    PLACE = pathlib.Path(os.environ["PLACE"])
    DEAD = PLACE / ".dead"
    MANAGES = "directories"
    def names():
        return {path.name for path in PLACE.iterdir() if path != DEAD} | {path.name for path in DEAD.iterdir()}
    def is_handle(text):
        return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", text)
    def destroy(handle):
        try:
            (DEAD / handle).mkdir(exist_ok=True)
            (PLACE / handle).rename(DEAD / handle / uuid.uuid4().hex)
        except FileNotFoundError:
            pass
        shutil.rmtree(DEAD / handle, ignore_errors=True)
    DEAD.mkdir(exist_ok=True)
    #SPOIL
    match sys.argv[1:]:
        case ["identity"]: print(json.dumps({"protocol": 1, "kind": "volume", "manages": MANAGES}))
        case ["list"]: print(json.dumps({"resources": [{"handle": name} for name in names()]}))
        case ["destroy", handle] if is_handle(handle): destroy(handle); print('{"gone": true}')
        case _: sys.exit("refused")
"""
SPOILT = {
    "identity is well-formed": "MANAGES += str(time.time())",
    "list is well-formed": "names = lambda: {uuid.uuid4().hex}",
    "an unknown verb": "if len(sys.argv) < 2: sys.exit(0)",
    "destroying what never was": "destroy = lambda handle: (PLACE / handle).rename(DEAD / handle)",
    "what is not a handle": "is_handle = lambda text: True",
    "what was created is listed": "names = lambda: {path.name.lower() for path in PLACE.iterdir() if path != DEAD}",
    "destroy takes the one out": "destroy = lambda handle: [shutil.rmtree(path, ignore_errors=True) for path in PLACE.glob(handle + '*')]",
    "a handle can be used again": "destroy = lambda handle: (PLACE / handle).exists() and (PLACE / handle).rename(DEAD / handle)",
    "different handles are destroyed at the same time": "(PLACE / '../lock').open('x') if sys.argv[1] == 'destroy' else None",
    "killed at any moment": "destroy_whole = destroy; destroy = lambda handle: ((PLACE.parent / f'{handle}.lock').mkdir(), time.sleep(0.2),"
                            " destroy_whole(handle), (PLACE.parent / f'{handle}.lock').rmdir())",
    "no process that it started": "subprocess.Popen(['sleep', '1000'], start_new_session=True, stdout=subprocess.DEVNULL,"
                                  " stderr=subprocess.DEVNULL)",
}


def write_program(path, text):
    path.write_text(textwrap.dedent(text).lstrip())
    path.chmod(0o755)
    return path


class ConformanceTest(harness.Story):
    """tools/check-exec-driver, and the two examples held against it."""

    def check(self, program, kind, create, environment, only=""):
        command = [str(CHECK), str(program), "--kind", kind, "--create", str(create), "--prefix", self.prefix, "--only", only]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=280)
        return done.returncode, done.stdout + done.stderr

    def holds(self, *arguments):
        code, told = self.check(*arguments)
        self.assertEqual(0, code, told)
        self.say(told.splitlines()[-1])

    def test_network_namespaces(self):
        example = ROOT / "examples/netns"
        self.holds(example / "reclaim-netns", "container", example / "create", {"RECLAIM_NETNS_PREFIX": self.prefix})

    def test_directories_over_ssh(self):
        example = ROOT / "examples/ssh-directories"
        self.holds(example / "reclaim-ssh-directories", "volume", example / "create", self.start_sshd())

    def start_sshd(self):
        """A private sshd on loopback, and the environment that leads the example there."""
        host_key, key = self.key("host"), self.key("client")
        (self.directory / "volumes").mkdir()
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd shuts itself in; its service makes it
        config = self.directory / "sshd_config"
        for _ in range(5):  # until a free port is still free when sshd takes it
            with harness.socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            config.write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nAuthorizedKeysFile {key}.pub\nUsePAM no\n"
                              f"PasswordAuthentication no\nStrictModes no\nPidFile none\nMaxStartups 100\n"
                              f"SetEnv HOME={self.directory}\n")  # what root's shell reads at a login is not part of the story
            sshd = self.process("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", config])
            sshd.start()
            harness.wait_until(lambda: not sshd.is_running() or "listening" in sshd.output(), 20, "sshd")
            if sshd.is_running():
                break
        (self.directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {harness.public_key(host_key)}\n")
        client = self.directory / "ssh_config"
        client.write_text(f"Host files\n HostName 127.0.0.1\n Port {port}\n User root\n IdentityFile {key}\n IdentitiesOnly yes\n"
                          f" UserKnownHostsFile {self.directory / 'known_hosts'}\n")
        return {"RECLAIM_SSH_CONFIG": str(client), "RECLAIM_SSH_DIRECTORY": f"files:{self.directory / 'volumes'}"}

    def test_a_program_that_breaks_one_rule_fails_that_check(self):
        place = self.directory / "place"
        create = write_program(self.directory / "create", '#!/bin/sh\nexec mkdir -p "$PLACE/$1/a"\n')
        for claim, spoil in {"": "", **SPOILT}.items():
            with self.subTest(claim):
                shutil.rmtree(place, ignore_errors=True)
                (self.directory / "lock").unlink(missing_ok=True)
                place.mkdir()
                program = write_program(self.directory / "driver", DIRECTORIES.replace("#SPOIL", spoil))
                code, told = self.check(program, "volume", create, {"PLACE": str(place)}, claim)
                self.assertEqual(1 if claim else 0, code, told)
                self.assertEqual(bool(claim), told.startswith(f"FAILED  {claim}"), told)


class WorkerTest(harness.Story):
    """A worker over all kinds of roots at once."""

    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--touch-grace", "0s", "--unknown-grace", "0s", "--missing-grace", "0s", "--collector-interval", "500ms")
        self.api = self.server.api
        for root in ("runc", "crun", "overlay/live", "lower", "things/.dead"):
            (self.directory / "m" / root).mkdir(parents=True)
        self.machine = self.directory / "m"
        (self.machine / "lower/below").write_text("data")
        for made in ("bin", "proc", "dev"):
            (self.machine / "bundle/rootfs" / made).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.machine / "bundle/rootfs/bin/sleep")
        os.environ["PLACE"] = str(self.machine / "things")
        self.program = write_program(self.machine / "driver", DIRECTORIES)
        key = self.enroll(self.server, "m")
        self.worker = self.process("worker", [
            self.reclaim, "worker", "--name", "m", "--gateway", self.server.gateway, "--gateway-fingerprint", self.server.fingerprint, "--key",
            key, "--sync-interval", "300ms", "--state", self.machine / "state", "--containers", f"runc:{self.machine / 'runc'}", "--containers",
            f"crun:{self.machine / 'crun'}", "--volumes", f"overlay:{self.machine / 'overlay'}", "--volumes", f"exec:{self.program}"])
        self.worker.start()
        self.server.wait_for_first_sync("m")
        for owner in ("lives", "dies"):
            self.api.put(f"/api/v1/owners/{owner}", {"kind": "build"})

    # Making things, as other programs do: registered first.

    def make(self, kind, handle, owner, create):
        handle = self.prefix + handle
        self.api.post(f"/api/v1/workers/m/{kind}", {"handle": handle, "owner": owner})
        create(handle)
        self.api.post(f"/api/v1/workers/m/{kind}/{handle}/created")
        return handle

    def container(self, runtime):
        def create(handle):
            config = json.loads(json.dumps(machines.CONFIG))
            config["process"]["args"] = ["/bin/sleep", "100000"]
            config["root"]["path"] = str(self.machine / "bundle/rootfs")
            config["linux"]["cgroupsPath"] = f"/{self.prefix}{runtime}/{handle}"
            bundle = self.machine / f"bundle-{handle}"
            bundle.mkdir()
            (bundle / "config.json").write_text(json.dumps(config))
            with open(self.machine / "runtime.log", "ab") as log:
                command = [runtime, "--root", self.machine / runtime, "run", "--detach", "--bundle", bundle, handle]
                subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True, timeout=60)
        return create

    def overlay(self, handle):
        volume = self.machine / "overlay" / handle
        for part in ("upper", "work", "merged"):
            (volume / part).mkdir(parents=True)
        harness.run("mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={self.machine / 'lower'},upperdir={volume / 'upper'},workdir={volume / 'work'}", volume / "merged")
        (volume / "merged/below").unlink()  # leaves a whiteout
        (volume / "merged/above").write_text("data")
        # A mounted overlay moves with its directory.
        volume.rename(self.machine / "overlay/live" / handle)

    def thing(self, handle):
        (self.machine / "things" / handle).mkdir()

    def states(self, handles):
        rows = self.api.all("/api/v1/containers", "containers") + self.api.all("/api/v1/volumes", "volumes")
        return {row["handle"]: row["state"] for row in rows if row["handle"] in handles}

    def mounts(self):
        return [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(self.machine) in line]

    def cgroups(self):
        # Those of others come and go while find looks, which it complains about.
        found = subprocess.run(["find", "/sys/fs/cgroup", "-type", "d", "-name", f"{self.prefix}*"], capture_output=True, text=True, check=False)
        return set(found.stdout.split())

    def wait_until_gone(self, handles):
        harness.wait_until(lambda: not self.states(handles), 60, lambda: f"to be destroyed: {self.states(handles)}")

    def test_what_an_owner_leaves_goes_from_every_root_and_the_rest_stays(self):
        makers = {"containers": [self.container("runc"), self.container("crun")], "volumes": [self.overlay, self.thing]}
        made = {owner: {self.make(kind, f"{owner}-{kind[0]}{root}{number}", owner, maker) for kind, all_of_kind in makers.items()
                        for root, maker in enumerate(all_of_kind) for number in range(3)} for owner in ("lives", "dies")}
        self.api.post("/api/v1/owners/dies/release", {"keep_for_s": 0})
        self.wait_until_gone(made["dies"])
        self.assertEqual({"created"}, set(self.states(made["lives"]).values()))
        self.assertEqual(12, len(self.states(made["lives"])))
        left = {name for root in ("runc", "crun", "overlay/live", "things") for name in os.listdir(self.machine / root) if name[0] != "."}
        self.assertEqual(made["lives"], left)
        self.assertEqual(3, len(self.mounts()), "the overlays of whose owner lives")
        self.assertEqual([], os.listdir(self.machine / "overlay/dead"))
        self.api.post("/api/v1/owners/lives/release", {"keep_for_s": 0})
        self.wait_until_gone(made["lives"])
        self.assertEqual([], self.mounts())
        self.assertEqual(set(), self.cgroups(), "those above the containers' own went with the last of them")
        self.assertTrue((self.machine / "lower/below").exists())

    def test_containers_with_a_damaged_state_are_destroyed_and_hide_nobody(self):
        damages = {"truncated": lambda file: os.truncate(file, 90), "empty": lambda file: os.truncate(file, 0),
                   "garbage": lambda file: file.write_bytes(b"\x00\xff{"), "missing": lambda file: file.unlink()}
        files = {"runc": "state.json", "crun": "status"}
        whole = {self.make("containers", f"{runtime}-whole", "lives", self.container(runtime)) for runtime in files}
        broken = {(runtime, damage): self.make("containers", f"{runtime}-{damage}", "dies", self.container(runtime))
                  for runtime in files for damage in damages}
        harness.wait_until(lambda: self.api.get("/api/v1/workers/m")["containers"] == 10 and self.has_been_listed(), 30, "all to be listed")
        before = len(self.processes_of())
        self.assertEqual(10, before)
        for (runtime, damage), handle in broken.items():
            damages[damage](self.machine / runtime / handle / files[runtime])
        self.api.post("/api/v1/owners/dies/release", {"keep_for_s": 0})
        self.wait_until_gone(set(broken.values()))
        self.assertEqual({"created"}, set(self.states(whole).values()))
        self.assertEqual(2, len(self.states(whole)))
        self.assertEqual(2, len(self.processes_of()))
        self.assertEqual(whole, {os.path.basename(path) for path in self.cgroups()} - {f"{self.prefix}{runtime}" for runtime in files})

    def has_been_listed(self):
        """Two more syncs have come since the last container was made."""
        if not hasattr(self, "seen"):
            self.seen = self.server.metrics().get("reclaim_sync_seconds_count", 0)
        return self.server.metrics().get("reclaim_sync_seconds_count", 0) >= self.seen + 2

    def processes_of(self):
        found = set()
        for path in self.cgroups():
            found |= set(pathlib.Path(path, "cgroup.procs").read_text().split())
        return found

    def test_a_program_that_manages_something_else_is_not_judged_and_the_rest_goes_on(self):
        thing = self.make("volumes", "thing", "dies", self.thing)
        container = self.make("containers", "c", "dies", self.container("runc"))
        harness.wait_until(self.has_been_listed, 30, "two syncs")
        elsewhere = self.machine / "elsewhere"
        (elsewhere / ".dead").mkdir(parents=True)
        (elsewhere / thing).mkdir()
        spoilt = DIRECTORIES.replace("#SPOIL", f"MANAGES = 'another cluster'; PLACE = pathlib.Path({str(elsewhere)!r}); DEAD = PLACE / '.dead'")
        write_program(self.machine / "driver.new", spoilt).rename(self.program)
        self.worker.wait_for("manages \"another cluster\" now, it was \"directories\"")
        self.api.post("/api/v1/owners/dies/release", {"keep_for_s": 0})
        self.wait_until_gone({container})
        self.seen = self.server.metrics()["reclaim_sync_seconds_count"]
        harness.wait_until(self.has_been_listed, 30, "two syncs")
        self.assertEqual({thing: "destroying"}, self.states({thing}))
        self.assertTrue((elsewhere / thing).exists() and (self.machine / "things" / thing).exists())
        write_program(self.machine / "driver.new", DIRECTORIES).rename(self.program)
        self.wait_until_gone({thing})
        self.assertTrue((elsewhere / thing).exists())
        self.assertFalse((self.machine / "things" / thing).exists())


if __name__ == "__main__":
    machines.hide_unified_controllers()
    harness.main()
