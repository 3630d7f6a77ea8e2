"""What the archive's processes count, each at a door of its own: passes and drives beside a server; and what is told of one that cannot
start."""
import os
import signal

import archives
import harness

DOOR = ("--metrics-listen", "127.0.0.1:0")
QUICK = ("--agent-heartbeat", "100ms", "--agent-timeout", "600ms", "--report-backoff", "50ms")
PASSES = ("--maintenance-interval", "100ms", *QUICK)
NEVER = ("--maintenance-interval", "never")


class ArchiveMetricsTest(archives.ArchiveStory):
    server_flags = ()

    def maintain(self, name):
        process = self.process(name, [self.reclaim, "maintenance", "--data", self.server.data, *PASSES, *DOOR])
        process.start()
        process.wait_for("ready")
        return process

    def until(self, process, name, least):
        harness.wait_until(lambda: process.metrics().get(name, 0) >= least, 30, lambda: f"{name} of {least}: {process.metrics()}")

    def test_a_drive_counts_what_it_copies(self):
        self.start(None, *NEVER, *QUICK)
        self.tapes("V1")
        self.archive(["a", "b", "c"], ["V1"])
        drive = self.drive("D1", *DOOR)
        self.assertEqual(0, drive.metrics()['reclaim_drive_tape{vid=""}'])
        self.submit(["a", "b"])
        self.until(drive, 'reclaim_drive_requests_total{outcome="delivered"}', 2)
        before = drive.metrics()
        self.assertEqual(2, before['reclaim_drive_files_total{result="delivered"}'])
        self.assertEqual(len(self.files["a"]) + len(self.files["b"]), before["reclaim_drive_bytes_total"])
        self.assertGreaterEqual(before["reclaim_drive_mounts_total"], 1)
        self.assertEqual(before["reclaim_drive_mounts_total"], before['reclaim_pass_seconds_count{pass="mount"}'])
        for call in ("create", "read", "replace", "list"):
            self.assertGreater(before[f'reclaim_store_calls_total{{op="{call}",result="ok"}}'], 0, call)
        (self.library / "V1" / "3").write_bytes(b"something else")
        self.submit(["c"])
        self.until(drive, 'reclaim_drive_requests_total{outcome="failed"}', 1)
        self.assertEqual(6, drive.metrics()['reclaim_drive_files_total{result="copy_failed"}'])
        self.assertGreater(drive.metrics()["reclaim_drive_mounts_total"], before["reclaim_drive_mounts_total"])
        self.assertEqual(0, drive.end())

    def test_a_drive_says_which_tape_it_has(self):
        self.start(None, *NEVER, *QUICK)
        self.tapes("V1")
        self.archive(["a"], ["V1"])
        go = self.directory / "go"
        hook = self.directory / "hook"
        hook.write_text(f'#!/bin/sh\n[ "$1" = mount ] || while [ ! -e {go} ]; do sleep 0.02; done\n')
        hook.chmod(0o755)
        drive = self.drive("D1", *DOOR, "--mount-hook", hook)
        self.submit(["a"])
        self.until(drive, 'reclaim_drive_tape{vid="V1"}', 1)
        self.assertNotIn('reclaim_drive_tape{vid=""}', drive.metrics())
        go.touch()
        harness.wait_until(lambda: drive.metrics().get('reclaim_drive_tape{vid=""}') == 0, 30, "no tape")
        self.assertNotIn('reclaim_drive_tape{vid="V1"}', drive.metrics())

    def test_a_process_that_runs_the_passes_counts_what_they_do(self):
        self.start(None, *NEVER, *QUICK)
        self.tapes("V1", "V2")
        self.archive(["a", "b"], ["V1"])
        self.archive(["c"], ["V1", "V2"])
        self.set_state("V2", "DISABLED")
        self.submit(["a", "b", "c"])
        beside = self.maintain("beside")
        self.set_state("V1", "BROKEN")
        self.until(beside, 'reclaim_reports_total{outcome="receipts"}', 2)
        counted = beside.metrics()
        self.assertEqual((2, 1), tuple(counted[f'reclaim_cleanup_requests_total{{outcome="{how}"}}'] for how in ("failed", "requeued")))
        self.until(beside, 'reclaim_queue_requests{type="to_transfer"}', 1)
        self.until(beside, 'reclaim_agents{state="alive"}', 3)
        self.until(beside, 'reclaim_pass_seconds_count{pass="agents"}', counted['reclaim_pass_seconds_count{pass="agents"}'] + 1)
        self.assertGreater(counted['reclaim_store_calls_total{op="replace",result="ok"}'], 0)

    def test_who_is_taken_for_dead_is_counted_by_others_and_by_itself(self):
        self.start(None, *NEVER, *QUICK)
        first, second = (self.maintain(name) for name in ("first", "second"))
        names = lambda: {agent["name"] for agent in self.api.get("/api/v1/agents")["agents"]}
        roles = [f"maintenance-{os.uname().nodename}-{process.pid}" for process in (first, second)]
        all_names = {f"{role}-{task}" for role in roles for task in ("agents", "cleanup", "reports")}
        harness.wait_until(lambda: names() == all_names, 30, lambda: f"{all_names}, not {names()}")
        for _ in range(10):
            # One that is stopped in the middle of a write stops all others.
            os.kill(first.pid, signal.SIGSTOP)
            try:
                harness.wait_until(lambda: second.metrics().get("reclaim_takeovers_total", 0) >= 3, 5, "the stopped one to be collected")
                break
            except AssertionError:
                os.kill(first.pid, signal.SIGCONT)
        os.kill(first.pid, signal.SIGCONT)
        self.until(first, 'reclaim_fenced_total{what="agent"}', 3)
        self.until(second, 'reclaim_agents{state="alive"}', 5)

    def test_a_cleanup_wakes_who_tells_the_requesters(self):
        self.start(None, "--maintenance-interval", "1h", *QUICK)
        self.tapes("V1")
        self.archive(["a"], ["V1"])
        request = self.submit(["a"], "ok")[0]["id"]
        self.set_state("V1", "BROKEN")
        self.until_told([request], 20)
        self.assert_failed(request, "V1")

    def test_what_cannot_start_says_what_it_lacks(self):
        library = ["--name", "D1", "--library", f"dir:{self.directory}", "--buffer", self.directory]
        empty = self.directory / "empty"
        empty.mkdir()
        self.start(None, *NEVER, *QUICK)
        for data in (empty, self.directory / "nowhere"):
            for words in (["drive", *library], ["maintenance"]):
                done = self.client(self.server, *words, "--data", data)
                self.assertEqual(harness.USAGE, done.returncode, done.stderr)
                self.assertRegex(done.stderr, rf"--data: .*{data}.* reclaim server --data")
            self.assertFalse((data / "reclaim.db").exists() or (data / "store").exists())
        done = self.client(self.server, "maintenance", "--data", self.server.data, *NEVER)
        self.assertEqual(harness.USAGE, done.returncode, done.stderr)
        self.assertRegex(done.stderr, "--maintenance-interval: .*reclaim maintenance run")
        for words in (["drive", *library], ["maintenance"]):
            done = self.client(self.server, *words, "--data", self.server.data, "--metrics-listen", "here")
            self.assertEqual(harness.USAGE, done.returncode, done.stderr)
            self.assertRegex(done.stderr, "--metrics-listen: ")


if __name__ == "__main__":
    harness.main()
