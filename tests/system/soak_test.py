"""The runner of kill stories itself: what it is told wrongly, a run that passes, a run that fails."""
import subprocess
import sys

import harness


class SoakTest(harness.Story):
    def soak(self, *words, binary=None):
        command = [sys.executable, str(harness.HERE / "soak.py"), "--binary", binary or self.reclaim, "--logs", self.logs, *words]
        return subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=100)

    def setUp(self):
        super().setUp()
        self.logs = self.directory / "logs"

    def test_wrong_words_are_wrong_usage(self):
        for words, says in (("--runs 0", "at least 1"), ("--minutes soon", "--minutes"), ("--minutes 1 --runs 1", "not allowed with"),
                            ("--stories lmdb,none", "no story 'none': there are lmdb,"), ("--seed x", "--seed"), ("--hours 1", "--hours")):
            done = self.soak(*words.split())
            self.assertEqual(2, done.returncode, words)
            self.assertIn(says, done.stderr)
        self.assertFalse(self.logs.exists())
        self.assertIn("./dev soak --stories lmdb --runs 10 ", self.soak("--help").stdout)

    def test_each_run_is_a_line_and_leaves_nothing(self):
        done = self.soak("--stories", "lmdb", "--runs", "1", "--cleanups", "1", "--seed", "7")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        run, summary = done.stdout.splitlines()
        self.assertRegex(run, r"\A +1  lmdb +seed 7 +[0-9.]+ s   blows [1-3]   acknowledged (\d+)   ended \1   unaccounted 0\Z")
        self.assertRegex(summary, r"\A1 runs passed \(1 lmdb\): blows [1-3] ")
        self.assertEqual([], list(self.logs.iterdir()))

    def test_a_run_that_fails_ends_it_and_says_how_to_have_it_again(self):
        done = self.soak("--stories", "storm,lmdb", "--runs", "2", "--seed", "7", binary="/bin/false")
        self.assertEqual(1, done.returncode, done.stderr)
        for line in ("FAILED  storm with seed 7 ", "./dev soak --stories storm --seed 7 --runs 1 ", f"logs: {self.logs}/storm-7"):
            self.assertIn(line, done.stdout)
        self.assertRegex(done.stdout, r"\n0 runs passed \(none\): .* then one failed\n\Z")
        self.assertEqual({"server.log", "story.log"}, {path.name for path in (self.logs / "storm-7").iterdir()})


if __name__ == "__main__":
    harness.main(at_once=2)
