"""A tape leaves service, from the requester's side: what moved is read from its new tape, byte by byte; what could not move comes back with
the operator's words; and whoever waits for other tapes does not notice. On LMDB and on RADOS."""
import collections
import json
import pathlib
import re
import time

import harness
from archives import ArchiveStory


class ServiceEndsTest(ArchiveStory):
    """Whatever is put into one world here is cleaned up at the same time."""

    OTHERS = ("ACTIVE", "DISABLED", "REPACKING", "BROKEN")  # states of the tape with the other copy

    def prepare_pairs(self):
        """Of each state of the other tape five requests, all on the first; and five of files that have no other copy."""
        self.tapes("ALONE", *(f"{state}{i}" for state in self.OTHERS for i in (1, 2)))
        self.archive([f"alone{i}" for i in range(5)], ["ALONE"])
        for state in self.OTHERS:
            self.archive([f"{state}-{i}" for i in range(5)], [f"{state}1", f"{state}2"])
            self.set_state(f"{state}2", "DISABLED")  # so that all queue for the first
        queued = self.submit(list(self.files))
        self.assertEqual({copies[0] for copies in self.copies.values()}, {answer["vid"] for answer in queued})
        for state in self.OTHERS:
            self.set_state(f"{state}2", state)
            self.until_state(f"{state}2", state)
        self.pairs = [answer["id"] for answer in queued]

    def end_pairs(self):
        """The first of each pair leaves service, one way or another."""
        self.left = {}
        for vid in ("ALONE", *(f"{state}1" for state in self.OTHERS)):
            self.left[vid] = self.random.choice(("BROKEN", "EXPORTED", "REPACKING"))
            self.set_state(vid, self.left[vid])

    def prepare_mix(self):
        """Forty files with one to four copies on five tapes."""
        mixed = [f"MIX{i}" for i in range(1, 6)]
        self.tapes(*mixed)
        groups = collections.defaultdict(list)
        for number in range(40):
            groups[tuple(self.random.sample(mixed, self.random.randint(1, 4)))].append(f"mix{number}")
        for vids, names in groups.items():
            self.archive(names, vids)
        self.mix = [answer["id"] for answer in self.submit([name for names in groups.values() for name in names])]
        return mixed

    def end_mix(self, mixed):
        """Two of the five leave service at once, a third takes requests and is not mounted."""
        first, second, third = self.random.sample(mixed, 3)
        self.set_state(third, "DISABLED")
        for vid in (first, second):
            self.left[vid] = self.random.choice(("BROKEN", "EXPORTED"))
            self.set_state(vid, self.left[vid])
        return third

    def moved_and_failed(self):
        """By what the catalogue says: what has a copy on a tape that takes requests, and what has none."""
        takes = {vid: self.state(vid) in ("ACTIVE", "DISABLED") for copies in self.copies.values() for vid in copies}
        is_served = {request: any(takes[vid] for vid in self.copies[name]) for request, name in self.requests.items()}
        return [each for each in is_served if is_served[each]], [each for each in is_served if not is_served[each]]

    def tell(self, store):
        self.start(store)
        self.prepare_pairs()
        mixed = self.prepare_mix()
        began = time.monotonic()
        self.end_pairs()
        third = self.end_mix(mixed)
        for vid, state in self.left.items():
            self.until_state(vid, state)
        cleaned = time.monotonic() - began
        moved, failed = self.moved_and_failed()
        self.until_told(failed)
        for request in failed:
            self.assert_failed(request, *self.copies[self.requests[request]])
        self.serve_and_compare(moved, third)
        self.check_store()
        told = [len(bodies) for bodies in self.requester.bodies.values()]
        self.say(f"{len(self.left)} tapes left service in {cleaned:.2f} s: {len(moved)} requests served from {len(self.new_tapes)} tapes, "
                 f"{len(failed)} failed, {sum(told)} reports of {len(told)} keys")

    def serve_and_compare(self, moved, third):
        """What is said to wait for a tape is read from that tape."""
        shown = self.all_requests()
        waits_on = {request: shown[request]["vid"] for request in moved}
        self.assertFalse(set(waits_on.values()) & set(self.left), "nothing waits on a tape that left")
        self.new_tapes = set(waits_on.values())
        self.drive()
        not_mounted = {"DISABLED2", third}
        self.until_told(request for request, vid in waits_on.items() if vid not in not_mounted)
        for vid in not_mounted:
            self.set_state(vid, "ACTIVE")
        self.until_told(moved)
        for request, vid in waits_on.items():
            self.assert_served(request, vid)
        self.assertEqual({self.requests[request] for request in moved}, {path.name for path in (self.buffer / "back").iterdir()})

    def test_what_moved_is_served_and_what_failed_is_told_on_lmdb(self):
        self.tell(None)

    def test_what_moved_is_served_and_what_failed_is_told_on_rados(self):
        if not (pathlib.Path(self.reclaim).parents[1] / "lib/reclaim/objects_rados.so").exists():
            self.skipTest("built without RADOS")
        with harness.private_ceph(self) as ceph:
            self.tell(ceph.address("archive"))


class NobodyWaitsTest(ArchiveStory):
    def test_a_tape_in_a_drive_is_final_once_it_is_out_of_it(self):
        self.start()
        self.tapes("V1", "V2")
        self.archive([f"both{i}" for i in range(300)], ["V1", "V2"])
        self.archive([f"alone{i}" for i in range(300)], ["V1"])
        self.set_state("V2", "DISABLED")
        self.submit(list(self.files), "ok")
        moves, stuck, hook = (self.directory / name for name in ("moves", "stuck", "hook"))
        stuck.touch()
        hook.write_text(f'#!/bin/sh\necho "$@" >>{moves}\n[ "$1" = mount ] || while [ -e {stuck} ]; do sleep 0.02; done\n')
        hook.chmod(0o755)
        drive = self.drive("D1", "--mount-hook", hook)
        harness.wait_until(lambda: len(list(self.buffer.glob("back/*"))) > 0, 30, "the first file to be back")
        self.set_state("V1", "BROKEN")
        self.set_state("V2", "ACTIVE")
        harness.wait_until(lambda: "unmount V1" in moves.read_text().splitlines(), 30, "V1 to be on its way out of the drive")
        # The drive has nothing in hand any more, the queue is empty, and the tape is still in the drive.
        queues = lambda: [(each["vid"], each["type"]) for each in self.api.get("/api/v1/queues?vid=V1")["queues"]]
        harness.wait_until(lambda: ("V1", "to_transfer") not in queues(), 30, "the queue of V1 to be gone")
        for _ in range(3):
            self.api.post("/api/v1/maintenance/run", {"passes": ["cleanup"]})
            self.assertEqual("BROKEN_PENDING", self.state("V1"))
        self.assertEqual("D1", self.api.get("/api/v1/tapes/V1")["mounted_by"])
        delivered = {path.name for path in (self.buffer / "back").iterdir()}
        stuck.unlink()
        self.until_state("V1", "BROKEN")
        self.until_told(self.requests)
        reports = self.reports()
        for request, name in self.requests.items():
            if reports[request]["status"] == "done":
                self.assert_served(request, "V1" if name in delivered else "V2")
            else:
                self.assertTrue(name.startswith("alone"), reports[request])
                self.assert_failed(request, "V1")
        self.assertGreater(len(self.requests), len(delivered), "it left before all was read")
        self.assertEqual(0, drive.end())
        self.say(f"{len(delivered)} of {len(self.requests)} read before V1 left the drive")

    def damage(self, vid):
        """Its queue's checksum, in the store of a server that does not run."""
        path = self.server.data / "store" / "data.mdb"
        begin = rb"(RCLM\x01\0\x01\0).{8}(\x0a" + bytes([len(vid)]) + vid.encode() + rb"\x1a)"
        content, count = re.subn(begin, rb"\1--------\2", path.read_bytes(), flags=re.DOTALL)
        self.assertGreater(count, 0)
        path.write_bytes(content)

    def test_a_tape_whose_queue_cannot_be_read_is_final_without_help(self):
        self.start()
        self.tapes("V1", "V2", "V3")
        self.archive([f"both{i}" for i in range(30)], ["V1", "V2"])
        self.archive([f"alone{i}" for i in range(30)], ["V1"])
        self.set_state("V2", "DISABLED")
        for name in self.files:
            self.submit([name])
        self.server.process.end()
        self.damage("V1")
        self.server.start()
        self.set_state("V1", "BROKEN")
        self.set_state("V2", "ACTIVE")
        self.set_state("V3", "EXPORTED")
        self.until_state("V1", "BROKEN")
        self.until_state("V3", "EXPORTED")
        self.drive()
        self.until_told(self.requests)
        for request, name in self.requests.items():
            if name.startswith("both"):
                self.assert_served(request, "V2")
            else:
                self.assert_failed(request, "V1")
        words = ["--data", self.server.data, "--output", "json"]
        aside = json.loads(harness.run(self.reclaim, "store", "list", "damaged", *words))["objects"]
        self.assertEqual(["damaged/V1.t"], [each["name"].rsplit("-", 1)[0] for each in aside])
        shown = json.loads(harness.run(self.reclaim, "store", "show", aside[0]["name"], *words))
        self.assertIn("checksum", shown["message"]["reason"])
        self.assertEqual("queue/V1.t", shown["message"]["content"]["name"])
        self.check_ledger()

    CROWD = 100_000

    def prepare_crowd(self):
        """A hundred thousand requests on V1, of which a third goes to V2, a third to V3, and a third nowhere. No drive has these tapes."""
        for vid in ("V1", "V2", "V3"):
            self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "elsewhere"})
        for vid in ("V2", "V3"):
            self.set_state(vid, "DISABLED")
        for start in range(0, self.CROWD, 10_000):
            numbers = range(start + 1, start + 10_001)
            self.api.post("/api/v1/files", [{"id": f"c{i}", "size": 1000, "checksum": "adler32:1e0b0402", "copies":
                                             [{"vid": vid, "fseq": i} for vid in ("V1", *((), ("V2",), ("V3",))[i % 3])]} for i in numbers])
        for start in range(0, self.CROWD, 10_000):
            body = [{"file": f"c{i}", "destination": f"crowd/{i}"} for i in range(start + 1, start + 10_001)]
            self.assertTrue(all("id" in answer for answer in self.api.post("/api/v1/retrieves", body)))
        waiting = self.api.get("/api/v1/queues?vid=V1&type=to_transfer")["queues"][0]["requests"]
        self.assertEqual(self.CROWD, waiting)

    def probe(self, names):
        """How long one request on another tape takes, from its submission to its receipt."""
        began = time.monotonic()
        request = self.submit([next(names)], "ok")[0]["id"]
        self.until_told([request], 30)
        self.assert_served(request, "OTHER")
        return time.monotonic() - began

    def test_a_queue_of_100000_under_cleanup_delays_nobody_else(self):
        self.start()
        self.tapes("OTHER", "THIRD")
        self.archive([f"p{i}" for i in range(400)], ["OTHER"])
        names = iter(list(self.files))
        self.prepare_crowd()
        self.drive()
        before = [self.probe(names) for _ in range(5)]
        began = time.monotonic()
        self.set_state("V1", "BROKEN")
        self.set_state("THIRD", "BROKEN")
        self.until_state("THIRD", "BROKEN")
        third = time.monotonic() - began
        waits = []
        while self.state("V1") == "BROKEN_PENDING":
            waits.append(self.probe(names))
            self.assertLess(time.monotonic() - began, 60)
        took = time.monotonic() - began
        self.say(f"a request on another tape took {max(before):.2f} s from submission to receipt before, and {max(waits, default=0):.2f} s at "
                 f"most of {len(waits)} while {self.CROWD} were cleaned up in {took:.2f} s; another tape was final after {third:.2f} s")
        at_most = 20 if harness.is_sanitized(self.reclaim) else 5  # cmake allows a sanitizer four times as much, too
        self.assertLess(max(waits, default=0), at_most)
        self.assertLess(third, at_most)
        self.check_ledger(self.CROWD)


if __name__ == "__main__":
    harness.main(at_once=2)
