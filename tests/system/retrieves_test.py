"""Requests to read files, from outside: submitted one by one and many at once, shown, listed and taken back, over the API and in the
client's words; what waits on a tape is seen in its queue; bad input changes nothing. On both engines."""
import subprocess

import harness
from harness import FAILED, USAGE


def file(name, *places):
    return {"id": name, "size": 12, "checksum": "adler32:1e0b0402", "copies": [{"vid": vid, "fseq": fseq} for vid, fseq in places]}


def wanted(name, **more):
    return {"file": name, "destination": f"run 7/{name}", **more}


class RetrievesTest(harness.Story):
    def start(self, postgres):
        self.server = harness.Server(self, "--maintenance-interval", "never", database=postgres.url() if postgres else None)
        self.api = self.server.api
        for vid in ("V1", "V2"):
            self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
        self.api.post("/api/v1/files", [file("f1", ("V1", 1), ("V2", 1)), file("f2", ("V1", 2)), file("f3")])

    def story_a_request_waits_where_it_is_said_to_and_survives_the_server(self, postgres):
        self.start(postgres)
        queued = self.api.post("/api/v1/retrieves", wanted("f2", requester="alice", priority=3))
        self.assertEqual("V1", queued["vid"])
        before = self.api.get(f"/api/v1/retrieves/{queued['id']}")
        self.assertEqual(("queued", "V1", 1, 0, []), tuple(before[key] for key in ("state", "vid", "copy", "attempts", "errors")))
        self.server.process.kill()
        self.server.start()
        self.assertEqual(before, self.api.get(f"/api/v1/retrieves/{queued['id']}"))
        self.assertEqual([before], self.api.get("/api/v1/retrieves")["retrieves"])
        queue = self.api.get("/api/v1/queues?vid=V1")["queues"]
        self.assertEqual([("to_transfer", 1, 12, None)], [(each["type"], each["requests"], each["bytes"], each["cleanup"]) for each in queue])
        self.assertEqual(1, self.api.get("/api/v1/tapes/V1")["requests"])
        self.assertEqual(409, self.api.call("DELETE", "/api/v1/files/f2").status, "a request names it")
        self.api.delete(f"/api/v1/retrieves/{queued['id']}")
        self.assertEqual(404, self.api.call("GET", f"/api/v1/retrieves/{queued['id']}").status)
        self.assertEqual(404, self.api.call("DELETE", f"/api/v1/retrieves/{queued['id']}").status)
        self.assertEqual(0, self.api.get("/api/v1/tapes/V1")["requests"])
        self.api.delete("/api/v1/files/f2")

    def story_a_plan_agrees_with_what_waits(self, postgres):
        self.start(postgres)
        self.api.post("/api/v1/retrieves", [wanted("f1") for _ in range(20)] + [wanted("f2") for _ in range(10)])
        waits = {vid: self.api.get(f"/api/v1/tapes/{vid}")["requests"] for vid in ("V1", "V2")}
        self.assertEqual(30, sum(waits.values()))
        plan = self.api.get("/api/v1/tapes/V1/state/plan?state=BROKEN")
        self.assertEqual(("BROKEN_PENDING", {"V2": waits["V1"] - 10} if waits["V1"] > 10 else {}, 10),
                         (plan["becomes"], plan["requeued"], plan["failed"]))
        self.assertEqual(waits["V1"], self.api.get("/api/v1/tapes/V1/state/plan?state=DISABLED")["staying"])
        self.assertEqual(202, self.api.call("PUT", "/api/v1/tapes/V1/state", {"state": "BROKEN", "reason": "torn"}).status)
        cleanup = self.api.get("/api/v1/queues?cleanup=true")["queues"]
        self.assertEqual([("V1", True, None)], [(each["vid"], each["cleanup"]["requested"], each["cleanup"]["agent"]) for each in cleanup])
        self.assertEqual(409, self.api.call("POST", "/api/v1/retrieves", wanted("f2")).status)
        self.assertEqual("V2", self.api.post("/api/v1/retrieves", wanted("f1"))["vid"])

    def story_bad_input_is_refused_by_name_and_changes_nothing(self, postgres):
        self.start(postgres)
        huge = 10**30
        for body, field in ((7, "body"), ({}, "file"), (wanted("f9"), "file"), (wanted("a/b"), "file"), ({"file": "f1"}, "destination"),
                            ({"file": "f1", "destination": ""}, "destination"), ({"file": "f1", "destination": "/etc/passwd"}, "destination"),
                            ({"file": "f1", "destination": "a/../b"}, "destination"), ({"file": "f1", "destination": "a\0b"}, "destination"),
                            ({"file": "f1", "destination": "x" * 5000}, "destination"), (wanted("f1", report_to="file:///x"), "report_to"),
                            (wanted("f1", report_to=7), "report_to"), (wanted("f1", priority=huge), "priority"),
                            (wanted("f1", policy="none"), "policy"), (wanted("f1", requester="x" * 5000), "requester"),
                            (wanted("f1", vid="V1"), "vid")):
            answer = self.api.call("POST", "/api/v1/retrieves", body)
            self.assertEqual((422, field), (answer.status, answer.json.get("field")), f"{body}: {answer.body[:300]}")
        self.assertEqual(409, self.api.call("POST", "/api/v1/retrieves", wanted("f3")).status, "it lies on no tape")
        for identity in ("x", "1", "1-1", "0-1-1", "1-1-1-1", "1-1-%31", "9" * 30 + "-1-1", "..", "1-1-2001"):
            for method, path in (("GET", f"retrieves/{identity}"), ("DELETE", f"retrieves/{identity}"), ("DELETE", f"failed/{identity}"),
                                 ("POST", f"failed/{identity}/retry")):
                self.assertEqual(404, self.api.call(method, f"/api/v1/{path}").status, f"{method} {path}")
        self.assertEqual([], self.api.get("/api/v1/retrieves")["retrieves"])
        self.assertEqual([], self.api.get("/api/v1/failed")["failed"])


class RetrievesClientTest(harness.ClientStory):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--maintenance-interval", "never")
        for vid in ("V1", "V2"):
            self.server.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
        self.server.api.post("/api/v1/files", [file(f"f{i}", ("V1", i)) for i in range(1, 101)])

    def test_one_request_from_submission_to_cancel(self):
        self.assertRegex(self.do("retrieves", "submit", "f1", "run 7/f1", "--requester", "alice"), r"\AID +VID\n[0-9-]+ +V1\n\Z")
        self.assertRegex(self.do("retrieves", "list"), r"\AID +FILE +STATE +VID.*\n[0-9-]+ +f1 +queued +V1")
        identity = self.json("retrieves", "list")["retrieves"][0]["id"]
        self.assertRegex(self.do("retrieves", "show", identity), r"state +queued\n(.*\n)*requester +alice\n")
        self.assertRegex(self.do("queues", "list"), r"VID +TYPE +REQUESTS +SIZE +OLDEST\nV1 +to_transfer +1 +12 B ")
        self.assertRegex(self.do("queues", "show", "V1"), r"vid +V1\ntype +to_transfer\nrequests +1\n")
        objects = self.json("store", "list", "segment", "--data", self.server.data)["objects"]
        self.assertEqual(1, len(objects))
        self.assertIn("alice", self.do("store", "show", objects[0]["name"], "--data", self.server.data))
        self.assertRegex(self.do("store", "check", "--data", self.server.data), r"requests\.to_transfer +1\n")
        self.do("retrieves", "cancel", identity)
        self.do("retrieves", "cancel", identity, code=FAILED)
        self.do("retrieves", "show", identity, code=FAILED)
        self.do("retrieves", "submit", "f1", "../f1", code=FAILED)
        self.assertIn("destination", self.error)
        self.do("retrieves", "submit", "f1", code=USAGE)
        self.do("retrieves", "list", "--state", "lost", code=USAGE)
        self.assertEqual([], self.json("failed", "list")["failed"])
        for verb in ("show", "retry", "remove"):
            self.do("failed", verb, identity, code=FAILED)

    def test_a_damaged_store_is_told_of_and_shown_as_far_as_it_can_be(self):
        self.do("retrieves", "submit", "f1", "run 7/f1", "--requester", "alice-the-requester")
        data = ("--data", self.server.data)
        name = self.json("store", "list", "segment", *data)["objects"][0]["name"]
        self.server.process.end()
        store = self.server.data / "store" / "data.mdb"
        store.write_bytes(store.read_bytes().replace(b"alice-the-requester", b"malice-is-not-here!"))
        said = self.do("store", "check", *data, code=FAILED)
        self.assertRegex(said, rf"\nbreaks A2, unreadable: {name}: ")
        self.assertIn("1 thing is broken", self.error)
        findings = self.json("store", "check", *data, code=FAILED)["findings"]
        self.assertEqual([("unreadable", "A2", [name])], [(each["kind"], each["invariant"], each["objects"]) for each in findings])
        self.assertRegex(self.do("store", "show", name, *data), r"damaged: .*\nbegins: 52 43 4c 4d")

    def test_many_at_once_are_each_answered_for_themselves(self):
        path = self.directory / "requests.csv"
        lines = [f"f{i % 100 + 1},run 7/{i},{i % 7}" for i in range(12_000)]
        lines[11_000] = "nothing,run 7/x,"
        path.write_text("\n".join(["file,destination,priority", *lines, ""]))
        said = self.do("retrieves", "submit", "--from", path, code=FAILED)
        self.assertIn("1 of 12000 requests refused", self.error)
        self.assertRegex(said, r"\A11999 requests are queued\.\n LINE +FIELD +REFUSED BECAUSE\n11002 +file ")
        self.assertEqual(11_999, self.json("queues", "list")["queues"][0]["requests"])
        self.assertEqual(11_999, len(self.json("retrieves", "list", "--vid", "V1")["retrieves"]))
        path.write_text('{"file":"f1","destination":"a, b"}\n' * 3)
        report = self.json("retrieves", "submit", "--from", path)
        self.assertEqual((3, 0, 3), (report["queued"], report["refused"], len(set(report["ids"]))))
        self.assertEqual("a, b", self.json("retrieves", "show", report["ids"][0])["destination"])
        command = [self.reclaim, "retrieves", "submit", "--from", "-", "--server", self.server.url, "--token-file", self.server.token_file]
        done = subprocess.run(command, input=b"file,destination\nf1,a\nf2,b\n", capture_output=True, check=False, timeout=60)
        self.assertEqual((0, b"2 requests are queued.\n", b""), (done.returncode, done.stdout, done.stderr))
        path.write_text("file,destination\nf1,a\nf1\n")
        self.do("retrieves", "submit", "--from", path, code=FAILED)
        self.assertIn("line 3: has 1 fields, not 2; nothing was sent", self.error)
        self.assertEqual(12_004, self.json("tapes", "show", "V1")["requests"])


harness.engines(RetrievesTest)

if __name__ == "__main__":
    harness.main(at_once=2)
