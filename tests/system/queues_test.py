"""What waits in the archive's store and who works on it, from outside: the store looked into beside a running server, queues, drives and
agents over the API and in the client's words, and bad input."""
import contextlib
import re
import sqlite3

import harness
from harness import FAILED, USAGE


class StoreTest(harness.ClientStory):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--maintenance-interval", "never")

    def test_a_store_is_looked_into_beside_its_server(self):
        data = ("--data", self.server.data)
        objects = self.json("store", "list", *data)["objects"]
        self.assertEqual(sorted(found["name"].split("/")[0] for found in objects), sorted(found["name"].split("/")[0] for found in
                         self.json("store", "list", "--store", f"lmdb:{self.server.data}/store")["objects"]))
        self.assertRegex(self.do("store", "list", "queue", *data), r"\ANAME +VERSION +SIZE\n\Z")
        report = self.json("store", "check", *data)
        self.assertEqual(([], 0, 0), (report["findings"], report["more"], report["unsettled"]))
        self.assertRegex(self.do("store", "check", *data), r"\Aqueues +0\n(.*\n)*requests\.to_transfer +0\n")
        self.do("store", "show", "queue/V1.t", *data, code=FAILED)
        self.assertIn("the store holds no queue/V1.t", self.error)
        self.server.process.end()
        self.do("store", "check", *data)

    def test_what_is_asked_wrongly_of_a_store_is_said_in_one_line(self):
        data = ("--data", self.server.data)
        self.do("store", "list", "queues", *data, code=USAGE)
        self.assertIn("queue", self.error)
        for name in ("V1", "queue/", "../x", "queue/a b", "QUEUE/x"):
            self.do("store", "show", name, *data, code=USAGE)
        self.do("store", "check", code=USAGE)
        self.assertIn("say which store", self.error)
        self.do("store", "check", *data, "--store", "lmdb:/x", code=USAGE)
        self.do("store", "check", "--data", self.directory / "nowhere", code=USAGE)
        self.assertIn("--data: there is no store in", self.error)
        self.assertFalse((self.directory / "nowhere").exists(), "nothing is made")
        empty = self.directory / "empty"
        empty.mkdir()
        self.do("store", "check", "--store", f"lmdb:{empty}", code=USAGE)
        self.assertEqual([], list(empty.iterdir()), "nothing is made")
        self.do("store", "check", "--store", "s3:x", code=USAGE)
        junk = self.directory / "junk"
        junk.mkdir()
        (junk / "data.mdb").write_bytes(b"junk" * 5000)
        self.do("store", "list", "--store", f"lmdb:{junk}", code=FAILED)

    def test_queues_drives_and_agents_of_an_empty_archive(self):
        self.assertRegex(self.do("queues", "list"), r"\AVID +TYPE +REQUESTS")
        for flags in (("--cleanup",), ("--vid", "V1"), ("--type", "failed")):
            self.assertEqual([], self.json("queues", "list", *flags)["queues"])
        self.do("queues", "show", "V1", code=FAILED)
        self.assertIn("nothing waits on it", self.error)
        self.do("queues", "list", "--type", "lost", code=USAGE)
        self.assertEqual([], self.json("drives", "list")["drives"])
        self.do("drives", "down", "D1", code=USAGE)
        self.do("drives", "down", "D1", "--reason", "torn", code=FAILED)
        self.assertIn("no drive D1", self.error)
        self.do("drives", "up", "D1", code=FAILED)
        self.json("agents", "list")
        self.do("agents", "show", "nobody", code=FAILED)
        self.assertEqual(0, self.add_tape("V1")["requests"])
        self.assertRegex(self.do("tapes", "set-state", "V1", "BROKEN", "--dry-run"), r"becomes +BROKEN_PENDING\n(.*\n)*failed +0\n")
        self.do("tapes", "set-state", "V1", "REPACKING_DISABLED", "--dry-run", code=FAILED)
        self.assertEqual("ACTIVE", self.json("tapes", "show", "V1")["state"])
        harness.wait_until(lambda: 'reclaim_agents{state="alive"}' in self.server.metrics(), 30, "the archive's levels")
        metrics = self.server.metrics()
        waiting = [metrics[f'reclaim_queue_requests{{type="{kind}"}}'] for kind in ("to_transfer", "to_report", "failed")]
        self.assertEqual([0, 0, 0], waiting)
        states = [re.search('"(.*)"', name)[1] for name in metrics if name.startswith("reclaim_agents{")]
        self.assertEqual({"alive", "silent", "stuck", "collected", "unwatched"}, set(states))

    def test_the_ledger_comes_out_even_until_something_is_missing(self):
        self.add_tape("V1")
        for number in (1, 2, 3):
            copies = [{"vid": "V1", "fseq": number}]
            self.server.api.post("/api/v1/files", {"id": f"f{number}", "size": 1, "checksum": "adler32:00000001", "copies": copies})
        ids = [self.server.api.post("/api/v1/retrieves", {"file": f"f{number}", "destination": f"f{number}"})["id"] for number in (1, 2, 3)]
        self.do("retrieves", "cancel", ids[1])
        data, store = ["--data", self.server.data], ["--store", f"lmdb:{self.server.data}/store"]
        database = ["--database", f"sqlite:{self.server.data}/reclaim.db"]
        even = {"enqueued": 3, "queued": 2, "with_agents": 0, "moving": 0, "to_report": 0, "failed": 0, "done": 0, "cancelled": 1,
                "removed": 0, "unaccounted": 0}
        for of in (data, store + database):
            self.assertEqual(even, self.json("store", "check", *of)["ledger"])
        line = "C1: 3 enqueued = 2 queued + 0 with_agents + 0 moving + 0 to_report + 0 failed + 0 done + 1 cancelled + 0 removed; 0 unaccounted"
        self.assertIn(line, self.do("store", "check", *data).splitlines())
        self.assertIsNone(self.json("store", "check", *store)["ledger"])
        nowhere = self.directory / "nowhere.db"
        self.do("store", "check", *store, "--database", f"sqlite:{nowhere}", code=USAGE)
        self.assertFalse(nowhere.exists())
        self.do("store", "check", *store, "--database", "nothing", code=USAGE)
        self.assertEqual(0, harness.unaccounted(self.server))
        self.server.process.end()
        with contextlib.closing(sqlite3.connect(self.server.data / "reclaim.db")) as books, books:
            books.execute("INSERT INTO origins VALUES ('99-1', 2, 0)")
        for _ in ("before it is folded", "and afterwards"):
            self.assertIn("; 2 unaccounted\n", self.do("store", "check", *data, code=FAILED))
            self.assertIn("C1 is broken", self.error)
            self.server.start()
            self.assertEqual(2, harness.unaccounted(self.server))
            self.server.process.end()
        with contextlib.closing(sqlite3.connect(self.server.data / "reclaim.db")) as books:
            self.assertEqual([(2,)], books.execute("SELECT folded FROM ended_counts").fetchall())

    def test_a_server_that_runs_its_passes_knows_who_lives(self):
        watching = harness.Server(self, "--maintenance-interval", "100ms", name="watching")
        watching.api.post("/api/v1/tapes", {"vid": "V1", "pool": "p", "library": "l"})
        watching.api.post("/api/v1/files", {"id": "f1", "size": 1, "checksum": "adler32:00000001", "copies": [{"vid": "V1", "fseq": 1}]})
        watching.api.post("/api/v1/retrieves", {"file": "f1", "destination": "f1"})
        agents = lambda: {agent["kind"]: agent for agent in watching.api.get("/api/v1/agents")["agents"]}
        all_live = lambda: len(agents()) > 1 and {each["state"] for each in agents().values()} == {"alive"}
        harness.wait_until(all_live, 30, "all to be known to live")
        desk = agents()["desk"]
        self.assertEqual(desk["owned"], len(watching.api.get(f"/api/v1/agents/{desk['name']}@{desk['epoch']}")["objects"]))
        counted = lambda: watching.metrics().get('reclaim_agents{state="alive"}') == len(watching.api.get("/api/v1/agents")["agents"])
        harness.wait_until(counted, 30, "all to be counted")
        self.assertEqual(1, watching.metrics()['reclaim_queue_requests{type="to_transfer"}'])

    def add_tape(self, vid):
        return self.json("tapes", "add", vid, "--pool", "p", "--library", "l")


if __name__ == "__main__":
    harness.main(at_once=2)
