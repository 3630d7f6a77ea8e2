"""The archive's catalogue from outside: every cell of the table of tape states over the API, files and policies, the client's words, and
bad input, on both engines."""
import time

import harness
from harness import FAILED, USAGE
ASKED = ("ACTIVE", "DISABLED", "REPACKING", "REPACKING_DISABLED", "BROKEN", "EXPORTED")

# What becomes of a tape, by its state, in the order of ASKED. None: refused.
TABLE = {
    "ACTIVE": ("ACTIVE", "DISABLED", "REPACKING_PENDING", None, "BROKEN_PENDING", "EXPORTED_PENDING"),
    "DISABLED": ("ACTIVE", "DISABLED", "REPACKING_PENDING", None, "BROKEN_PENDING", "EXPORTED_PENDING"),
    "BROKEN": ("ACTIVE", "DISABLED", "REPACKING_PENDING", None, "BROKEN", "EXPORTED_PENDING"),
    "EXPORTED": ("ACTIVE", "DISABLED", "REPACKING_PENDING", None, "BROKEN_PENDING", "EXPORTED"),
    "REPACKING": ("ACTIVE", "DISABLED", "REPACKING", "REPACKING_DISABLED", "BROKEN", "EXPORTED"),
    "REPACKING_DISABLED": (None, None, "REPACKING", "REPACKING_DISABLED", "BROKEN", "EXPORTED"),
    "REPACKING_PENDING": (None, None, "REPACKING_PENDING", None, None, None),
    "BROKEN_PENDING": (None, None, None, None, "BROKEN_PENDING", None),
    "EXPORTED_PENDING": (None, None, None, None, None, "EXPORTED_PENDING"),
}


def tape(vid, **more):
    return {"vid": vid, "pool": "p", "library": "l", **more}


def file(name, *places, **more):
    copies = [{"vid": vid, "fseq": fseq} for vid, fseq in places]
    return {"id": name, "size": 12, "checksum": "adler32:1e0b0402", "copies": copies, **more}


class TapesTest(harness.Story):
    def start(self, postgres, maintenance="never"):
        self.server = harness.Server(self, "--maintenance-interval", maintenance, database=postgres.url() if postgres else None)
        self.api = self.server.api

    def refused(self, status, field, method, path, body=None):
        answer = self.api.call(method, path, body)
        self.assertEqual((status, field), (answer.status, answer.json.get("field")), f"{method} {path} {body}: {answer.body[:300]}")

    def ask(self, vid, state, reason=None):
        return self.api.call("PUT", f"/api/v1/tapes/{vid}/state", {"state": state, "reason": reason})

    def tape_in(self, vid, state):
        """Adds a tape; only asking brings one into a pending state."""
        final = state.removesuffix("_PENDING")
        if final == state:
            self.api.post("/api/v1/tapes", tape(vid, state=state, reason="" if state == "ACTIVE" else "before"))
        else:
            self.api.post("/api/v1/tapes", tape(vid))
            self.assertEqual(202, self.ask(vid, final, "before").status)

    def story_every_cell_of_the_table(self, postgres):
        self.start(postgres)
        for from_number, (before, row) in enumerate(TABLE.items()):
            for asked_number, (asked, expected) in enumerate(zip(ASKED, row, strict=True)):
                vid, cell = f"T{from_number}{asked_number}", f"{before} asked for {asked}"
                self.tape_in(vid, before)
                answer = self.ask(vid, asked, "after")
                shown = self.api.get(f"/api/v1/tapes/{vid}")
                if expected is None:
                    self.assertEqual((409, "urn:reclaim:conflict"), (answer.status, answer.json["type"]), cell)
                    self.assertEqual((before, "" if before == "ACTIVE" else "before"), (shown["state"], shown["reason"]), cell)
                    continue
                self.assertEqual(202 if expected.endswith("_PENDING") else 200, answer.status, cell)
                self.assertEqual(answer.json, shown, cell)
                self.assertEqual(expected, shown["state"], cell)
                comes_back = expected == "ACTIVE" and before != "ACTIVE"
                self.assertEqual("" if comes_back else "after", shown["reason"], cell)
            self.refused(422, "state", "PUT", f"/api/v1/tapes/{vid}/state", {"state": "BROKEN_PENDING", "reason": "x"})
        changes = [(event["tape"], event["from"], event["to"]) for event in self.api.all("/api/v1/events", "events")
                   if event["action"] == "tape-state" and event.get("reason") == "after"]
        told = [(f"T{i}{j}", before, after) for i, (before, row) in enumerate(TABLE.items()) for j, after in enumerate(row)
                if after not in (None, before)]
        self.assertEqual(told, changes, "one event for each change of state, none for what was refused")

    def story_a_pending_tape_survives_the_server(self, postgres):
        self.start(postgres)
        self.api.post("/api/v1/tapes", tape("V1"))
        self.assertEqual(202, self.ask("V1", "BROKEN", "torn at 30 m").status)
        before = self.api.get("/api/v1/tapes/V1")
        self.server.process.kill()
        self.server.start()
        self.assertEqual(("BROKEN_PENDING", "torn at 30 m"), (before["state"], before["reason"]))
        self.assertEqual(before, self.api.get("/api/v1/tapes/V1"))
        done = {run["pass"]: run for run in self.api.post("/api/v1/maintenance/run", {})["passes"]}["cleanup"]
        self.assertEqual((1, 0, []), (done["finished"], done["waiting"], done["problems"]))
        after = self.api.get("/api/v1/tapes/V1")
        self.assertEqual(("BROKEN", "torn at 30 m"), (after["state"], after["reason"]))
        self.assertEqual(0, self.api.post("/api/v1/maintenance/run", {"passes": ["cleanup"]})["passes"][0]["finished"])
        self.refused(422, "passes", "POST", "/api/v1/maintenance/run", {"passes": ["sweep"]})

    def story_a_tape_without_requests_is_final_at_once(self, postgres):
        self.start(postgres, maintenance="1h")  # what is done is done because the change wakes the pass
        for number, (asked, reason) in enumerate((("REPACKING", "half empty"), ("BROKEN", "torn"), ("EXPORTED", "to the vault"))):
            vid = f"V{number}"
            self.api.post("/api/v1/tapes", tape(vid))
            began = time.monotonic()
            self.assertEqual(202, self.ask(vid, asked, reason).status)
            harness.wait_until(lambda: self.api.get(f"/api/v1/tapes/{vid}")["state"] == asked, 30, f"{vid} to become {asked}")
            self.say(f"{asked}: final after {time.monotonic() - began:.3f} s")
            self.assertEqual(reason, self.api.get(f"/api/v1/tapes/{vid}")["reason"])
        last = [event for event in self.api.all("/api/v1/events", "events") if event["action"] == "tape-state"][-1]
        self.assertEqual(("pass:cleanup", "EXPORTED_PENDING", "EXPORTED"), (last["actor"], last["from"], last["to"]))

    def story_ten_thousand_files_at_once(self, postgres):
        self.start(postgres)
        for vid in ("V1", "V2"):
            self.api.post("/api/v1/tapes", tape(vid))
        files = [file(f"f{i}", ("V1", i), ("V2", 20_000 - i)) for i in range(1, 10_001)]
        files[4321]["copies"][0]["vid"] = "V9"
        answer = self.api.call("POST", "/api/v1/files", files)
        self.assertEqual(201, answer.status)
        results = answer.json
        self.assertEqual([4321], [i for i, result in enumerate(results) if "error" in result])
        self.assertEqual("[4321].copies[0].vid", results[4321]["error"]["field"])
        self.assertEqual(9_999, len(self.api.all("/api/v1/files", "files")))
        lie = [found["copies"][1]["fseq"] for found in self.api.all("/api/v1/files?vid=V2", "files")]
        self.assertEqual((sorted(lie), 9_999), (lie, len(lie)), "in the order in which they lie on the tape, page by page")
        self.assertEqual(409, self.api.call("DELETE", "/api/v1/tapes/V1").status)

    def story_bad_input_is_refused_by_name_and_changes_nothing(self, postgres):
        self.start(postgres)
        self.api.post("/api/v1/tapes", tape("V1"))
        self.api.post("/api/v1/files", file("f1", ("V1", 1)))
        before = self.picture()
        huge, long_text = 10**30, "x" * 5000
        for body, field in ((7, "body"), ([], "body"), (tape(""), "vid"), (tape("a/b"), "vid"), (tape("V" * 33), "vid"), (tape(7), "vid"),
                            (tape("V2", pool=""), "pool"), (tape("V2", library="l\n"), "library"), (tape("V2", state="active"), "state"),
                            (tape("V2", state="BROKEN"), "reason"), (tape("V2", state="BROKEN", reason="\t "), "reason"),
                            (tape("V2", reason=long_text), "reason"), (tape("V2", full="yes"), "full"), (tape("V2", drive=1), "drive")):
            self.refused(422, field, "POST", "/api/v1/tapes", body)
        for body, field in (({"state": None}, "state"), ({"state": "PENDING", "reason": "x"}, "state"), ({"state": "BROKEN"}, "reason"),
                            ({"state": "BROKEN", "reason": "a\0b"}, "reason"), ({"state": "BROKEN", "reason": long_text}, "reason"),
                            ({"state": ["BROKEN"], "reason": "x"}, "state"), ({"state": "ACTIVE", "force": True}, "force")):
            self.refused(422, field, "PUT", "/api/v1/tapes/V1/state", body)
            self.refused(404, None, "PUT", "/api/v1/tapes/V9/state", body)
        for body, field in ((7, "body"), (file("../f"), "id"), (file("f" * 129), "id"), (file("f2", size=-1), "size"),
                            (file("f2", size=huge), "size"), (file("f2", size="12"), "size"), (file("f2", checksum="adler32:xyz"), "checksum"),
                            (file("f2", checksum=long_text), "checksum"), (file("f2", copies={}), "copies"), (file("f2", copies=None), "copies"),
                            (file("f2", ("V1", 0)), "copies[0].fseq"), (file("f2", ("V1", huge)), "copies[0].fseq"),
                            (file("f2", ("V1", 2), ("V1", 3)), "copies[1].vid"), (file("f2", ("V9", 1)), "copies[0].vid"),
                            (file("f2", copies=[1]), "copies[0]"), (file("f2", *[("V1", i) for i in range(1, 18)]), "copies")):
            self.refused(422, field, "POST", "/api/v1/files", body)
        for body, field in (({"priority": huge}, "priority"), ({"min_age_s": -1}, "min_age_s"), ({"min_files": 0.5}, "min_files"),
                            ({"min_bytes": "1"}, "min_bytes"), ({"max": 1}, "max"), ([], "body")):
            self.refused(422, field, "PUT", "/api/v1/policies/p", body)
        self.refused(422, "name", "PUT", "/api/v1/policies/%2e%2e", {})
        self.refused(409, None, "POST", "/api/v1/files", file("f2", ("V1", 1)))
        self.refused(409, None, "POST", "/api/v1/tapes", tape("V1", pool="q"))
        for method, path in (("POST", "tapes"), ("PUT", "tapes/V1/state"), ("POST", "files"), ("PUT", "files/f1"), ("PUT", "policies/p")):
            self.refused(400, None, method, f"/api/v1/{path}", '{"a":1,"a":2}')
        for query in ("tapes?limit=0", "tapes?state=ACTIVE", "files?vid=V1&after=x", "files?vid=%2f", "policies?limit=100001"):
            self.assertEqual(422, self.api.call("GET", f"/api/v1/{query}").status, query)
        self.assertEqual(before, self.picture())

    def picture(self):
        return [self.api.all(f"/api/v1/{key}", key) for key in ("tapes", "files", "policies", "events")]


class CatalogueClientTest(harness.ClientStory):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--maintenance-interval", "never")

    def add_tapes(self, *vids):
        for vid in vids:
            self.do("tapes", "add", vid, "--pool", "default", "--library", "lib1")

    def test_the_life_of_a_tape(self):
        self.add_tapes("V00001", "V00002")
        self.assertRegex(self.do("tapes", "set-state", "V00001", "BROKEN", "--reason", "torn at 30 m"),
                         r"VID +STATE +POOL +LIBRARY +REASON +SINCE\nV00001 +BROKEN_PENDING +default +lib1 +torn at 30 m +2")
        self.assertEqual(["BROKEN_PENDING", "ACTIVE"], [tape["state"] for tape in self.json("tapes", "list")["tapes"]])
        self.assertRegex(self.do("tapes", "show", "V00001"), r"state +BROKEN_PENDING\nreason +torn at 30 m\n")
        self.do("tapes", "set-state", "V00001", "ACTIVE", code=FAILED)
        self.assertIn("tape V00001 is BROKEN_PENDING and cannot become ACTIVE", self.error)
        self.do("tapes", "set-state", "V00002", "DISABLED", code=FAILED)
        self.assertIn("reason: is required", self.error)
        self.do("tapes", "set-state", "V00002", "BROKEN_PENDING", "--reason", "x", code=USAGE)
        self.assertIn("STATE", self.error)
        self.assertRegex(self.do("events"), r"ACTION +TAPE +TO +REASON +ACTOR.*\n(.*\n)+.*tape-state +V00001 +BROKEN_PENDING +torn at 30 m")
        self.do("tapes", "remove", "V00002")
        self.do("tapes", "show", "V00002", code=FAILED)

    def test_files_and_policies(self):
        self.add_tapes("V1", "V2")
        self.do("files", "add", "f1", "--size", 12, "--checksum", "adler32:1E0B0402", "--copy", "V1:3", "--copy", "V2:8")
        self.assertEqual([("V1", 3), ("V2", 8)], [(copy["vid"], copy["fseq"]) for copy in self.json("files", "show", "f1")["copies"]])
        self.assertRegex(self.do("files", "list", "--vid", "V2"), r"f1 +12 +vid=V1 fseq=3, vid=V2 fseq=8 +adler32:1e0b0402")
        self.do("tapes", "remove", "V1", code=FAILED)
        self.assertIn("holds copies of files", self.error)
        self.do("files", "add", "f2", "--size", 1, "--checksum", "adler32:00000001", "--copy", "V1:3", code=FAILED)
        self.assertIn("V1:3 holds file f1", self.error)
        self.do("files", "set-copies", "f1", "--copy", "V2:8")
        self.do("tapes", "remove", "V1")
        self.do("files", "remove", "f1")
        self.assertEqual([], self.json("files", "list")["files"])
        self.do("policies", "set", "bulk", "--priority", 2, "--min-age", "1h", "--min-files", 500)
        self.assertRegex(self.do("policies", "list"), r"NAME +PRIORITY +MIN AGE +MIN FILES +MIN SIZE\nbulk +2 +1h +500 +0 B\n")
        self.assertEqual(3600, self.json("policies", "show", "bulk")["min_age_s"])
        self.do("policies", "remove", "bulk")
        self.do("policies", "show", "bulk", code=FAILED)

    def csv(self, text):
        path = self.directory / "catalogue.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def test_an_import_says_what_it_took_and_what_not_and_goes_on_when_repeated(self):
        self.add_tapes("V1", "V2")
        lines = [f"f{i},{i},adler32:{i:08x},V1:{i} V2:{i}" for i in range(1, 12_001)]
        lines[11_000] = "f11001,1,adler32:00000001,V9:1"
        lines[11_001] = "f11002,1,adler32:1,V1:11002"
        path = self.csv("\r\n".join(["id,size,checksum,copies", *lines, ""]))
        said = self.do("files", "import", path, code=FAILED)
        self.assertIn("2 of 12000 files refused", self.error)
        self.assertRegex(said, r"\A11998 files are in the catalogue\.\n LINE +ID +FIELD +REFUSED BECAUSE\n"
                               r"11002 +f11001 +copies\[0\]\.vid +no tape V9: add it first\n11003 +f11002 +checksum ")
        self.assertEqual(11_998, len(self.json("files", "list")["files"]))
        lines[11_000:11_002] = ["f11001,1,adler32:00000001,V1:11001", "f11002,1,adler32:00000001,V1:11002"]
        path = self.csv("\n".join(["id,size,checksum,copies", *lines]))
        self.assertEqual({"accepted": 12_000, "refused": 0, "refusals": []}, self.json("files", "import", path))

    def test_a_csv_that_is_none_sends_nothing_and_names_line_and_field(self):
        self.add_tapes("V1")
        good, titles = "f1,1,adler32:00000001,V1:1\n", "id,size,checksum,copies\n"
        for text, named in (("", "line 1"), (good, "line 1"), ("id;size;checksum;copies\n", "line 1"), (titles + good + "\n", "line 3"),
                            (titles + good + "f2,1\n", "line 3: has 2 fields"), (titles + good + "f2,1,c,V1:2,x\n", "line 3: has 5 fields"),
                            (titles + good + '"f2",1,c,V1:2\n', "line 3: id"), (titles + good + "a b,1,c,V1:2\n", "line 3: id"),
                            (titles + good + "f2,-1,c,V1:2\n", "line 3: size"), (titles + good + "f2,1e3,c,V1:2\n", "line 3: size"),
                            (titles + good + "f2,9007199254740992,c,V1:2\n", "line 3: size"), (titles + good + "f2,1,,V1:2\n", "line 3: checksum"),
                            (titles + good + "f2,1,c,V1\n", "line 3: copies"), (titles + good + "f2,1,c,V1:0\n", "line 3: copies"),
                            (titles + good + "f2,1,c,V1:2  V2:3\n", "line 3: copies"), (titles + good + "f2,1,c,V1:02x\n", "line 3: copies"),
                            (titles + good + "x" * 9000, "line 3: is longer"), (titles.encode() + b"f\xff\0,1,c,V1:1\n", "line 2: id")):
            self.do("files", "import", self.csv(text), code=FAILED)
            self.assertIn(named, self.error)
            self.assertIn("nothing was sent", self.error)
        self.assertEqual([], self.json("files", "list")["files"])

    def test_wrong_words_are_wrong_usage_and_name_the_flag(self):
        for words, named in (("tapes", "tapes"), ("tapes add", "VID"), ("tapes add V1", "--pool"), ("tapes add V1 --pool p", "--library"),
                             ("tapes add a/b --pool p --library l", "VID"), ("tapes add V1 --pool p --library l --state GONE", "--state"),
                             ("tapes set-state V1", "STATE"), ("tapes set-state V1 broken", "STATE"), ("tapes list extra", "extra"),
                             ("files add f1 --checksum c --copy V1:1", "--size"), ("files add f1 --size x --checksum c --copy V1:1", "--size"),
                             ("files add f1 --size 1 --checksum c", "--copy"), ("files add f1 --size 1 --checksum c --copy V1", "--copy"),
                             ("files import /nowhere.csv", "CSV"), ("policies set bulk --min-age soon", "--min-age"),
                             ("policies set bulk --min-files -1", "--min-files"), ("policies set a/b", "NAME")):
            self.do(*words.split(), code=USAGE)
            self.assertIn(named, self.error, words)

    def test_every_command_shows_an_example(self):
        for words in ("tapes add", "tapes list", "tapes show", "tapes set-state", "tapes remove", "files add", "files list", "files show",
                      "files set-copies", "files import", "files remove", "policies set", "policies list", "policies show", "policies remove"):
            self.assertIn(f"Example:\n  reclaim {words}", self.do(*words.split(), "--help"))


harness.engines(TapesTest)

if __name__ == "__main__":
    harness.main(at_once=2)
