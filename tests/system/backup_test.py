"""Backups of real processes under load: what is made of one serves every request that was acknowledged before it began, keeps every volume
that somebody needs, and begins a new lineage. What is not whole is refused; what was killed on the way, or had no room, is not there."""
import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import archives
import harness
from harness import DONE, FAILED, USAGE

VIDS = ("V1", "V2", "V3")
FLEET = ("--sync-interval", "500ms", "--collector-interval", "300ms", "--touch-grace", "0s", "--unknown-grace", "1s", "--missing-grace", "1s",
         "--worker-expiry", "2s")
OUTLAST_S = 4  # every grace, also after a start of the server
PASSES = ("--maintenance-interval", "100ms", "--report-backoff", "50ms", "--agent-heartbeat", "100ms", "--agent-timeout", "2s")
BACKUPS = 3
PARTS = ("database.sqlite", "manifest.json", "store.mdb")
SECRETS = ("admin.token", "ssh_host_ed25519_key")


class Machine:
    """A worker's directory of volumes, and a copy of it as it is now, with what the worker knows."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "volumes/live").mkdir(parents=True, exist_ok=True)

    def make(self, handle):
        made = self.directory / "volumes" / f"making-{handle}"
        made.mkdir()
        (made / "data").write_text(handle)
        made.rename(self.directory / "volumes/live" / handle)

    def volumes(self):
        return set(os.listdir(self.directory / "volumes/live"))

    def copied(self, name):
        return Machine(shutil.copytree(self.directory, self.directory.with_name(name)))


class Load:
    """Requests and volumes without end, until it is stopped."""

    def __init__(self, story, machine):
        self.story, self.machine = story, machine
        self.acknowledged, self.needed = set(), set()
        self.stopped = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.parts = [self.pool.submit(self.submit), self.pool.submit(self.build)]

    def submit(self):
        number = 0
        while not self.stopped.is_set():
            names = self.story.random.choices(list(self.story.files), k=20)
            wanted = [{"file": name, "destination": f"back/{number + i}", "report_to": self.story.requester.url("slowly")}
                      for i, name in enumerate(names)]
            number += len(wanted)
            answers = self.story.api.post("/api/v1/retrieves", wanted)
            self.acknowledged.update(answer["id"] for answer in answers)
            time.sleep(0.05)

    def build(self):
        """Every other build is over soon, the rest lives for ever."""
        number = 0
        while not self.stopped.is_set():
            owner, number = f"build-{number}", number + 1
            handles = {f"{owner}-v{i}" for i in range(3)}
            self.story.api.put(f"/api/v1/owners/{owner}", {"kind": "build"})
            self.story.api.post("/api/v1/workers/w1/volumes", [{"handle": handle, "owner": owner} for handle in handles])
            for handle in handles:
                self.machine.make(handle)
                self.story.api.post(f"/api/v1/workers/w1/volumes/{handle}/created")
            if number % 2 == 0:
                self.story.api.post(f"/api/v1/owners/{owner}/release", {})
            else:
                self.needed |= handles
            time.sleep(0.1)

    def stop(self):
        self.stopped.set()
        for part in self.parts:
            part.result(30)


class BackupTest(archives.ArchiveStory):
    def reclaim_does(self, *words, code=DONE):
        done = subprocess.run([self.reclaim, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=120)
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr}{done.stdout}")
        self.assertRegex(done.stderr, r"\A\Z" if code == DONE else r"\Areclaim: [^\n]+\n\Z")
        return done.stdout if code == DONE else done.stderr

    def back_up(self, to, *flags, data=None, code=DONE):
        said = self.reclaim_does("backup", "--data", data or self.server.data, "--to", to, "--output", "json", *flags, code=code)
        return json.loads(said) if code == DONE else said

    def restore(self, backup, data, code=DONE):
        said = self.reclaim_does("restore", "--from", backup, "--data", data, "--output", "json", code=code)
        return json.loads(said) if code == DONE else said

    def furnish(self):
        """A server with a little of everything."""
        self.start(None, *FLEET)
        self.tapes(*VIDS)
        self.archive([f"f{i}" for i in range(20)], ["V1"])
        self.submit(list(self.files))
        return self.server

    def worker(self, machine, server, key):
        worker = self.process(f"worker-{machine.directory.name}",
                              [self.reclaim, "worker", "--name", "w1", "--gateway", server.gateway, "--gateway-fingerprint", server.fingerprint,
                               "--key", key, "--sync-interval", "500ms", "--volumes", f"dir:{machine.directory}/volumes", "--state",
                               machine.directory / "state"])
        worker.start()
        return worker

    def maintenance(self, data):
        maintenance = self.process(f"maintenance-{data.name}", [self.reclaim, "maintenance", "--data", data, *PASSES])
        maintenance.start()
        maintenance.wait_for("ready")
        return maintenance

    # Under load.

    def begin(self):
        self.start(None, *FLEET)
        self.tapes(*VIDS)
        for i, vid in enumerate(VIDS):
            self.archive([f"{vid}-{number}" for number in range(15)], [vid, VIDS[(i + 1) % len(VIDS)]])
        self.machine = Machine(self.directory / "w1")
        self.key = self.enroll(self.server, "w1")
        processes = [self.worker(self.machine, self.server, self.key), self.maintenance(self.server.data), self.drive()]
        self.server.wait_for_first_sync("w1")
        return [self.server.process, *processes]

    def lineage_of(self, server):
        return json.loads(self.client(server, "lineage", "show", "--output", "json").stdout)

    def test_what_is_restored_has_all_that_was_acknowledged_and_harms_nothing(self):
        processes = self.begin()
        former = self.lineage_of(self.server)["lineage"]
        load = Load(self, self.machine)
        taken = []
        for number in range(BACKUPS):
            time.sleep(self.random.uniform(0.5, 1.5))
            known = set(load.acknowledged)
            taken.append((known, self.back_up(self.directory / f"backup-{number}")))
            self.assertEqual(former, taken[-1][1]["lineage"])
        time.sleep(1)
        load.stop()
        for process in processes:
            process.kill()
        self.assertTrue(all(a < b for (a, _), (b, _) in zip(taken, taken[1:])), "there was load in between")
        self.say(f"{len(load.acknowledged)} requests, {len(load.needed)} volumes needed; before the backups: {[len(known) for known, _ in taken]}")
        for number, (known, backup) in enumerate(taken):
            self.restored_serves(number, known, backup, former, load)

    def restored_serves(self, number, known, backup, former, load):
        data = self.directory / f"restored-{number}"
        restored = self.restore(backup["backup"], data)
        self.assertEqual([former], restored["replaces"])
        machine = self.machine.copied(f"w1-{number}")
        self.server = harness.Server(self, *archives.FAST, *FLEET, name=data.name)
        self.api = self.server.api
        self.assertEqual((restored["lineage"], [former]), tuple(self.lineage_of(self.server)[key] for key in ("lineage", "replaces")))
        self.buffer = self.directory / f"buffer-{number}"
        self.buffer.mkdir()
        processes = [self.server.process, self.worker(machine, self.server, self.key), self.maintenance(data),
                     self.drive(f"E{number}")]
        self.all_end(known)
        self.check_at_rest()
        fresh = {answer["id"] for answer in self.api.post("/api/v1/retrieves", [{"file": "V1-0", "destination": "fresh"}])}
        self.assertEqual(set(), fresh & load.acknowledged, "an id that somebody has is not given again")
        self.volumes_stay(machine, load.needed)
        for process in processes:
            process.kill()

    def all_end(self, known):
        """The same files, under the same requests."""
        is_over = lambda each: each["state"] == "done" and each["reported"]
        waiting = lambda: [each for id, each in self.all_requests().items() if not is_over(each)]
        harness.wait_until(lambda: not waiting(), 60, lambda: f"{len(waiting())} wait, such as {waiting()[:3]}")
        here = self.all_requests()
        self.assertEqual(set(), known - set(here), "what was acknowledged before the backup is there")

    def check_at_rest(self):
        check = lambda: json.loads(harness.run(self.reclaim, "store", "check", "--data", self.server.data, "--output", "json"))
        harness.wait_until(lambda: not check()["findings"], 30, lambda: json.dumps(check())[:2000])
        self.assertEqual(0, check()["ledger"]["unaccounted"])

    def volumes_stay(self, machine, needed):
        """Also those that the backup has not heard of. What nobody needs is gone, or was adopted."""
        rows = lambda: {each["handle"]: each["state"] for each in self.api.all("/api/v1/volumes?worker=w1", "volumes")}
        made = lambda state: {handle for handle, its in rows().items() if its == state}
        settled = lambda: machine.volumes() - made("creating") == made("created") and not made("destroying")
        harness.wait_until(settled, 30, lambda: f"{rows()} and on the machine {machine.volumes()}")
        end = time.monotonic() + OUTLAST_S
        while time.monotonic() < end:
            self.assertEqual(set(), needed - machine.volumes())
            time.sleep(0.2)
        self.assertEqual(set(), needed - set(rows()))
        self.assertEqual([], self.lineage_of(self.server)["regressed_workers"])

    # What a backup is.

    def test_a_backup_is_its_owners_and_has_no_secrets_unless_asked_for(self):
        self.furnish()
        for name, flags, parts in (("plain", (), PARTS), ("whole", ("--with-secrets",), PARTS + SECRETS)):
            path = self.directory / name
            report = self.back_up(path, *flags)
            self.assertEqual(sorted(parts), sorted(os.listdir(path)))
            self.assertEqual(0o700, path.stat().st_mode & 0o777)
            self.assertEqual({0o600}, {each.stat().st_mode & 0o777 for each in path.iterdir()})
            self.assertEqual({part: (path / part).stat().st_size for part in parts if part != "manifest.json"},
                             {file["name"]: file["bytes"] for file in report["files"]})
        before = {name: (self.server.data / name).read_bytes() for name in SECRETS}
        self.server.process.kill()
        self.restore(self.directory / "whole", self.directory / "again")
        again = harness.Server(self, name="again")
        self.assertEqual(before, {name: (again.data / name).read_bytes() for name in SECRETS})
        self.assertEqual(self.server.fingerprint, again.fingerprint)
        self.restore(self.directory / "plain", self.directory / "other")
        other = harness.Server(self, name="other")
        self.assertNotEqual(self.server.fingerprint, other.fingerprint)
        self.assertEqual(set(self.requests), {each["id"] for each in other.api.all("/api/v1/retrieves", "retrieves")})

    def test_nothing_is_written_over(self):
        self.furnish()
        backup = self.directory / "backup"
        self.back_up(backup)
        self.assertIn("is there already", self.back_up(backup, code=FAILED))
        self.assertIn("another server uses", self.restore(backup, self.server.data, code=FAILED))
        self.server.process.kill()
        before = (self.server.data / "reclaim.db").read_bytes()
        self.assertIn("has reclaim.db already", self.restore(backup, self.server.data, code=FAILED))
        self.assertEqual(before, (self.server.data / "reclaim.db").read_bytes())
        self.back_up(self.directory / "of-a-stopped-one")

    def test_what_cannot_be_is_wrong_usage(self):
        self.furnish()
        to = self.directory / "backup"
        for flags in (("--database", "postgres://reclaim@/plane"), ("--store", "rados://reclaim")):
            said = self.back_up(to, *flags, code=USAGE)
            self.assertIn("first pg_dump, then rados export", said)
        for flags in ((), ("--from", to), ("--data", to), ("--from", to, "--store", "rados://reclaim"), ("--database", "sqlite:x"),
                      ("--database", f"sqlite:{self.server.data}/reclaim.db", "--store", f"lmdb:{self.server.data}/store")):
            self.assertIn("--from", self.reclaim_does("restore", *flags, code=USAGE))
        self.back_up(self.directory / "nowhere/backup", code=USAGE)
        nothing = self.directory / "nothing"
        self.assertIn(f"--data: there is no database {nothing}/reclaim.db", self.back_up(to, data=nothing, code=USAGE))
        self.assertIn(f"--from: cannot open directory {nothing}", self.restore(nothing, self.directory / "data", code=USAGE))
        self.assertIn("is no backup", self.restore(self.source, self.directory / "data", code=FAILED))
        self.assertFalse(to.exists())
        self.assertFalse((self.directory / "data").exists())

    # Engines that have copies of their own.

    def test_what_postgres_and_ceph_put_back_begins_anew_too(self):
        with harness.private_ceph(self) as ceph:
            postgres = harness.Postgres(self)
            for name in ("plane", "again"):
                postgres.query(f"CREATE DATABASE {name}")
            former = harness.Server(self, "--store", ceph.address(), database=postgres.url("plane"))
            former.api.post("/api/v1/tapes", {"vid": "V1", "pool": "p", "library": "l"})
            former.api.post("/api/v1/files", {"id": "f1", "size": 12, "checksum": "adler32:1e0b0402", "copies": [{"vid": "V1", "fseq": 1}]})
            wanted = {"file": "f1", "destination": "f1"}
            before = former.api.post("/api/v1/retrieves", wanted)["id"]
            self.assertEqual(0, former.process.end())
            dump, pool = self.directory / "plane.dump", self.directory / "pool.dump"
            harness.run("pg_dump", "-Fc", "-f", dump, postgres.url("plane"))
            ceph.rados("export", pool)
            former.start()
            later = former.api.post("/api/v1/retrieves", wanted)["id"]
            lineage = self.lineage_of(former)["lineage"]
            former.process.kill()
            harness.run("pg_restore", "-d", postgres.url("again"), dump)
            ceph.rados("purge", "reclaim", "--yes-i-really-really-mean-it")
            ceph.rados("import", pool)
            where = ("--database", postgres.url("again"), "--store", ceph.address())
            renewed = json.loads(self.reclaim_does("restore", *where, "--output", "json"))
            self.assertEqual([lineage], renewed["replaces"])
            server = harness.Server(self, "--store", ceph.address(), database=postgres.url("again"), name="again")
            self.assertEqual(renewed["lineage"], self.lineage_of(server)["lineage"])
            self.assertEqual([before], [each["id"] for each in server.api.all("/api/v1/retrieves", "retrieves")])
            self.assertNotIn(server.api.post("/api/v1/retrieves", wanted)["id"], (before, later))

    # What is damaged.

    def damage(self, path, how):
        content = bytearray(path.read_bytes())
        if how == "truncated":
            content = content[:-1000]
        elif how == "altered":
            content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        path.unlink()
        if how != "missing":
            path.write_bytes(content)

    def test_a_backup_that_was_damaged_is_refused(self):
        self.furnish()
        whole = self.directory / "whole"
        self.back_up(whole)
        data = self.directory / "data"
        for part in ("database.sqlite", "store.mdb"):
            for how, words in (("truncated", "bytes, and had"), ("altered", "its bytes have changed"), ("missing", "is missing")):
                damaged = shutil.copytree(whole, self.directory / f"{part}-{how}")
                self.damage(damaged / part, how)
                said = self.restore(damaged, data, code=FAILED)
                self.assertIn(f"{damaged}: {part}", said)
                self.assertIn(words, said)
                self.assertLessEqual(set(os.listdir(data)) if data.exists() else set(), {"lock"})
        manifest = json.loads((whole / "manifest.json").read_text())
        for number, (wrong, code) in enumerate(((b"", FAILED), (b"{}", FAILED), (b'{"format":1', FAILED),
                                                (json.dumps({**manifest, "format": 2}).encode(), USAGE),
                                                (json.dumps({**manifest, "files": manifest["files"][:1]}).encode(), FAILED),
                                                (json.dumps({**manifest, "files": manifest["files"] * 2}).encode(), FAILED))):
            damaged = shutil.copytree(whole, self.directory / f"manifest-{number}")
            (damaged / "manifest.json").write_bytes(wrong)
            self.assertIn("manifest.json", self.restore(damaged, data, code=code))
        self.restore(whole, data)

    # What is cut short.

    def ended_after(self, seconds, how, *words):
        with subprocess.Popen([self.reclaim, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.send_signal(how)

    def test_whatever_kills_a_backup_or_a_restore_leaves_all_of_it_or_nothing(self):
        self.furnish()
        began = time.monotonic()
        self.back_up(self.directory / "first")
        length = time.monotonic() - began
        whole, backup, partial = 0, self.directory / "backup", self.directory / "backup.partial"
        for number in range(16):
            how = (signal.SIGTERM, signal.SIGKILL)[number % 2]
            shutil.rmtree(partial, ignore_errors=True)
            self.ended_after(self.random.uniform(0, 2 * length), how, "backup", "--data", self.server.data, "--to", backup)
            if how == signal.SIGTERM:
                self.assertFalse(partial.exists(), "who may end in order leaves nothing")
            if backup.exists():
                self.restore(backup, self.directory / f"of-{number}")
                shutil.rmtree(backup)
                whole += 1
        self.back_up(backup)
        self.assertFalse(partial.exists(), "what was left is removed")
        self.say(f"a backup takes {length:.2f} s; of 16 that were ended on the way {whole} were whole")
        self.restored_under_blows(backup, length)

    def restored_under_blows(self, backup, length):
        whole = 0
        for number in range(12):
            data = self.directory / f"data-{number}"
            self.ended_after(self.random.uniform(0, 4 * length), signal.SIGKILL, "restore", "--from", backup, "--data", data)
            is_whole = (data / "restored").exists() or (data / "reclaim.db").exists()
            whole += is_whole
            self.restore(backup, data, code=FAILED if is_whole else DONE)
            self.assertLessEqual({"lock", "reclaim.db", "store"}, set(os.listdir(data)))
            self.assertEqual(set(), {"restored", "restored.partial"} & set(os.listdir(data)))
        self.say(f"of 12 restores that were killed {whole} were whole")
        server = harness.Server(self, name=data.name)
        self.assertEqual(set(self.requests), {each["id"] for each in server.api.all("/api/v1/retrieves", "retrieves")})

    def test_where_there_is_no_room_nothing_is_left(self):
        self.furnish()
        for size in ("16k", "128k"):
            small = self.directory / f"small-{size}"
            small.mkdir()
            harness.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small)
            said = self.reclaim_does("backup", "--data", self.server.data, "--to", small / "backup", code=harness.TEMPORARY)
            self.assertRegex(said, "No space left|is full")
            self.assertEqual([], os.listdir(small))


if __name__ == "__main__":
    harness.main(at_once=3)
