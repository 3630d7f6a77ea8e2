"""What is bad in the archive's own places: objects in the store whose bytes are damaged, tapes that are not as the catalogue has them, a
buffer in which something stands in the way. One row each; beside each are requests that have nothing to do with it and must be served.
"""
import json
import os
import socket
import stat
import unittest

import harness
import store_bytes
from archives import ArchiveStory
from bad_input import tree
from store_bytes import DAMAGES, HEADER, NO_ROW

ROWS_LEAST = 40
# What stays where it is, and what is said of it: bytes that cannot be had cannot be set aside, and a newer Reclaim's are not damaged.
LEFT = {NO_ROW: "cannot be read", "of a newer format": "format 2"}
# A drive has root's rights to what is its own, and no more.
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")


def away(place):
    os.rename(place, place.with_name(place.name + ".away"))


def replace(make):
    def change(place):
        away(place)
        make(place)
    return change


def bind_socket(place):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(place))


# What stands at a place of a tape instead of a file, and what is said of it. A link leads to the very file.
ON_TAPE = [
    ("a file that is gone", away, "No such file"),
    ("a file that is too short", lambda place: os.truncate(place, 3), "has 3 bytes"),
    ("a file that is empty", lambda place: os.truncate(place, 0), "has 0 bytes"),
    ("a file that is too long", lambda place: place.write_bytes(place.read_bytes() + b"x"), "has more than"),
    ("a file with other bytes", lambda place: place.write_bytes(store_bytes.flip(place.read_bytes())), "has the checksum"),
    ("a directory", replace(os.mkdir), "not a regular file"),
    ("a link to the file", replace(lambda place: place.symlink_to(place.name + ".away")), "symbolic link"),
    ("a link to itself", replace(lambda place: place.symlink_to(place.name)), "symbolic link"),
    ("a fifo", replace(os.mkfifo), "not a regular file"),
    ("a socket", replace(bind_socket), "No such device"),
    ("a device", replace(lambda place: os.mknod(place, stat.S_IFCHR | 0o644, os.makedev(1, 5))), "not a regular file"),
    ("a file that may not be read", lambda place: place.chmod(0), "Permission denied"),
]

# What stands where a tape should be. Its requests wait.
TAPES = [
    ("a tape that is gone", away),
    ("a file for a tape", replace(lambda place: place.write_text("no tape"))),
    ("a link to the tape", replace(lambda place: place.symlink_to(place.name + ".away"))),
    ("a tape that may not be read", lambda place: place.chmod(0)),
]


def file_at(path):
    path.write_text("precious")


def directory_at(path):
    path.mkdir()
    (path / "file").write_text("precious")


def parent(make):
    return lambda path: make(path.parent)


def read_only_parent(path):
    path.parent.mkdir()
    path.parent.chmod(0o555)


def mounted_parent(path):
    path.parent.mkdir()
    harness.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path.parent)


# What stands at a destination, or on the way to it, and what its request is told. Beside the buffer is a directory `outside`.
IN_BUFFER = [
    ("another file", "a{}", file_at, "another file already"),
    ("a directory for a destination", "a{}", directory_at, "not a regular file"),
    ("a link out of the buffer", "a{}", lambda path: path.symlink_to("../outside/precious"), "symbolic link"),
    ("a link to nowhere", "a{}", lambda path: path.symlink_to("nowhere"), "symbolic link"),
    ("a fifo at the destination", "a{}", os.mkfifo, "not a regular file"),
    ("a way that is a link out of the buffer", "a{}/x", parent(lambda path: path.symlink_to("../outside")), "Not a directory"),
    ("a way that is a link within the buffer", "a{}/x", parent(lambda path: path.symlink_to("good")), "Not a directory"),
    ("a way that is a file", "a{}/x", parent(file_at), "Not a directory"),
    ("a way that may not be written", "a{}/x", read_only_parent, "Permission denied"),
    ("a way that may not be gone", "a{}/x/y", lambda path: read_only_parent(path.parent), "Permission denied"),
    ("another filesystem", "a{}/x", mounted_parent, "mount point"),
]


class Damage(ArchiveStory):
    def setUp(self):
        super().setUp()
        self.start()
        self.bytes = self.server.data / "store"

    def restart(self):
        """What the store holds in between."""
        self.assertEqual(0, self.server.process.end())
        found = store_bytes.read_rows(self.bytes)
        self.server.start()
        return found

    def damage(self, name, what, rows):
        """What it becomes."""
        row = DAMAGES[what](name, rows[name])
        store_bytes.write_rows(self.bytes, {name: row})
        return row

    def checked(self):
        """What the check of the store says; something is wrong with it."""
        done = self.client(self.server, "store", "check", "--data", self.server.data, "--output", "json")
        self.assertEqual(harness.FAILED, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def unreadable(self):
        return {finding["objects"][0] for finding in self.checked()["findings"] if finding["kind"] == "unreadable"}

    def shown(self, request):
        return self.api.call("GET", f"/api/v1/retrieves/{request}")

    def until_served(self, requests):
        """By request, the tape."""
        self.until_told(requests)
        for request, vid in requests.items():
            self.assert_served(request, vid)


class BytesTest(Damage):
    def submit_to(self, vids, number):
        answers = self.submit([f"{vid}-{number}" for vid in vids])
        self.assertEqual(vids, [answer["vid"] for answer in answers])
        return {vid: answer["id"] for vid, answer in zip(vids, answers, strict=True)}

    def test_segments_and_queues_that_are_damaged_hinder_nobody(self):
        rows = {f"{kind[0].upper()}{i}": (kind, what) for kind in ("segment", "queue") for i, what in enumerate(DAMAGES)}
        self.tapes(*rows)
        for vid in rows:
            self.archive([f"{vid}-{number}" for number in (1, 2, 3)], [vid])
        # Two segments in each queue, of which one is damaged, or the queue itself.
        first = self.submit_to(list(rows), 1)
        self.restart()
        second = self.submit_to(list(rows), 2)
        objects = self.restart()
        self.server.process.end()
        name_of = {vid: f"queue/{vid}.t" if rows[vid][0] == "queue" else f"segment/{first[vid].rpartition('-')[0]}" for vid in rows}
        damaged = {name_of[vid]: self.damage(name_of[vid], what, objects) for vid, (_, what) in rows.items()}
        self.assertEqual(set(damaged), self.unreadable())

        self.server.start()
        # Nobody can use a queue that is left as it is, and everybody is told so. The others are made anew.
        left = {vid for vid, (_, what) in rows.items() if what in LEFT}
        lost = {vid for vid in left if rows[vid][0] == "queue"}
        unusable = lambda: {queue["vid"] for queue in self.api.all("/api/v1/queues", "queues") if queue["problem"]}
        harness.wait_until(lambda: unusable() == lost, 30, lambda: f"all queues but {lost} to be made anew: {unusable()}")
        for vid in lost:
            refused = self.api.call("POST", "/api/v1/retrieves", {"file": f"{vid}-3", "destination": "x"})
            self.assertRegex(f"{refused.status} {refused.body}", f"409 .*{vid} is ACTIVE, but its queue takes nothing")
            self.assertEqual("queued", self.shown(first[vid]).json["state"])
        third = self.submit_to([vid for vid in rows if vid not in lost], 3)
        drive = self.drive()
        readable = {vid for vid in rows if rows[vid][0] == "queue"} - lost
        served = [(third, set(third)), (second, set(rows) - lost), (first, readable)]
        self.until_served({ids[vid]: vid for ids, vids in served for vid in vids})
        for vid, (kind, what) in rows.items():
            if kind == "segment":
                answer = self.shown(first[vid])
                says = LEFT.get(what, f"set aside as damaged/{name_of[vid].partition('/')[2]}")
                self.assertRegex(f"{answer.status} {answer.body}", f"500 .*{name_of[vid]}.*{says}", what)
        self.assertEqual(0, drive.end())
        self.expect_kept(damaged, {name_of[vid] for vid in left})

        store_bytes.write_rows(self.bytes, {name_of[vid]: objects[name_of[vid]] for vid in left})
        self.server.start()
        drive = self.drive("D2")
        self.until_served({ids[vid]: vid for ids, vids in ((first, left), (second, lost)) for vid in vids})
        self.assertEqual(0, drive.end())
        self.assertEqual(set(), self.unreadable())
        # Requests that were set aside are missed by number.
        self.assertEqual(len(DAMAGES) - len(LEFT), self.checked()["ledger"]["unaccounted"])
        self.say(f"{len(rows)} rows")

    def expect_kept(self, damaged, left):
        """Not a byte of what could not be read is thrown away."""
        self.server.process.end()
        self.assertEqual(left, self.unreadable())
        rows = store_bytes.read_rows(self.bytes)
        aside = {name.partition("/")[2].partition(".t-")[0]: row for name, row in rows.items() if name.startswith("damaged/")}
        for name, row in damaged.items():
            if name in left:
                self.assertEqual(row, rows[name])
            else:
                self.assertIn(row[HEADER:], aside[name.partition("/")[2].removesuffix(".t")], name)
        self.assertEqual(len(damaged) - len(left), len(aside))

    def test_mounts_agents_and_indexes_that_are_damaged_hinder_nobody_and_come_back_with_their_bytes(self):
        moved = self.prepare_index()
        vids = {"mount": "M", "agent": "A", "beat": "B"}
        self.tapes("G", *vids.values())
        for vid in ("G", *vids.values()):
            self.archive([f"{vid}-1", f"{vid}-2"], [vid])
        waiting = self.kill_drives_at_their_tapes(vids)
        self.assertEqual(0, self.server.process.end())
        objects = store_bytes.read_rows(self.bytes)
        names = {kind: next(name for name in objects if name.startswith(f"{kind}/{where}"))
                 for kind, where in (("mount", "M"), ("agent", "A"), ("beat", "B"), ("index", ""))}
        how = {"mount": "cut off", "agent": "of a newer format", "beat": "no message", "index": "flipped"}
        damaged = {names[kind]: self.damage(names[kind], how[kind], objects) for kind in names}
        self.assertLessEqual({names[kind] for kind in ("mount", "agent", "index")}, self.unreadable())

        self.server.start()
        self.drive("D9")
        good = {answer["id"]: "G" for answer in self.submit(["G-1", "G-2"])}
        self.until_served(good)
        self.until_served({waiting["B"]: "B"})  # its drive is dead for all to see
        answer = self.shown(moved[0])
        self.assertRegex(f"{answer.status} {answer.body}", f"500 .*{names['index']}")
        listed = {agent["name"]: agent["problem"] for agent in self.api.all("/api/v1/agents", "agents")}
        self.assertRegex(listed["A"], "format 2")
        for vid in ("M", "A"):
            self.assertEqual("queued", self.shown(waiting[vid]).json["state"])
        self.assertEqual(0, self.server.process.end())
        left = store_bytes.read_rows(self.bytes)
        self.assertEqual({}, {name: left.get(name) for name in damaged if name != names["beat"] and left.get(name) != damaged[name]})
        store_bytes.write_rows(self.bytes, {name: objects[name] for name in damaged if name in left})
        self.server.start()
        self.until_served({waiting[vid]: vid for vid in ("M", "A")})
        self.set_state("I3", "ACTIVE")
        self.until_served({request: "I3" for request in moved})
        self.check_store()

    def prepare_index(self):
        """Requests that only an index leads to: they went through two cleanups, each time with others that went elsewhere."""
        self.tapes("I1", "I2", "I3")
        for name, vids in (("once", ["I1", "I2"]), ("twice", ["I1", "I2", "I3"]), ("aside", ["I1", "I3"])):
            self.archive([name], vids)
        for vid in ("I2", "I3"):
            self.set_state(vid, "DISABLED")
        once, twice, aside = (answer["id"] for answer in self.submit(["once", "twice", "aside"]))
        self.set_state("I2", "ACTIVE")
        for vid in ("I1", "I2"):
            self.set_state(vid, "BROKEN")
            self.until_state(vid, "BROKEN")
        self.until_told([once])
        return [twice, aside]

    def kill_drives_at_their_tapes(self, vids):
        """While each has its tape loaded; what waits on the tapes, by tape."""
        hook = self.directory / "hook"
        hook.write_text("#!/bin/sh\nexec sleep 600\n")
        hook.chmod(0o755)
        drives, waiting = [], {}
        for vid in vids.values():
            waiting[vid] = self.submit([f"{vid}-1"])[0]["id"]
            drives.append(self.drive(vid, "--mount-hook", hook))
            mounted = lambda vid=vid: self.api.get(f"/api/v1/tapes/{vid}")["mounted_by"] == vid
            harness.wait_until(mounted, 20, f"{vid} to be mounted")
        for drive in drives:
            drive.kill()
        return waiting

    def test_without_its_root_a_store_takes_no_agents_and_loses_nothing(self):
        self.tapes("V1")
        self.archive(["f1", "f2"], ["V1"])
        first = self.submit(["f1"])[0]["id"]
        objects = self.restart()
        self.server.process.end()
        for what in ("flipped", "of a newer format", NO_ROW):
            self.damage("root/root", what, objects)
            self.assertEqual({"root/root"}, self.unreadable())
            self.server.start()
            refused = self.api.call("POST", "/api/v1/retrieves", {"file": "f2", "destination": "x"})
            self.assertEqual(500, refused.status, refused.body)
            self.assertIn("root/root", refused.body)
            self.assertEqual("queued", self.shown(first).json["state"])
            self.assertEqual(1, self.api.get("/api/v1/tapes/V1")["requests"])
            self.assertEqual(0, self.server.process.end())
        store_bytes.write_rows(self.bytes, {"root/root": objects["root/root"]})
        self.server.start()
        self.drive()
        self.until_served({request: "V1" for request in (first, self.submit(["f2"])[0]["id"])})
        self.check_store()


class PlacesTest(Damage):
    def submit_at(self, wanted):
        """Files by destination; ids by destination."""
        body = [{"file": name, "destination": at, "report_to": self.requester.url("ok")} for at, name in wanted.items()]
        ids = {at: answer["id"] for at, answer in zip(wanted, self.api.post("/api/v1/retrieves", body), strict=True)}
        self.requests.update((ids[at], name) for at, name in wanted.items())
        return ids

    def fseq_of(self, name):
        return self.api.get(f"/api/v1/files/{name}")["copies"][0]["fseq"]

    def report_of(self, request):
        report = self.reports()[request]
        return f"{report['status']} {report['error']}"

    def test_what_is_wrong_on_a_tape_fails_that_request_alone(self):
        self.tapes("L")
        self.archive([f"bad{i}" for i in range(len(ON_TAPE))] + ["good"], ["L"])
        for i, (_, make, _) in enumerate(ON_TAPE):
            make(self.library / "L" / str(self.fseq_of(f"bad{i}")))
        before = tree(self.library)
        ids = self.submit_at({f"out/{name}": name for name in self.files})
        drive = self.drive(through=WITHOUT_RIGHTS)
        self.until_told(ids.values())
        for i, (what, _, says) in enumerate(ON_TAPE):
            self.assertRegex(self.report_of(ids[f"out/bad{i}"]), f"^failed .*{says}", what)
        self.assertEqual({"good": self.files["good"]}, {path.name: path.read_bytes() for path in (self.buffer / "out").iterdir()})
        self.assertEqual(before, tree(self.library), "a drive only reads")
        self.assertEqual(0, drive.end())
        self.assertEqual([], list((self.buffer / ".drives").iterdir()))
        self.check_store()
        self.say(f"{len(ON_TAPE)} rows")

    def test_requests_wait_for_a_tape_that_is_none_and_no_other_waits(self):
        vids = [f"A{i}" for i in range(len(TAPES))]
        self.tapes(*vids, "Z")
        for vid in (*vids, "Z"):
            self.archive([f"{vid}-1"], [vid])
        waiting = self.submit_at({f"out/{vid}": f"{vid}-1" for vid in vids})
        for vid, (_, make) in zip(vids, TAPES, strict=True):
            make(self.library / vid)
        good = self.submit_at({"out/Z": "Z-1"})
        drive = self.drive(through=WITHOUT_RIGHTS)
        self.until_told(good.values())
        self.assertEqual({"queued"}, {self.shown(request).json["state"] for request in waiting.values()})
        for vid in vids:
            place, aside = self.library / vid, self.library / f"{vid}.away"
            if not aside.exists():
                place.chmod(0o755)
                continue
            place.unlink(missing_ok=True)
            aside.rename(place)
        self.until_told(waiting.values())
        for vid in vids:
            self.assertEqual(self.files[f"{vid}-1"], (self.buffer / "out" / vid).read_bytes())
        self.assertEqual(0, drive.end())
        self.check_store()
        self.say(f"{len(TAPES)} rows")

    def test_what_stands_at_a_destination_stays_and_fails_that_request_alone(self):
        self.tapes("V1")
        self.archive(["f"], ["V1"])
        outside = self.directory / "outside"
        outside.mkdir()
        (outside / "precious").write_text("precious")
        (self.buffer / "good").mkdir()
        wanted = {}
        for i, (_, at, make, _) in enumerate(IN_BUFFER):
            make(self.buffer / at.format(i))
            wanted[at.format(i)] = "f"
        before, around = tree(self.buffer), tree(outside)
        ids = self.submit_at({**wanted, "good/f": "f"})
        drive = self.drive(through=WITHOUT_RIGHTS)
        self.until_told(ids.values())
        for i, (what, at, _, says) in enumerate(IN_BUFFER):
            self.assertRegex(self.report_of(ids[at.format(i)]), f"^failed .*{says}", what)
        self.assertEqual(self.files["f"], (self.buffer / "good/f").read_bytes())
        self.assertEqual(0, drive.end())
        after = tree(self.buffer)
        made = {os.fsdecode(os.path.relpath(path, os.fsencode(self.buffer))) for path in after.keys() - before.keys()}
        self.assertEqual(({".drives", "good/f"}, around), (made, tree(outside)))
        self.assertEqual(before, {path: after[path] for path in before})
        self.check_store()
        self.say(f"{len(IN_BUFFER)} rows")

    def test_a_buffer_without_room_stops_its_drive_and_fails_nothing(self):
        self.tapes("V1")
        small = self.directory / "small"
        small.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small)
        self.archive(["f"], ["V1"])
        for name, size in (("half", 500_000), ("more", 2_000_000)):
            self.files[name] = self.random.randbytes(size)
            (self.source / name).write_bytes(self.files[name])
        harness.run(self.reclaim, "files", "archive", "--vid", "V1", "--library", f"dir:{self.library}", self.source / "half",
                    self.source / "more", "--server", self.server.url, "--token-file", self.server.token_file)
        filler = small / "filler"
        filler.write_bytes(bytes(800_000))
        ids = self.submit_at({f"out/{name}": name for name in ("f", "more", "half")})
        drive = self.drive(buffer=small)
        at_rest = lambda: self.api.get("/api/v1/drives/D1")["desired"] == "down"
        harness.wait_until(at_rest, 30, "the drive to put itself down")
        self.assertRegex(self.api.get("/api/v1/drives/D1")["reason"], "500000 bytes are more than the .* that are free in the buffer")
        harness.wait_until(lambda: self.shown(ids["out/half"]).json["state"] == "queued", 30, "what it had in hand to go back")
        filler.unlink()
        self.api.put("/api/v1/drives/D1", {"desired": "up"})
        self.until_told(ids.values())
        self.assertRegex(self.report_of(ids["out/more"]), "^failed .*2000000 bytes are more than the whole buffer")
        for name in ("f", "half"):
            self.assertEqual(self.files[name], (small / "out" / name).read_bytes())
        self.assertEqual(0, drive.end())
        self.check_store()


class TableTest(unittest.TestCase):
    def test_the_table_is_as_long_as_promised(self):
        count = 2 * len(DAMAGES) + len(ON_TAPE) + len(TAPES) + len(IN_BUFFER)
        print(f"{count} damages", flush=True)
        self.assertGreaterEqual(count, ROWS_LEAST)


if __name__ == "__main__":
    harness.main(at_once=2)
