"""Tape drives from outside: files archived onto tapes are asked for and come back, byte by byte, whatever becomes of drives and tapes."""
import os
import signal

import harness

AT_WORK = ("queued", "transferring")


class Drives(harness.Story):
    flags = ()

    def setUp(self):
        super().setUp()
        short = ("--maintenance-interval", "200ms", "--agent-heartbeat", "100ms", "--agent-timeout", "1s")
        self.server = harness.Server(self, *short, *self.flags)
        self.api = self.server.api
        self.library, self.buffer, self.source = (self.directory / name for name in ("library", "buffer", "source"))
        for directory in (self.library, self.buffer, self.source):
            directory.mkdir()
        self.contents = {}

    def tapes(self, *vids):
        for vid in vids:
            (self.library / vid).mkdir()
            self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})

    def archive(self, contents, *vids):
        paths = []
        for name, content in contents.items():
            self.contents[name] = content
            (self.source / name).write_bytes(content)
            paths.append(self.source / name)
        words = [word for vid in vids for word in ("--vid", vid)]
        done = self.client(self.server, "files", "archive", *words, "--library", f"dir:{self.library}", *paths)
        self.assertEqual(0, done.returncode, done.stderr)

    def submit(self, names):
        items = [{"file": name, "destination": f"out/{name}"} for name in names]
        return [answer["id"] for answer in self.api.post("/api/v1/retrieves", items)]

    def drive(self, name="D1", *flags):
        drive = self.process(name, [self.reclaim, "drive", "--name", name, "--library", f"dir:{self.library}", "--buffer", self.buffer,
                                    "--data", self.server.data, "--agent-heartbeat", "100ms", "--agent-timeout", "1s", *flags])
        drive.start()
        drive.wait_for("ready")
        return drive

    def served(self, ids):
        """The requests by file, once no drive has anything to do for any of them."""
        def all_served():
            shown = [self.api.get(f"/api/v1/retrieves/{request}") for request in ids]
            return {each["file"]: each for each in shown} if all(each["state"] not in AT_WORK for each in shown) else None

        def what():
            return [(each["id"], each["state"]) for each in map(lambda request: self.api.get(f"/api/v1/retrieves/{request}"), ids)]

        return harness.wait_until(all_served, 60, what)

    def pause(self, drive):
        """Stops it, and not in the middle of a write: that would stop everybody who writes to the embedded engines."""
        impatient = harness.Api(self.server.url, self.api.token, seconds=2)
        for _ in range(20):
            os.kill(drive.pid, signal.SIGSTOP)
            try:
                impatient.put("/api/v1/policies/probe")
                impatient.post("/api/v1/retrieves", {"file": "f0", "destination": "out/f0"})
                return
            except OSError:
                os.kill(drive.pid, signal.SIGCONT)
        self.fail("there was no moment to stop it")

    def wait_for_files(self, count):
        harness.wait_until(lambda: len(self.delivered()) >= count, 60, f"{count} files to be delivered")

    def delivered(self):
        out = self.buffer / "out"
        return {path.name: path.read_bytes() for path in out.iterdir()} if out.is_dir() else {}


class EndedTest(Drives):
    flags = ("--done-max", "2")

    def test_what_has_ended_is_shown_while_there_is_room(self):
        self.tapes("V1")
        self.archive({f"f{i}": b"content" for i in range(5)}, "V1")
        ids = self.submit(self.contents)
        self.drive()

        def shown():
            answers = [self.api.call("GET", f"/api/v1/retrieves/{request}") for request in ids]
            return [answer.json["state"] for answer in answers if answer.status == 200]

        harness.wait_until(lambda: shown() == ["done", "done"], 60, shown)
        self.assertEqual(self.contents, self.delivered())


class DriveTest(Drives):
    def test_what_was_archived_comes_back(self):
        self.tapes("V1", "V2")
        self.archive({f"f{i}": os.urandom(i * 70_001) for i in range(12)}, "V1", "V2")
        ids = self.submit(self.contents)
        drives = [self.drive("D1"), self.drive("D2")]
        self.served(ids)
        self.assertEqual(self.contents, self.delivered())
        self.assertEqual(["D1", "D2"], [drive["name"] for drive in self.api.all("/api/v1/drives", "drives")])
        for drive in drives:
            self.assertEqual(0, drive.end())
        self.assertEqual([], list((self.buffer / ".drives").iterdir()))
        self.assertEqual([], [agent for agent in self.api.all("/api/v1/agents", "agents") if agent["kind"] == "drive"])

    def test_a_damaged_copy_is_read_from_the_other_tape(self):
        self.tapes("V1", "V2")
        self.archive({"f1": b"one", "f2": b"two", "f3": b"three"}, "V1", "V2")
        self.archive({"alone": b"alone"}, "V1")
        (self.library / "V1" / "1").write_bytes(b"0ne")
        (self.library / "V1" / "2").unlink()
        (self.library / "V1" / "4").write_bytes(b"al")
        self.api.put("/api/v1/tapes/V2/state", {"state": "DISABLED", "reason": "so that V1 has its turn first"})
        ids = self.submit(self.contents)
        self.drive()
        alone = self.served([ids[3]])["alone"]
        self.assertEqual(6, alone["attempts"], alone)
        self.assertIn("has 2 bytes", alone["errors"][-1])
        self.api.put("/api/v1/tapes/V2/state", {"state": "ACTIVE"})
        self.assertEqual([4, 4, 1], [each["attempts"] for each in self.served(ids[:3]).values()])
        self.assertEqual({name: content for name, content in self.contents.items() if name != "alone"}, self.delivered())

    def test_a_killed_drive_loses_nothing(self):
        self.tapes("V1")
        self.archive({f"f{i}": os.urandom(1_000_003) for i in range(60)}, "V1")
        drive = self.drive()
        ids = self.submit(self.contents)
        for count in (5, 20):
            self.wait_for_files(count)
            drive.kill()
            drive.start()
        self.served(ids)
        self.assertEqual(self.contents, self.delivered())
        drive.wait_for("ready")
        self.assertEqual(0, drive.end())
        self.assertEqual([], list((self.buffer / ".drives").iterdir()), "what the killed ones had begun is gone")

    def test_a_stopped_drive_that_wakes_late_destroys_nothing(self):
        self.tapes("V1")
        self.archive({f"f{i}": os.urandom(1_000_003) for i in range(60)}, "V1")
        first = self.drive("D1")
        ids = self.submit(self.contents)
        self.wait_for_files(1)
        self.pause(first)
        self.drive("D2")
        self.served(ids)
        harness.wait_until(lambda: all(agent["name"] != "D1" for agent in self.api.all("/api/v1/agents", "agents")), 30, "D1 to be collected")
        os.kill(first.pid, signal.SIGCONT)
        self.assertEqual(self.contents, self.delivered())
        first.wait_for("registered anew")
        self.assertEqual(self.contents, self.delivered())
        self.assertEqual(0, first.end())

    def test_a_tape_that_leaves_service_ends_its_mount(self):
        self.tapes("V1", "V2")
        self.archive({f"f{i}": os.urandom(500_009) for i in range(60)}, "V1", "V2")
        self.archive({f"alone{i}": os.urandom(500_009) for i in range(60)}, "V1")
        ids = self.submit(self.contents)
        self.drive()
        self.wait_for_files(1)
        answer = self.api.call("PUT", "/api/v1/tapes/V1/state", {"state": "BROKEN", "reason": "torn at 30 m"})
        self.assertEqual(202, answer.status)
        served = self.served(ids)
        harness.wait_until(lambda: self.api.get("/api/v1/tapes/V1")["state"] == "BROKEN", 30, "V1 to be BROKEN")
        delivered = self.delivered()
        self.say(f"{len(delivered)} delivered, {len(served) - len(delivered)} failed")
        for name, each in served.items():
            if name in delivered:
                self.assertEqual(self.contents[name], delivered[name])
            else:
                self.assertTrue(name.startswith("alone"), each)
                self.assertIn("torn at 30 m", each["errors"][-1])

    def test_drives_go_down_and_up_and_move_tapes_with_a_hook(self):
        self.tapes("V1")
        self.archive({"f1": b"one", "f2": b"two"}, "V1")
        moves, stuck, hook = (self.directory / name for name in ("moves", "stuck", "hook"))
        hook.write_text(f'#!/bin/sh\necho "$@" >>{moves}\n[ ! -e {stuck} ] || {{ echo robot stuck >&2; exit 3; }}\n')
        hook.chmod(0o755)
        drive = self.drive("D1", "--mount-hook", str(hook))
        first = self.submit(["f1"])
        self.served(first)
        drive.wait_for("tape V1: 1 delivered")
        stuck.touch()
        second = self.submit(["f2"])
        harness.wait_until(lambda: self.api.all("/api/v1/drives", "drives")[0]["desired"] == "down", 30, "D1 to put itself down")
        self.assertIn("robot stuck", self.api.all("/api/v1/drives", "drives")[0]["reason"])
        drive.wait_for("tape V1: 0 delivered")
        self.assertEqual("DISABLED", self.api.get("/api/v1/tapes/V1")["state"])
        stuck.unlink()
        self.api.put("/api/v1/tapes/V1/state", {"state": "ACTIVE"})
        self.api.put("/api/v1/drives/D1", {"desired": "up"})
        self.served(second)
        self.assertEqual(0, drive.end())
        self.assertEqual(["mount V1", "unmount V1"] * 3, moves.read_text().splitlines())
        self.assertEqual(self.contents, self.delivered())

    def test_bad_flags_are_wrong_usage(self):
        good = {"--name": "D1", "--library": f"dir:{self.library}", "--buffer": str(self.buffer), "--data": str(self.server.data)}
        for flag, value in (("--name", "../D1"), ("--library", "tape:x"), ("--buffer", "/nowhere"), ("--data", None),
                            ("--agent-heartbeat", "1ms"), ("--agent-timeout", "20ms")):
            words = [word for pair in {**good, flag: value}.items() if pair[1] is not None for word in pair]
            done = self.client(self.server, "drive", *words)
            self.assertEqual(2, done.returncode, f"{flag}: {done.stderr}")
            self.assertIn(flag, done.stderr)


if __name__ == "__main__":
    harness.main(at_once=2)
