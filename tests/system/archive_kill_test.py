"""The archive under blows: what cleans up, reports and reads is killed, or stopped for ten times the timeout and woken, while tapes leave
service and requests keep coming. Afterwards every request that was acknowledged has ended once, in one of the ways that it may.

--runs N: so many rounds of the first story, 30 if left out; --seconds N: the length of the last story, 20 if left out.
"""
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import re
import signal
import sys
import threading
import time
import zlib

import demo_archive
import harness

VIDS = ("V1", "V2", "V3")
PLACES = (("V1",), ("V1", "V2"), ("V2",), ("V2", "V3"), ("V3",), ("V3", "V1"))
FILES = 600
REQUESTS = 2_000
AWAY = ("BROKEN", "EXPORTED", "REPACKING")
AGENT = ("--agent-heartbeat", "50ms", "--agent-timeout", "300ms")
PASSES = ("--maintenance-interval", "100ms", "--report-backoff", "100ms", "--max-report-attempts", "100000")
PAUSE_S = 3
DOOR = ("--metrics-listen", "127.0.0.1:0")
PATIENCE_S = 60
# What a pass or a drive tells of the dead, and of its own writes that came too late.
FENCED = re.compile(r'reclaim_fenced_total\{what="(\w+)"\}')
TOLD = re.compile(r"(\d+) (collected|settled|requeued|refused)\b|was collected")


def content_of(number):
    return f"file {number}\n".encode() * (number % 7 + 1)


class Requester(demo_archive.Receiver):
    """One to whom it is nothing that whoever tells it is killed."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Archive:
    """Tapes of small files in a library, a server, two processes that run the passes, drives, a requester who is told."""

    def __init__(self, story, drives, store=None, buffer=None):
        self.story = story
        self.where = ["--store", store] if store else []
        # Who is killed leaves the same on a disk of memory, where nobody waits for a flush: the blows come closer.
        memory = story.directory / "memory"
        memory.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", memory)
        self.server = harness.Server(story, *self.where, *AGENT, "--maintenance-interval", "never", name="memory/server")
        self.data = ["--data", self.server.data, *self.where]
        self.library, self.buffer = memory / "library", buffer or memory / "buffer"
        self.buffer.mkdir()
        self.places = {f"f{number}": PLACES[number % len(PLACES)] for number in range(FILES)}
        self.contents = {f"f{number}": content_of(number) for number in range(FILES)}
        self.fill()
        self.receiver = Requester()
        self.wanted = {}  # file by destination
        self.acknowledged = {}  # destination by id
        self.submissions = 0
        self.lock = threading.Lock()
        words = [story.reclaim, "maintenance", *self.data, *AGENT, *PASSES, *DOOR]
        self.cleaners = [story.process(f"cleaner{number}", words) for number in (1, 2)]
        self.drives = [story.process(name, [story.reclaim, "drive", "--name", name, "--library", f"dir:{self.library}", "--buffer",
                                            self.buffer, *self.data, *AGENT, *DOOR]) for name in [f"D{i + 1}" for i in range(drives)]]
        for process in self.cleaners + self.drives:
            process.start()
        for process in self.cleaners + self.drives:
            process.wait_for("ready")

    def fill(self):
        for vid in VIDS:
            (self.library / vid).mkdir(parents=True)
            self.server.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
        files = []
        for number, (name, content) in enumerate(self.contents.items()):
            copies = [{"vid": vid, "fseq": number + 1} for vid in self.places[name]]
            for copy in copies:
                (self.library / copy["vid"] / str(copy["fseq"])).write_bytes(content)
            files.append({"id": name, "size": len(content), "checksum": f"adler32:{zlib.adler32(content):08x}", "copies": copies})
        self.server.api.post("/api/v1/files", files)

    def submit(self, files, api=None):
        """The ids of those that were taken."""
        with self.lock:
            first = self.submissions
            self.submissions += len(files)
        wanted = {f"out/{first + i}": file for i, file in enumerate(files)}
        self.wanted.update(wanted)
        body = [{"file": file, "destination": destination, "report_to": self.receiver.url} for destination, file in wanted.items()]
        answers = (api or self.server.api).post("/api/v1/retrieves", body)
        taken = {answer["id"]: destination for answer, destination in zip(answers, wanted, strict=True) if "id" in answer}
        self.acknowledged.update(taken)
        return list(taken)

    def file_of(self, request):
        return self.wanted[self.acknowledged[request]]

    def state(self, vid):
        return self.server.api.get(f"/api/v1/tapes/{vid}")["state"]

    def ask(self, vid, state):
        return self.server.api.call("PUT", f"/api/v1/tapes/{vid}/state", {"state": state, "reason": f"{state} at random"}).status

    def hold_all_but(self, vid):
        for drive in self.drives:
            self.server.api.put(f"/api/v1/drives/{drive.name}", {"desired": "down", "reason": "held"})
        for other in set(VIDS) - {vid}:
            self.ask(other, "DISABLED")

    def let_go_all_but(self, vid):
        for other in set(VIDS) - {vid}:
            self.ask(other, "ACTIVE")
        for drive in self.drives:
            self.server.api.put(f"/api/v1/drives/{drive.name}", {"desired": "up"})

    def cleaning(self):
        """Who has reserved which queue."""
        queues = self.server.api.all("/api/v1/queues?cleanup=true", "queues")
        return {(queue["vid"], queue["cleanup"]["agent"], queue["cleanup"]["epoch"]) for queue in queues if queue["cleanup"]["agent"]}

    def reported(self):
        """The ids that the requester was told of."""
        return {key.rpartition("/")[0] for key in list(self.receiver.receipts)}

    def check_with(self, *flags):
        of = self.where or ["--store", f"lmdb:{self.server.data}/store"]
        return json.loads(harness.run(self.story.reclaim, "store", "check", *of, *flags, "--output", "json"))

    def ledger(self):
        return self.check_with("--database", f"sqlite:{self.server.data}/reclaim.db")["ledger"]

    def check(self):
        """What the check of the store says, or None while anything waits, is under way, or is left over."""
        report = self.check_with()
        broken = [finding for finding in report["findings"] if finding["invariant"] or finding["kind"] == "damaged"]
        self.story.assertEqual([], broken)
        self.last_check = report
        at_rest = not report["findings"] and report["unsettled"] == 0 and not any(report["summary"]["requests"].values())
        return report if at_rest else None

    def owners(self, process):
        """Its agents that own something and that nobody has collected."""
        return {(agent["name"], agent["epoch"]) for agent in self.server.api.all("/api/v1/agents", "agents")
                if agent["owned"] and agent["state"] != "collected" and (agent["name"] == process.name or f"-{process.pid}-" in agent["name"])}

    @staticmethod
    def fenced(process):
        """What it was refused because it came too late, since its start."""
        counts = ((FENCED.fullmatch(name), count) for name, count in process.metrics().items())
        return collections.Counter({match[1]: int(count) for match, count in counts if match})

    def told(self):
        """What the passes and drives say that they did, and how often they found themselves collected."""
        counts = collections.Counter()
        for process in self.cleaners + self.drives:
            for match in TOLD.finditer(process.log.read_text(errors="replace")):
                counts[match[2] or "found themselves collected"] += int(match[1] or 1)
        return dict(counts)


class ArchiveKillTest(harness.Story):
    runs = 30
    seconds = 20
    blows = 0

    def setUp(self):
        super().setUp()
        self.losses = 0  # of processes that were stopped for so long that others took what they owned
        self.late = collections.Counter()

    def pause(self, process):
        """Stops it, and not in the middle of a write: that would stop everybody who writes to the embedded engines."""
        impatient = harness.Api(self.archive.server.url, self.archive.server.api.token, seconds=1)
        for _ in range(30):
            os.kill(process.pid, signal.SIGSTOP)
            try:
                impatient.put("/api/v1/policies/probe")
                self.archive.submit(["f0"], impatient)
                return
            except OSError:
                os.kill(process.pid, signal.SIGCONT)
            except harness.Refused:
                return
        self.fail("there was no moment to stop it")

    def strike(self, process, is_pause, meanwhile=lambda: None):
        self.blows += 1
        if process is self.archive.server.process:
            meanwhile()
            self.strike_server(is_pause)
        elif is_pause:
            self.pause(process)
            had = self.archive.owners(process)
            meanwhile()
            time.sleep(PAUSE_S)
            lost = had - self.archive.owners(process)
            os.kill(process.pid, signal.SIGCONT)
            if lost:
                self.count_late(process)
        else:
            process.kill()
            meanwhile()
            process.start()

    def count_late(self, process):
        """What it owned when it was stopped was taken away: it is refused, and counts that."""
        grown = lambda: self.archive.fenced(process) - self.fenced_before[process.name] or None
        late = harness.wait_until(grown, PATIENCE_S, lambda: f"{process.name} to count what it was refused: {process.metrics()}")
        self.losses += 1
        self.late += late

    def look_at_fenced(self):
        """While nobody is stopped."""
        self.fenced_before = {process.name: self.archive.fenced(process) for process in self.archive.cleaners + self.archive.drives}

    def strike_server(self, is_pause):
        """Who asks it, or writes while it is stopped in a write, waits for it."""
        server = self.archive.server
        if is_pause:
            os.kill(server.process.pid, signal.SIGSTOP)
            time.sleep(PAUSE_S)
            os.kill(server.process.pid, signal.SIGCONT)
        else:
            server.process.kill()
            server.start()

    def catch_one_that_cleans(self):
        """Stops it; None when there is none."""
        first, second = self.random.sample(self.archive.cleaners, 2)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            for cleaner in (first, second):
                os.kill(cleaner.pid, signal.SIGSTOP)
            found = self.archive.cleaning()
            os.kill(first.pid, signal.SIGCONT)
            time.sleep(0.05 if found else 0)
            if found & self.archive.cleaning():
                return second
            os.kill(second.pid, signal.SIGCONT)
            time.sleep(self.random.uniform(0, 0.004))
        return None

    def choose_victim(self, is_pause):
        """One in the middle of a cleanup, or anybody at any moment."""
        victim = self.catch_one_that_cleans() if self.random.random() < 0.7 else None
        if victim is not None:
            self.caught += 1
            return victim
        time.sleep(self.random.uniform(0, 0.3))
        archive = self.archive
        # Who submits waits for a stopped server, and would have no answer from a killed one.
        return self.random.choice([*archive.cleaners * 2, *archive.drives, *([archive.server.process] if is_pause else [])])

    def strike_during_a_cleanup(self, number, is_pause):
        archive = self.archive
        self.look_at_fenced()
        before = set(archive.acknowledged)
        names = list(archive.places)
        vid, state = self.random.choice(VIDS), self.random.choice(AWAY)
        # Mostly all that can wait for the tape does, and nobody reads it, so that there is something to clean up.
        if self.random.random() < 0.7:
            archive.hold_all_but(vid)
        archive.submit(self.random.choices(names, k=REQUESTS // 2))
        rest = [self.random.choices(names, k=50) for _ in range(REQUESTS // 100)]
        struck = []
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            submitting = pool.submit(lambda: [archive.submit(some) for some in rest])
            time.sleep(self.random.uniform(0, 0.2))
            self.assertIn(archive.ask(vid, state), (200, 202))
            for _ in range(1 if is_pause else self.random.randint(1, 3)):
                victim = self.choose_victim(is_pause)
                struck.append(victim.name)
                self.strike(victim, is_pause, lambda: archive.let_go_all_but(vid))
            submitting.result()
        self.settle(vid, state)
        mine = set(archive.acknowledged) - before
        failed = self.verify(mine)
        for request in failed:
            self.assertEqual((vid,), archive.places[archive.file_of(request)], "another copy could have been read")
        self.assertEqual(200, archive.ask(vid, "ACTIVE"))
        blows = f"{'paused' if is_pause else 'killed'} {' '.join(struck)}"
        return f"run {number}: {vid} {state}, {blows}: {len(mine)} requests, {len(failed)} failed"

    def settle(self, vid, state):
        archive = self.archive
        harness.wait_until(lambda: archive.reported() >= set(archive.acknowledged), PATIENCE_S, self.what_is_missing)
        harness.wait_until(lambda: archive.state(vid) == state, PATIENCE_S, lambda: f"{vid} is {archive.state(vid)}")
        harness.wait_until(archive.check, PATIENCE_S, lambda: json.dumps(archive.last_check)[:3000])

    def what_is_missing(self, ids=None):
        archive = self.archive
        missing = sorted(set(ids or archive.acknowledged) - archive.reported())
        shown = [archive.server.api.call("GET", f"/api/v1/retrieves/{request}").body[:500] for request in missing[:5]]
        return (f"{len(missing)} are not reported: {list(zip(missing, shown))}; tapes {[archive.state(vid) for vid in VIDS]}; "
                f"queues {archive.server.api.get('/api/v1/queues')}")

    def verify(self, ids):
        """Each was told in one way; what was delivered is there, byte for byte; what failed has a reason. Those that failed."""
        archive, failed = self.archive, set()
        keys = {f"{request}/1" for request in ids}
        for key in keys & set(archive.receiver.receipts):
            bodies = archive.receiver.receipts[key]
            self.assertEqual(1, len(set(bodies)), f"{key}: {bodies}")
            report = json.loads(bodies[0])
            self.assertEqual((key, archive.file_of(report["request"])), (f"{report['request']}/1", report["file"]))
            if report["status"] == "done":
                path = archive.buffer / archive.acknowledged[report["request"]]
                self.assertEqual(archive.contents[report["file"]], path.read_bytes(), report)
            else:
                self.assertEqual("failed", report["status"])
                self.assertRegex(report["error"], r"\S")
                failed.add(report["request"])
        return failed

    def end_well(self):
        archive = self.archive
        twice = sum(len(bodies) > 1 for bodies in archive.receiver.receipts.values())
        ways = [key for key, bodies in archive.receiver.receipts.items() if len(set(bodies)) > 1]
        self.assertEqual([], ways, "also what nobody knows to have been taken is told in one way")
        self.say(f"{len(archive.acknowledged)} requests acknowledged; by the logs: {archive.told()}; "
                 f"reported more than once: {twice}")
        self.say(f"{self.losses} lost what they had to others while they were stopped; refused and counted: {dict(self.late)}")
        self.assertEqual(self.losses > 0, self.late.total() > 0)
        for path in (archive.buffer / "out").iterdir():
            self.assertEqual(archive.contents[archive.wanted[f"out/{path.name}"]], path.read_bytes())
        for process in archive.drives + archive.cleaners:
            self.assertEqual(0, process.end(seconds=30), process.name)
        ledger = archive.ledger()
        self.assertEqual(0, ledger["unaccounted"], ledger)
        self.assertGreaterEqual(ledger["enqueued"], len(archive.acknowledged))
        self.say(f"the ledger: {ledger}")
        archive.server.process.kill()
        archive.server.start()
        self.assertEqual(0, harness.unaccounted(archive.server))

    def strike_in_runs(self, runs):
        began, self.caught = time.monotonic(), 0
        for number in range(runs):
            self.say(f"{time.monotonic() - began:.1f} s: {self.strike_during_a_cleanup(number, number % 3 == 2)}")
        self.say(f"{self.caught} were struck in the middle of a cleanup")
        ended = len(self.archive.reported() & set(self.archive.acknowledged))
        self.end_well()
        self.record_end(ended)

    def record_end(self, ended):
        acknowledged = len(self.archive.acknowledged)
        self.record(blows=self.blows, acknowledged=acknowledged, ended=ended, unaccounted=acknowledged - ended)

    def test_whoever_is_struck_while_a_queue_is_cleaned_up_on_lmdb(self):
        self.archive = Archive(self, drives=1)
        self.strike_in_runs(self.runs)

    def test_whoever_is_struck_while_a_queue_is_cleaned_up_on_rados(self):
        with harness.private_ceph(self) as ceph:
            self.archive = Archive(self, drives=1, store=ceph.address())
            self.strike_in_runs(5)

    def test_the_ledger_balances_after_a_storm(self):
        # Files that are flushed to a disk keep the drives busy.
        self.archive = Archive(self, drives=3, buffer=self.directory / "buffer")
        self.cancels = collections.defaultdict(list)
        self.counts = collections.Counter()
        end = time.monotonic() + self.seconds

        def repeat(deed, period, seed):
            dice = random.Random(seed)
            while time.monotonic() < end:
                with contextlib.suppress(OSError, harness.Refused, http.client.HTTPException):
                    deed(dice)
                time.sleep(dice.uniform(0, 2 * period))

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            deeds = {self.submit_some: 0.1, self.cancel_one: 0.05, self.change_a_tape: 0.4}
            beside = [pool.submit(repeat, deed, period, self.random.random()) for deed, period in deeds.items()]
            # Here, because a process ends with the thread that started it.
            repeat(self.strike_somebody, 0.7, self.random.random())
            for done in beside:
                done.result()
        self.bring_everything_back()
        harness.wait_until(lambda: self.balance() is not None, 2 * PATIENCE_S, lambda: f"the ledger: {self.unbalanced}")
        harness.wait_until(self.archive.check, PATIENCE_S, lambda: json.dumps(self.archive.last_check)[:3000])
        ended = self.balance()
        self.say(f"{dict(ended)} after {dict(self.counts)}")
        self.end_well()
        self.record_end(ended["done"] + ended["failed"] + ended["cancelled"])

    def submit_some(self, dice):
        self.counts["submissions"] += 1
        self.archive.submit(dice.choices(list(self.archive.places), k=dice.randint(1, 40)))

    def cancel_one(self, dice):
        acknowledged = list(self.archive.acknowledged)
        if not acknowledged:
            return
        request = dice.choice(acknowledged[-300:])
        answers = self.cancels[request]
        answers.append(None)  # until it is known what it came to
        answers[-1] = self.archive.server.api.call("DELETE", f"/api/v1/retrieves/{request}").status
        self.counts[f"cancel {answers[-1]}"] += 1

    def change_a_tape(self, dice):
        state = dice.choice(("ACTIVE", "ACTIVE", "ACTIVE", "DISABLED", "REPACKING", "REPACKING_DISABLED", "BROKEN", "EXPORTED"))
        self.counts[f"state {self.archive.ask(dice.choice(VIDS), state)}"] += 1

    def strike_somebody(self, dice):
        archive = self.archive
        victim = dice.choice([archive.server.process, *archive.cleaners * 2, *archive.drives])
        is_pause = dice.random() < 0.2
        self.look_at_fenced()
        self.strike(victim, is_pause)
        self.counts[f"{'server' if victim is archive.server.process else 'other'} {'paused' if is_pause else 'killed'}"] += 1

    def bring_everything_back(self):
        """Nobody is struck any more, and every tape is read."""
        for vid in VIDS:
            def is_active(vid=vid):
                way = "REPACKING" if self.archive.state(vid) == "REPACKING_DISABLED" else "ACTIVE"
                self.archive.ask(vid, way)
                return self.archive.state(vid) == "ACTIVE"

            harness.wait_until(is_active, PATIENCE_S, lambda vid=vid: f"{vid} is {self.archive.state(vid)}")

    def balance(self):
        """How many of the acknowledged ended in which way; None while one has not ended."""
        archive, reported = self.archive, self.archive.reported()
        ended = collections.Counter()
        self.unbalanced = []
        for request in list(archive.acknowledged):
            is_gone = request in self.cancels and archive.server.api.call("GET", f"/api/v1/retrieves/{request}").status == 404
            if request in reported:
                self.assertFalse(is_gone, f"{request} was cancelled, and reported")
                self.assertNotIn(200, self.cancels.get(request, []), f"{request} was cancelled, and reported")
            elif is_gone:
                ended["cancelled"] += 1
            else:
                self.unbalanced.append(request)
        if self.unbalanced:
            self.unbalanced = self.what_is_missing(self.unbalanced)
            return None
        told = set(archive.acknowledged) & reported
        ended["failed"] = len(self.verify(told))
        ended["done"] = len(told) - ended["failed"]
        ended["acknowledged"] = len(archive.acknowledged)
        self.assertEqual(ended["acknowledged"], ended["cancelled"] + ended["failed"] + ended["done"])
        return ended


def take_number(flag, default):
    if flag not in sys.argv:
        return default
    at = sys.argv.index(flag)
    number = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return number


if __name__ == "__main__":
    ArchiveKillTest.runs = take_number("--runs", ArchiveKillTest.runs)
    ArchiveKillTest.seconds = take_number("--seconds", ArchiveKillTest.seconds)
    harness.main()
