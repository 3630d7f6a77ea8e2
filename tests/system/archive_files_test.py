"""`reclaim files archive`: files get onto the tapes of a library and into the catalogue, once, whatever is wrong with some of them."""
import json
import os
import zlib

import harness

DONE, FAILED, USAGE = 0, 1, 2


class ArchiveFilesTest(harness.Story):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--maintenance-interval", "never")
        self.library = self.directory / "library"
        self.source = self.directory / "source"
        self.source.mkdir()
        for vid in ("V1", "V2", "V3"):
            (self.library / vid).mkdir(parents=True)
            self.server.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})

    def write(self, name, content):
        path = self.source / name
        path.write_bytes(content)
        return path

    def archive(self, *words, code=DONE):
        done = self.client(self.server, "files", "archive", "--library", f"dir:{self.library}", *words)
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr}{done.stdout}")
        self.error = done.stderr
        return done.stdout

    def archived(self, *words, code=DONE):
        return json.loads(self.archive("--output", "json", *words, code=code))["files"]

    def on_tape(self, vid):
        return {entry.name: entry.read_bytes() for entry in (self.library / vid).iterdir()}

    def test_files_are_on_the_tapes_and_in_the_catalogue(self):
        contents = {"empty": b"", "small": b"abc", "large": os.urandom(3_000_001)}
        files = [self.write(name, content) for name, content in contents.items()]
        told = self.archived("--vid", "V1", "--vid", "V2", *files)
        self.assertEqual(["archived"] * 3, [file["result"] for file in told])
        self.assertEqual({"1": b"", "2": b"abc", "3": contents["large"]}, self.on_tape("V1"))
        self.assertEqual(self.on_tape("V1"), self.on_tape("V2"))
        for place, (name, content) in enumerate(contents.items(), 1):
            shown = self.server.api.get(f"/api/v1/files/{name}")
            self.assertEqual((len(content), f"adler32:{zlib.adler32(content):08x}"), (shown["size"], shown["checksum"]))
            self.assertEqual([{"vid": "V1", "fseq": place}, {"vid": "V2", "fseq": place}], shown["copies"])

    def test_again_goes_on_where_it_ended(self):
        first = self.write("f1", b"one")
        self.archive("--vid", "V1", first)
        again = self.archived("--vid", "V1", first, self.write("f2", b"two"))
        self.assertEqual(["kept", "archived"], [file["result"] for file in again])
        self.assertEqual({"1": b"one", "2": b"two"}, self.on_tape("V1"))
        self.assertEqual(["f1", "f2"], [file["id"] for file in self.server.api.all("/api/v1/files", "files")])

    def test_places_are_behind_what_lies_on_the_tape_and_what_the_catalogue_says(self):
        (self.library / "V1" / "7").write_bytes(b"unknown")
        self.server.api.post("/api/v1/files", {"id": "elsewhere", "size": 1, "checksum": "adler32:00620062", "copies": [{"vid": "V1", "fseq": 11}]})
        self.archive("--vid", "V1", self.write("f1", b"x"), self.write("f2", b"y"))
        self.assertEqual({"7": b"unknown", "12": b"x", "13": b"y"}, self.on_tape("V1"))

    def test_what_is_wrong_with_one_file_hinders_no_other(self):
        self.archive("--vid", "V1", self.write("changed", b"before"))
        self.write("changed", b"after!")
        (self.source / "directory").mkdir()
        good = self.write("good", b"good")
        told = self.archived("--vid", "V1", self.source / "changed", self.source / "directory", self.source / "missing",
                             self.write("a b", b"x"), good, code=FAILED)
        self.assertEqual(["refused"] * 4 + ["archived"], [file["result"] for file in told])
        self.assertIn("another file of this name", told[0]["error"]["detail"])
        self.assertRegex(self.error, r"\Areclaim: 4 of 5 files refused: [^\n]+\n\Z")
        self.assertEqual({"1": b"before", "2": b"good"}, self.on_tape("V1"))
        self.archive("--vid", "V2", good, code=FAILED)
        self.assertEqual({}, self.on_tape("V2"), "it is registered without a copy there, and that is said")

    def test_tapes_are_looked_at_first(self):
        good = self.write("good", b"good")
        (self.library / "V9").mkdir()
        (self.library / "V3").rmdir()
        self.server.api.post("/api/v1/tapes", {"vid": "V4", "pool": "p", "library": "l", "full": True})
        for words, why in ((("--vid", "V1", "--vid", "V9"), "V9"), (("--vid", "V3"), "no tape V3 in dir:"), (("--vid", "V4"), "V4 is full"),
                           (("--vid", "V1", "--vid", "../V1"), "--vid")):
            done = self.client(self.server, "files", "archive", "--library", f"dir:{self.library}", *words, good)
            self.assertIn(done.returncode, (FAILED, USAGE), words)
            self.assertIn(why, done.stderr)
            self.assertRegex(done.stderr, r"\Areclaim: [^\n]+\n\Z")
        for library in ("tape:x", "dir:", str(self.library)):
            done = self.client(self.server, "files", "archive", "--library", library, "--vid", "V1", good)
            self.assertEqual(USAGE, done.returncode, done.stderr)
        self.assertEqual({}, self.on_tape("V1"))
        self.assertEqual([], self.server.api.all("/api/v1/files", "files"))
        self.archive("--vid", "V1", good, self.source / "x" / "good", code=FAILED)
        self.assertIn("two files are called good", self.error)


if __name__ == "__main__":
    harness.main(at_once=4)
