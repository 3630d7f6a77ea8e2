"""The hours themselves: what they are told wrongly, what passes, what fails, an interrupt. On programs that say what the real ones say."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HOURS = pathlib.Path(__file__).with_name("hours.py")

CRASHES = """#!/bin/sh
if [ "$1" = --gtest_list_tests ]; then printf 'CrashTwice.\\n  OfServers\\n  OfDrives\\n'; exit; fi
[ "$RECLAIM_CRASHES" = all ] || exit 9
echo 'crash points: archive, drives: 30, after a lost answer: 20, pairs: 100, every 1 of them, ends in turn'
echo 'crash points: fleet, pairs: 7, every 1 of them, ends in turn'
echo 'crash points: fleet: 3 workflows, 9 calls, 54 runs'
echo '[  PASSED  ] 1 test.'
"""
SCHEDULES = """#!/bin/sh
case $RECLAIM_SCHEDULES in */20) ;; *) exit 9 ;; esac
echo 'schedules: 56 times three of 8 roles, up to two preemptions: 11 schedules, 13 states (and 5 that were the same)'
echo '[  PASSED  ] 1 test.'
"""
WORLDS = """#!/bin/sh
sleep 0.2
printf '{"workload":"%s","runs":5,"failures":0,"failed":[],"faults":{"answer lost":2,"killed":1}}\\n' "$3"
"""
A_WORLD_THAT_FAILS = """#!/bin/sh
sleep 0.2
[ "$3" = fleet ] || { printf '{"workload":"%s","runs":5,"failures":0,"failed":[],"faults":{}}\\n' "$3"; exit; }
printf '{"workload":"fleet","runs":5,"failures":1,"faults":{},"failed":[{"seed":77,"breaches":[{"invariant":"F1","sentence":"w1/c1 is gone"}],'
printf '"replay":"reclaim simulate --workload fleet --seed 77 --steps 60"}]}\\n'
exit 1
"""


class HoursTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="reclaim-hours-")))
        (self.directory / "bin").mkdir()
        for program, text in {"test_crash": CRASHES, "test_crash_pairs": CRASHES, "test_interleavings": SCHEDULES, "reclaim": WORLDS}.items():
            self.put(program, text)

    def put(self, program, text):
        path = self.directory / "bin" / program
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def start(self, *words):
        # No kill stories in these hours: each would be a server of its own.
        command = [sys.executable, HOURS, "--build", self.directory, "--logs", self.directory / "logs", "--without-stories", *words]
        return subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def prove(self, *words):
        with self.start(*words) as child:
            output, said = child.communicate(timeout=60)
        return child.returncode, output, said

    def test_wrong_words_are_wrong_usage(self):
        for words, says in (((), "--hours"), (("--hours",), "expected one argument"), (("--hours", "soon"), "--hours"),
                            (("--hours", "0"), "more than 0"), (("--hours", "nan"), "more than 0"), (("--hours", "1001"), "at most 1000"),
                            (("--hours", "1", "--seed", "-1"), "from 0 to"), (("--hours", "1", "--output", "xml"), "--output")):
            code, output, said = self.prove(*words)
            self.assertEqual((2, ""), (code, output), words)
            self.assertIn(says, said)
        self.assertIn("./dev prove --hours 1 ", self.prove("--help")[1])

    def test_the_summary_counts_what_every_piece_said(self):
        code, output, said = self.prove("--hours", "0.001", "--output", "json", "--seed", "1000")
        self.assertEqual(0, code, said)
        summary = json.loads(output)
        self.assertEqual({"single": 4 * 104, "pairs": 4 * 107}, summary["crashes"])
        self.assertEqual((220, 260), (summary["schedules"]["run"], summary["schedules"]["states"]))
        worlds = summary["worlds"]
        self.assertGreaterEqual(worlds["fleet"], 5)
        self.assertGreaterEqual(worlds["archive"], 5)
        self.assertEqual((worlds["run"], 0, 1000), (worlds["fleet"] + worlds["archive"], worlds["failed"], worlds["first_seed"]))
        self.assertEqual({"answer lost": worlds["run"] // 5 * 2, "killed": worlds["run"] // 5}, worlds["faults"])
        self.assertEqual([], summary["failures"])
        self.assertRegex(said, r" min: crash pieces 4 of 4, schedule pieces 20 of 20, \d+ worlds")

    def test_what_fails_is_told_with_its_replay_and_the_rest_goes_on(self):
        self.put("reclaim", A_WORLD_THAT_FAILS)
        self.put("test_crash", CRASHES.replace("echo '[", "echo 'tests/crash/fleet_test.cpp:9: Failure'; exit 1; echo '["))
        code, output, said = self.prove("--hours", "0.001")
        self.assertEqual(1, code, said)
        self.assertIn("schedules: 220, 260 states", output)
        self.assertIn("crash points: 416 single, 428 pairs", output)
        self.assertIn("FAILED  fleet world of seed 77: F1: w1/c1 is gone\n  again: reclaim simulate --workload fleet --seed 77 --steps 60\n", output)
        crash = f"FAILED  test_crash CrashTwice.OfDrives: ends with 1\n  again: RECLAIM_CRASHES=all {self.directory}/bin/test_crash "
        self.assertIn(crash + "--gtest_filter=CrashTwice.OfDrives\n", output)
        self.assertIn("Failure", (self.directory / "logs/test-crash-CrashTwice.OfDrives.log").read_text())

    def test_a_program_that_says_nothing_has_not_passed(self):
        self.put("test_interleavings", "#!/bin/sh\n")
        self.put("reclaim", "#!/bin/sh\nsleep 0.2\n")
        code, output, said = self.prove("--hours", "0.001")
        self.assertEqual(1, code, said)
        self.assertIn("FAILED  schedules 0/20: says nothing of what it did", output)
        self.assertRegex(said, r"FAILED  worlds fleet \d+\.\.\d+: says nothing of what it did")

    def test_an_interrupt_ends_what_runs_and_is_said(self):
        self.put("reclaim", "#!/bin/sh\necho $$ >>" + str(self.directory / "pids") + "\nexec sleep 1000\n")
        with self.start("--hours", "1") as child:
            pids = self.directory / "pids"
            until = time.monotonic() + 30
            while not (pids.exists() and len(pids.read_text().split()) == 2) and time.monotonic() < until:
                time.sleep(0.05)
            child.send_signal(signal.SIGINT)
            output, said = child.communicate(timeout=60)
        self.assertEqual(130, child.returncode, said)
        self.assertRegex(output, r"\Ainterrupted after 0\.\d min")
        for pid in pids.read_text().split():
            self.assertFalse(os.path.exists(f"/proc/{pid}"), pid)


if __name__ == "__main__":
    unittest.main()
