"""Requesters that do not take their reports: what they do to those who do, and that nothing of theirs is lost. And requests that nobody is
to be told of."""
import json
import time

import harness
from archives import ArchiveStory
from requester import Requester

ATTEMPTS = 3
# What a requester does, and what is said of it.
MANNERS = {"500": "500", "hang": "", "reset": "", "lie": ""}
EACH = 3


class ReportsTest(ArchiveStory):
    def setUp(self):
        super().setUp()
        self.start(None, "--max-report-attempts", str(ATTEMPTS))
        self.tapes("V1", "V2")
        # A target is a host and a port: each manner has one of its own.
        self.requesters = {manner: Requester(self) for manner in MANNERS}

    def submit_to(self, manner, names):
        """None: nobody is to be told."""
        requester = self.requesters.get(manner, self.requester)
        told = {"report_to": requester.url(manner)} if manner else {}
        body = [{"file": name, "destination": f"back/{name}", **told} for name in names]
        answers = self.api.post("/api/v1/retrieves", body)
        self.requests.update((answer["id"], name) for answer, name in zip(answers, names, strict=True))
        return [answer["id"] for answer in answers]

    def do(self, *words):
        done = self.client(self.server, *words, "--output", "json")
        self.assertEqual(0, done.returncode, f"{words}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout else None

    def failed(self):
        return {each["id"]: each for each in self.do("failed", "list")["failed"]}

    def prepare(self):
        """By manner and by how they end, requests; and one that ends well for each that does not."""
        self.sent = {}
        for vid, how in (("V1", "failed"), ("V2", "done")):
            for manner in (*MANNERS, "ok", None):
                names = [f"{manner}-{how}-{i}" for i in range(EACH)]
                self.archive(names, [vid])
                self.sent[manner, how] = self.submit_to(manner, names)
        self.set_state("V1", "BROKEN")
        self.drive()

    def expect_to_wait_for_the_operator(self):
        """All whose requester could not be told, and those that failed and nobody is told of."""
        stuck = {request for (manner, how), requests in self.sent.items() if manner in MANNERS or (manner, how) == (None, "failed")
                 for request in requests}
        harness.wait_until(lambda: set(self.failed()) == stuck, 90, lambda: f"{len(stuck)} failed, there are {len(self.failed())}")
        failed = self.failed()
        for (manner, how), requests in self.sent.items():
            for request in requests:
                if manner in MANNERS:
                    self.expect_tried(manner, failed[request], how)
                elif (manner, how) == (None, "failed"):
                    self.assertRegex(failed[request]["errors"][-1], r"V1 is [A-Z_]+: ")
                    self.assertIsNone(failed[request]["report_to"])
                else:
                    shown = self.api.get(f"/api/v1/retrieves/{request}")
                    self.assertEqual((how, manner == "ok"), (shown["state"], shown["reported"]), shown)
        return stuck

    def expect_tried(self, manner, failed, how):
        self.assertRegex(failed["errors"][-1], rf"could not be told, tried {ATTEMPTS} times, at last: .*{MANNERS[manner]}")
        bodies = self.requesters[manner].bodies[f"{failed['id']}/1"]
        self.assertEqual(1, len(set(bodies)), bodies)
        self.assertEqual(how, json.loads(bodies[0])["status"])
        # A connection that was closed meanwhile may cost a second try.
        self.assertLessEqual(len(bodies), 2 * ATTEMPTS)
        if manner == "500":
            self.assertEqual(ATTEMPTS, len(bodies))

    def retry(self, stuck):
        """With targets that work, and the tape back in service: round 2, in which nothing is read that was delivered."""
        for requester in self.requesters.values():
            requester.is_mended = True
        self.set_state("V1", "ACTIVE")
        removed = stuck.pop()
        self.do("failed", "remove", removed)
        self.assertEqual(404, self.api.call("GET", f"/api/v1/retrieves/{removed}").status)
        for request in stuck:
            self.do("failed", "retry", request)
        harness.wait_until(lambda: all(self.shown(request)["state"] == "done" for request in stuck), 60,
                           lambda: [self.shown(request) for request in stuck if self.shown(request)["state"] != "done"][:3])
        self.assertEqual({}, self.failed())
        for manner, requester in self.requesters.items():
            for request in stuck & {request for how in ("failed", "done") for request in self.sent[manner, how]}:
                self.expect_second_round(requester, request)
        return removed

    def shown(self, request):
        return self.api.get(f"/api/v1/retrieves/{request}")

    def expect_second_round(self, requester, request):
        self.assertIn(f"{request}/2", requester.receipts)
        bodies = requester.bodies[f"{request}/2"]
        self.assertEqual(1, len(set(bodies)), bodies)
        report, name = json.loads(bodies[0]), self.requests[request]
        vid = "V1" if "-failed-" in name else "V2"
        self.assertEqual((request, 2, name, "done", None, vid, 1),
                         tuple(report[key] for key in ("request", "round", "file", "status", "error", "vid", "attempt")))
        self.assertEqual(self.files[name], (self.buffer / "back" / name).read_bytes())

    def test_whoever_takes_no_reports_loses_none_and_keeps_nobody_waiting_for_long(self):
        began = time.monotonic()
        self.prepare()
        told = {request for how in ("failed", "done") for request in self.sent["ok", how]}
        self.until_told(told)
        waited = time.monotonic() - began
        stuck = self.expect_to_wait_for_the_operator()
        gave_up = time.monotonic() - began
        delivered = {request: (self.buffer / "back" / name).stat().st_mtime_ns for request, name in self.requests.items() if "-done-" in name}
        removed = self.retry(set(stuck))
        for request, at in delivered.items():
            self.assertEqual(at, (self.buffer / "back" / self.requests[request]).stat().st_mtime_ns, "it was not read again")
        tries = {manner: sum(len(bodies) for key, bodies in requester.bodies.items() if key.endswith("/1"))
                 for manner, requester in self.requesters.items()}
        self.say(f"{len(self.requests)} requests: {len(told)} told within {waited:.1f} s, {len(stuck)} given up after {gave_up:.1f} s and "
                 f"tries {tries}; {len(stuck) - 1} retried, {removed} removed")
        self.check_store()


if __name__ == "__main__":
    harness.main()
