"""hours.py --hours N: what finds more the longer it runs, on both cores, for so long in all.

Every crash pair and every schedule of three roles come first, cut into pieces that the cores take in turn; none is begun in the second half
of the time. Then worlds by seeds that nobody has seen, of both planes in turn. In the last quarter one of the cores runs kill stories. What
fails is kept, told with the command that has it again, and the rest goes on: an hour that found something at its third minute is an hour
still. What the end of the time interrupts counts for nothing, and is said.
"""
import argparse
import collections
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import random
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LANES = 2
HOURS_MAX = 1000
SCHEDULE_PARTS = 20
CRASH_PROGRAMS = ("test_crash_pairs", "test_crash")
PLANES = ("fleet", "archive")
STORIES = ("lmdb", "fleet-sqlite", "storm", "fleet-postgres", "rados")
SEEDS_AT_ONCE = 100_000  # set apart for one piece, more than it has time for
WORLDS_S = 30  # of one piece; what it found is known at its end
EXHAUSTIVE_UNTIL, STORIES_FROM = 0.5, 0.75  # of the time
SAID_EVERY_S = 60
SHOWN_MAX = 20  # failures in the text; JSON has all
FAILURES_MAX = 1000  # kept
ALL_CRASHES = {"RECLAIM_CRASHES": "all"}
EXAMPLES = """examples:
  ./dev prove --hours 1                  every schedule, every pair of crashes, worlds, kill stories
  ./dev prove --hours 0.1 --output json  six minutes, for a program to read
  ./dev prove --hours 12 --seed 1000000  worlds from a seed that you name
"""


@dataclasses.dataclass
class Piece:
    """One child process."""

    kind: str  # crashes, schedules, worlds or stories
    name: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)
    again: str = ""

    def replay(self):
        return self.again or shlex.join([*(f"{key}={value}" for key, value in self.environment.items()), *self.command])


@dataclasses.dataclass
class Done:
    piece: Piece
    code: int
    output: str
    seconds: float
    is_cut_short: bool


class Findings:
    """What all pieces came to. Lanes add to it one at a time."""

    def __init__(self, logs):
        self.logs = logs
        self.lock = threading.Lock()
        self.passed, self.failed, self.cut_short, self.left_out = (collections.Counter() for _ in range(4))
        self.seconds = collections.Counter()  # of a lane, by kind
        self.counts = collections.Counter()
        self.faults = collections.Counter()
        self.ledger = collections.Counter()
        self.failures = []

    def fail(self, what, why, again, log=None):
        self.failures.append({"what": what, "why": why, "again": again, "log": str(log) if log else None})
        del self.failures[FAILURES_MAX:]
        print(f"FAILED  {what}: {why}\n  again: {again}" + (f"\n  log: {log}" if log else ""), file=sys.stderr, flush=True)

    def add(self, done):
        piece = done.piece
        with self.lock:
            self.seconds[piece.kind] += done.seconds
            if done.is_cut_short:
                self.cut_short[piece.kind] += 1
                return
            understood = {"crashes": self.read_crashes, "schedules": self.read_schedules, "worlds": self.read_worlds,
                          "stories": self.read_stories}[piece.kind](done)
            if done.code == 0 and understood:
                self.passed[piece.kind] += 1
                return
            self.failed[piece.kind] += 1
            if done.code == 1 and piece.kind == "worlds" and understood:
                return  # each world was told
            log = self.logs / f"{re.sub('[^A-Za-z0-9.-]', '-', piece.name)}.log"
            self.logs.mkdir(parents=True, exist_ok=True)
            log.write_text(done.output)
            why = f"ends with {done.code}" if done.code != 0 else "says nothing of what it did"
            self.fail(piece.name, why, piece.replay(), log)

    def read_crashes(self, done):
        for line in re.findall(r"^crash points: (.*)$", done.output, re.M):
            self.counts["crash_pairs"] += sum(map(int, re.findall(r"\bpairs: (\d+)", line)))
            # Not every number of a line is one of runs: there are calls, and the stride.
            for one, another, last in re.findall(r": (\d+), (?:after|pairs)|(\d+) runs$|: (\d+)$", line):
                self.counts["crashes"] += int(one or another or last)
        return re.search(r"^\[  PASSED  \] [1-9]", done.output, re.M) is not None

    def read_schedules(self, done):
        counted = re.search(r"(\d+) schedules, (\d+) states", done.output)
        if counted:
            self.counts["schedules"] += int(counted[1])
            self.counts["states"] += int(counted[2])
        return counted is not None

    def read_worlds(self, done):
        try:
            said = json.loads(done.output.splitlines()[-1])
            self.counts[f"worlds_{said['workload']}"] += said["runs"]
            self.counts["worlds"] += said["runs"]
            self.counts["worlds_failed"] += said["failures"]
            self.faults.update(said["faults"])
            for world in said["failed"]:
                why = "; ".join(f"{breach['invariant']}: {breach['sentence']}" for breach in world["breaches"])
                self.fail(f"{said['workload']} world of seed {world['seed']}", why, world["replay"])
        except (IndexError, KeyError, TypeError, ValueError):
            return False
        return True

    def read_stories(self, done):
        summary = re.search(r"^1 runs passed .*: (blows.*)$", done.output, re.M)
        if summary:
            self.ledger.update({what: int(count) for what, count in re.findall(r"(\w+) (\d+)", summary[1])})
        return summary is not None


class Prover:
    def __init__(self, arguments):
        self.arguments = arguments
        self.bin = arguments.build / "bin"
        self.findings = Findings(arguments.logs)
        self.seconds = arguments.hours * 3600
        self.is_interrupted = threading.Event()
        self.lock = threading.Lock()
        self.children = set()
        self.seeds = dict.fromkeys(PLANES, arguments.seed)
        self.turns = collections.Counter()
        self.dice = random.Random(arguments.seed)

    def list_exhaustive(self):
        """Long ones first: what is begun last is what the cores wait for."""
        pieces = []
        for program in CRASH_PROGRAMS:
            listed = subprocess.run([self.bin / program, "--gtest_list_tests"], capture_output=True, text=True, check=True, timeout=60)
            suite = ""
            for line in listed.stdout.splitlines():
                if not line.startswith(" "):
                    suite = line.split()[0]
                    continue
                test = suite + line.split()[0]
                pieces.append(Piece("crashes", f"{program} {test}", [str(self.bin / program), f"--gtest_filter={test}"], ALL_CRASHES))
        for part in range(SCHEDULE_PARTS):
            pieces.append(Piece("schedules", f"schedules {part}/{SCHEDULE_PARTS}",
                                [str(self.bin / "test_interleavings"), "--gtest_filter=ArchiveInterleavings.OfThreeRolesLoseNothing"],
                                {"RECLAIM_SCHEDULES": f"{part}/{SCHEDULE_PARTS}"}))
        return pieces

    def elapsed(self):
        return time.monotonic() - self.began

    def next_piece(self, lane):
        """None: the time is used up."""
        with self.lock:
            elapsed = self.elapsed()
            if elapsed >= self.seconds or self.is_interrupted.is_set():
                return None
            if self.exhaustive and elapsed < EXHAUSTIVE_UNTIL * self.seconds:
                return self.exhaustive.pop(0)
            if lane == 0 and not self.arguments.without_stories and elapsed >= STORIES_FROM * self.seconds:
                return self.next_story()
            return self.next_worlds(lane)

    def next_story(self):
        story = STORIES[self.turns["stories"] % len(STORIES)]
        self.turns["stories"] += 1
        seed = self.dice.randrange(1_000_000)
        words = ["--stories", story, "--seed", str(seed), "--runs", "1"]
        command = [sys.executable, str(ROOT / "tests/system/soak.py"), "--binary", str(self.bin / "reclaim"), "--logs",
                   str(self.arguments.logs), *words]
        return Piece("stories", f"story {story} with seed {seed}", command, again=shlex.join(["./dev", "soak", *words]))

    def next_worlds(self, lane):
        """Lanes are at different planes, and change."""
        plane = PLANES[(self.turns[lane] + lane) % len(PLANES)]
        self.turns[lane] += 1
        first = self.seeds[plane]
        self.seeds[plane] += SEEDS_AT_ONCE
        last = self.seeds[plane] - 1
        left = max(1, math.ceil(self.seconds - self.elapsed()))
        command = [str(self.bin / "reclaim"), "simulate", "--workload", plane, "--seeds", f"{first}..{last}", "--for",
                   f"{min(WORLDS_S, left)}s", "--output", "json"]
        return Piece("worlds", f"worlds {plane} {first}..{last}", command)

    def perform(self, piece):
        began = time.monotonic()
        # A group of its own: an interrupt is passed on here, once.
        child = subprocess.Popen(piece.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 errors="replace", env={**os.environ, **piece.environment}, start_new_session=True)
        is_cut_short = threading.Event()

        def stop():
            is_cut_short.set()
            self.end(child)
        # Worlds end by themselves, a little later than they are told to.
        killer = threading.Timer(max(1.0, self.seconds - self.elapsed()) + WORLDS_S, stop)
        with self.lock:
            self.children.add(child)
        killer.start()
        if self.is_interrupted.is_set():
            self.end(child)
        output, _ = child.communicate()
        killer.cancel()
        with self.lock:
            self.children.discard(child)
        return Done(piece, child.returncode, output, time.monotonic() - began, is_cut_short.is_set() or self.is_interrupted.is_set())

    @staticmethod
    def end(child):
        """Asked, then made to."""
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(30)
            os.killpg(child.pid, signal.SIGKILL)

    def work(self, lane):
        while (piece := self.next_piece(lane)) is not None:
            self.findings.add(self.perform(piece))

    def run(self):
        self.exhaustive = self.list_exhaustive()
        self.began = time.monotonic()
        total = collections.Counter(piece.kind for piece in self.exhaustive)
        lanes = [threading.Thread(target=self.work, args=(lane,)) for lane in range(LANES)]
        for lane in lanes:
            lane.start()
        try:
            while busy := [lane for lane in lanes if lane.is_alive()]:
                busy[0].join(SAID_EVERY_S)
                self.say_where(total)
        except KeyboardInterrupt:
            self.is_interrupted.set()
            with self.lock:
                children = list(self.children)
            for child in children:
                self.end(child)
            for lane in lanes:
                lane.join()
        self.findings.left_out.update(piece.kind for piece in self.exhaustive)

    def say_where(self, total):
        found = self.findings
        with found.lock:
            print(f"{self.elapsed() / 60:6.1f} of {self.seconds / 60:.0f} min: crash pieces {found.passed['crashes']} of {total['crashes']}, "
                  f"schedule pieces {found.passed['schedules']} of {total['schedules']}, {found.counts['worlds']} worlds, "
                  f"{found.passed['stories']} kill stories, {len(found.failures)} failures", file=sys.stderr, flush=True)


def rate(count, seconds):
    return round(count / seconds, 1) if seconds else 0.0


def summarize(prover, build):
    found = prover.findings
    counts, seconds = found.counts, found.seconds
    return {
        "build": build,
        "hours": round(prover.elapsed() / 3600, 3),
        "interrupted": prover.is_interrupted.is_set(),
        "crashes": {"single": counts["crashes"], "pairs": counts["crash_pairs"]},
        "schedules": {"run": counts["schedules"], "states": counts["states"],
                      "per_second_and_core": rate(counts["schedules"], seconds["schedules"])},
        "worlds": {"run": counts["worlds"], **{plane: counts[f"worlds_{plane}"] for plane in PLANES}, "failed": counts["worlds_failed"],
                   "first_seed": prover.arguments.seed,
                   "per_second_and_core": rate(counts["worlds"], seconds["worlds"]), "faults": dict(sorted(found.faults.items()))},
        "stories": {"passed": found.passed["stories"], **{what: found.ledger[what] for what in ("blows", "acknowledged", "ended", "unaccounted")}},
        "pieces": {kind: {"passed": found.passed[kind], "failed": found.failed[kind], "cut_short": found.cut_short[kind],
                          "left_out": found.left_out[kind]} for kind in ("crashes", "schedules", "worlds", "stories")},
        "failures": found.failures,
    }


def tell(summary):
    crashes, schedules, worlds, stories = (summary[part] for part in ("crashes", "schedules", "worlds", "stories"))
    print(f"{'interrupted after' if summary['interrupted'] else 'proved for'} {60 * summary['hours']:.1f} min, build {summary['build']}")
    print(f"crash points: {crashes['single']} single, {crashes['pairs']} pairs")
    print(f"schedules: {schedules['run']}, {schedules['states']} states, {schedules['per_second_and_core']} a second on a core")
    print(f"swarm: {worlds['run']} worlds from seed {worlds['first_seed']} on ({', '.join(f'{plane} {worlds[plane]}' for plane in PLANES)}), "
          f"{worlds['failed']} fail, {worlds['per_second_and_core']} a second on a core")
    print(f"faults: {sum(worlds['faults'].values())} of {len(worlds['faults'])} kinds")
    for kind, count in worlds["faults"].items():
        print(f"  {kind}: {count}")
    print(f"kill stories: {stories['passed']}: " + "   ".join(f"{what} {stories[what]}" for what in
                                                               ("blows", "acknowledged", "ended", "unaccounted")))
    for kind, pieces in summary["pieces"].items():
        for fate in ("cut_short", "left_out"):
            if pieces[fate] and kind != "worlds":
                print(f"{kind}: {pieces[fate]} pieces {fate.replace('_', ' ')}: the time was up")
    for failure in summary["failures"][:SHOWN_MAX]:
        print(f"FAILED  {failure['what']}: {failure['why']}\n  again: {failure['again']}" +
              (f"\n  log: {failure['log']}" if failure["log"] else ""))
    if len(summary["failures"]) > SHOWN_MAX:
        print(f"... and {len(summary['failures']) - SHOWN_MAX} more: --output json")
    print(f"{len(summary['failures'])} failures", flush=True)


def hours(text):
    value = float(text)
    if not 0 < value <= HOURS_MAX:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {HOURS_MAX}, not {text}")
    return value


def seed(text):
    value = int(text)
    if not 0 <= value < 1 << 63:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2^63 - 1, not {text}")
    return value


def read_arguments():
    parser = argparse.ArgumentParser(prog="./dev prove", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES, description=(
        "Looks for what breaks an invariant, for so long in all: every pair of crashes and every schedule of three roles (in the first half of "
        "the time), worlds by new seeds, kill stories (in the last quarter; they need root). A failure is kept and the rest goes on. "
        "Ends with 0 if nothing was found, 1 if something was, 2 for wrong usage, 130 if interrupted before anything was found."))
    parser.add_argument("--hours", type=hours, required=True, metavar="N", help="as in 1 or 0.5")
    parser.add_argument("--seed", type=seed, metavar="N", help="of the first world [from the clock]")
    parser.add_argument("--output", choices=("table", "json"), default="table", help="how to answer [table]")
    parser.add_argument("--logs", type=pathlib.Path, default=ROOT / "build/prove", metavar="DIR", help="what failed [build/prove]")
    parser.add_argument("--build", type=pathlib.Path, help=argparse.SUPPRESS)  # one that is there; without it build/ is built
    parser.add_argument("--without-stories", action="store_true", help="no kill stories: needs no root")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = int(time.time()) * 1_000_000
    return arguments


def built_commit():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return commit.stdout.strip() or "unknown"


def main():
    # A terminated one ends like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = read_arguments()
    if arguments.build is None:
        subprocess.run([ROOT / "dev", "build"], check=True, stdout=sys.stderr)
        arguments.build = ROOT / "build"
    arguments.build = arguments.build.resolve()
    prover = Prover(arguments)
    prover.run()
    summary = summarize(prover, built_commit())
    if arguments.output == "json":
        print(json.dumps(summary), flush=True)
    else:
        tell(summary)
    return 1 if summary["failures"] else 130 if summary["interrupted"] else 0


if __name__ == "__main__":
    sys.exit(main())
