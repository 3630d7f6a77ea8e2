"""What stories about the archive stand on: a server, a library of directories, a requester, drives."""
import json

import harness
from requester import Requester

FAST = ("--maintenance-interval", "100ms", "--agent-heartbeat", "100ms", "--agent-timeout", "5s", "--report-backoff", "50ms")
REASON = "dropped by the robot on Monday"


class ArchiveStory(harness.Story):
    server_flags = FAST

    def start(self, store=None, *flags):
        self.store = ["--store", store] if store else []
        self.server = harness.Server(self, *self.server_flags, *self.store, *flags)
        self.api = self.server.api
        self.requester = Requester(self)
        self.library, self.buffer, self.source = (self.directory / name for name in ("library", "buffer", "source"))
        for directory in (self.library, self.buffer, self.source):
            directory.mkdir()
        self.files, self.copies, self.requests = {}, {}, {}

    def tapes(self, *vids):
        for vid in vids:
            (self.library / vid).mkdir()
            self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})

    def archive(self, names, vids):
        for name in names:
            self.files[name] = f"{name}: ".encode() + self.random.randbytes(self.random.randrange(1, 5000))
            self.copies[name] = list(vids)
            (self.source / name).write_bytes(self.files[name])
        words = [word for vid in vids for word in ("--vid", vid)]
        done = self.client(self.server, "files", "archive", *words, "--library", f"dir:{self.library}", *(self.source / name for name in names))
        self.assertEqual(0, done.returncode, done.stderr)

    def submit(self, names, manner="slowly"):
        body = [{"file": name, "destination": f"back/{name}", "report_to": self.requester.url(manner)} for name in names]
        answers = self.api.post("/api/v1/retrieves", body)
        self.requests.update((answer["id"], name) for answer, name in zip(answers, names, strict=True))
        return answers

    def set_state(self, vid, state, reason=REASON):
        answer = self.api.call("PUT", f"/api/v1/tapes/{vid}/state", {"state": state, "reason": reason})
        self.assertIn(answer.status, (200, 202), answer.body)

    def state(self, vid):
        return self.api.get(f"/api/v1/tapes/{vid}")["state"]

    def until_state(self, vid, state, seconds=30):
        harness.wait_until(lambda: self.state(vid) == state, seconds, lambda: f"{vid} to be {state}: {self.api.get(f'/api/v1/tapes/{vid}')}")

    def drive(self, name="D1", *flags, buffer=None, through=()):
        """`through`: a program, with its first arguments, that runs it."""
        places = ["--library", f"dir:{self.library}", "--buffer", buffer or self.buffer, "--data", self.server.data, *self.store]
        drive = self.process(name, [*through, self.reclaim, "drive", "--name", name, *places, "--agent-heartbeat", "100ms",
                                    "--agent-timeout", "5s", *flags])
        drive.start()
        drive.wait_for("ready")
        return drive

    def all_requests(self):
        return {each["id"]: each for each in self.api.all("/api/v1/retrieves", "retrieves")}

    def reports(self):
        """Of each request that its requester has acknowledged: what it was told, always the same and under one key."""
        told = {}
        for key in list(self.requester.receipts):
            bodies = self.requester.bodies[key]
            self.assertEqual(1, len(set(bodies)), f"{key} was told in different ways: {bodies}")
            report = json.loads(bodies[0])
            self.assertEqual(f"{report['request']}/1", key)
            told[report["request"]] = report
        return told

    def until_told(self, requests, seconds=60):
        requests = set(requests)
        harness.wait_until(lambda: requests <= set(self.reports()), seconds,
                           lambda: f"reports of {[self.api.get(f'/api/v1/retrieves/{each}') for each in requests - set(self.reports())][:3]}")

    def assert_served(self, request, vid):
        report, name = self.reports()[request], self.requests[request]
        self.assertEqual(("done", vid), (report["status"], report["vid"]), report)
        self.assertEqual(self.files[name], (self.buffer / "back" / name).read_bytes())

    def assert_failed(self, request, *vids):
        """With a reason that names each of the tapes, its state and what the operator said."""
        report = self.reports()[request]
        self.assertEqual("failed", report["status"])
        for vid in vids:
            self.assertRegex(report["error"], rf'{vid} is [A-Z_]+: "{REASON}"')
        self.assertFalse((self.buffer / "back" / self.requests[request]).exists())

    def check_with(self, *flags):
        address = self.store or ["--store", f"lmdb:{self.server.data}/store"]
        return json.loads(harness.run(self.reclaim, "store", "check", *address, *flags, "--output", "json"))

    def check_store(self):
        def at_rest():
            report = self.check_with()
            return (report["findings"], report["more"], report["unsettled"]) == ([], 0, 0)

        harness.wait_until(at_rest, 30, "the store to be in order")
        self.check_ledger()

    def check_ledger(self, others=0):
        """Every request is accounted for, by the check of the store and by a server that has just started."""
        ledger = lambda: self.check_with("--database", f"sqlite:{self.server.data}/reclaim.db")["ledger"]
        even = lambda: ledger()["unaccounted"] == 0
        harness.wait_until(even, 30, lambda: f"the ledger to come out even: {ledger()}")
        self.assertEqual(len(self.requests) + others, ledger()["enqueued"])
        self.server.process.end()
        self.server.start()
        self.assertEqual(0, harness.unaccounted(self.server))
