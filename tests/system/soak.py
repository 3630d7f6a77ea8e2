"""soak.py --binary PATH: the kill stories of both planes in turn, each with a new seed, until the time or the count is used up.

A run is one story with one seed: real processes on real engines, killed or stopped at random, and a ledger of every acknowledged request
or resource that has to balance at its end. The first run that fails ends it all.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 1800  # with one run
SKIPPED = 77

CLEANUP = "ArchiveKillTest.test_whoever_is_struck_while_a_queue_is_cleaned_up_on_"
SIXTY = "KillTest.test_sixty_kills_lose_nothing_and_leak_nothing_on_"
# Program and story.
STORIES = {
    "lmdb": ("archive_kill_test.py", CLEANUP + "lmdb"),
    "fleet-sqlite": ("kill_test.py", SIXTY + "sqlite"),
    "storm": ("archive_kill_test.py", "ArchiveKillTest.test_the_ledger_balances_after_a_storm"),
    "fleet-postgres": ("kill_test.py", SIXTY + "postgres"),
    "rados": ("archive_kill_test.py", CLEANUP + "rados"),
}
EXAMPLES = """stories:
  lmdb            cleanups of tapes on LMDB; cleaners, a drive and the server are killed or stopped for ten times the timeout
  rados           the same on a Ceph of its own, five cleanups a run
  storm           tapes change state at random, requests come and are cancelled, everybody is struck
  fleet-sqlite    builds come and go on two workers with runc, crun, btrfs, overlay; sixty kills of server, gateway and workers
  fleet-postgres  the same on PostgreSQL

examples:
  ./dev soak --minutes 120                       both planes in turn for two hours
  ./dev soak --stories lmdb --runs 10            300 cleanups on LMDB, under blows
  ./dev soak --stories rados --runs 6            30 on RADOS
  ./dev soak --stories lmdb --seed 4711 --runs 1 one run again, with the dice that it had
"""


def number(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def stories(text):
    names = text.split(",")
    unknown = [name for name in names if name not in STORIES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no story {', '.join(map(repr, unknown))}: there are {', '.join(STORIES)}")
    return names


def read_arguments():
    parser = argparse.ArgumentParser(prog="./dev soak", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES, description=(
        "Runs the kill stories of both planes in turn with new seeds, and stops at the first that fails: 0 none did, 1 one did, 2 wrong "
        "usage. Needs root."))
    parser.add_argument("--binary", type=pathlib.Path, default=HERE.parents[1] / "build/bin/reclaim", help=argparse.SUPPRESS)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=number, metavar="N", help="begins no run after so many [60]")
    length.add_argument("--runs", type=number, metavar="N", help="so many runs, the stories in turn")
    parser.add_argument("--stories", type=stories, default=list(STORIES), metavar="A,B", help="only these, in this order")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first run; those of the others follow from it [at random]")
    parser.add_argument("--cleanups", type=number, default=30, metavar="N", help="in one run of lmdb [30]")
    parser.add_argument("--storm-seconds", type=number, default=60, metavar="N", help="of one storm [60]")
    parser.add_argument("--logs", type=pathlib.Path, default=HERE.parents[1] / "build/soak", metavar="DIR",
                        help="where those of a run that failed are left [build/soak]")
    return parser.parse_args()


def end(story):
    """One that does not end when it is asked to is killed; what it had going ends with it."""
    if story.poll() is not None:
        return
    try:
        story.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            story.wait(10)
    finally:
        story.kill()
        story.wait()


class Run:
    """One story with one seed."""

    def __init__(self, arguments, name, seed):
        self.name = name
        self.seed = seed
        program, story = STORIES[name]
        self.again = ["./dev", "soak", "--stories", name, "--seed", str(seed), "--runs", "1"]
        sizes = []
        if program == "archive_kill_test.py":
            sizes = ["--runs", arguments.cleanups, "--seconds", arguments.storm_seconds]
            self.again += ["--cleanups", str(arguments.cleanups), "--storm-seconds", str(arguments.storm_seconds)]
        self.command = [sys.executable, str(HERE / program), str(arguments.binary), "--seed", str(seed), *map(str, sizes), story]
        self.logs = arguments.logs / f"{name}-{seed}"
        self.output = self.logs / "story.log"

    def perform(self):
        """Its exit code. However it ends, its processes end with it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for left in self.logs.iterdir():
            left.unlink()
        began = time.monotonic()
        environment = {**os.environ, "RECLAIM_STORY_RESULTS": str(self.logs)}
        with open(self.output, "wb") as output:
            # A group of its own: an interrupt is passed on below, once.
            story = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
                                     start_new_session=True)
            try:
                return story.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                return f"no end after {PATIENCE_S} s"
            finally:
                end(story)
                self.took = time.monotonic() - began
                self.ledger = self.read_ledger()

    def read_ledger(self):
        figures = self.logs / "figures.json"
        return collections.Counter(json.loads(figures.read_text())) if figures.exists() else None

    def forget(self):
        for path in self.logs.iterdir():
            path.unlink()
        self.logs.rmdir()


def show(ledger):
    return "   ".join(f"{what} {ledger[what]}" for what in ("blows", "acknowledged", "ended", "unaccounted"))


def soak(arguments):
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    dice = random.Random(seed)
    end = None if arguments.runs else time.monotonic() + 60 * (arguments.minutes or 60)
    total, done = collections.Counter(), collections.Counter()
    failed = False
    try:
        while done.total() < arguments.runs if arguments.runs else time.monotonic() < end:
            run = Run(arguments, arguments.stories[done.total() % len(arguments.stories)], seed)
            try:
                code = run.perform()
            except KeyboardInterrupt:
                run.forget()
                raise
            if code != 0 or run.ledger is None:
                failed = True
                tell_failure(run, code)
                break
            done[run.name] += 1
            print(f"{done.total():4}  {run.name:14} seed {seed:<8}{run.took:7.1f} s   {show(run.ledger)}", flush=True)
            total += run.ledger
            run.forget()
            seed = dice.randrange(1_000_000)
    except KeyboardInterrupt:
        print("interrupted: the run at hand counts for nothing", flush=True)
    counted = ", ".join(f"{count} {name}" for name, count in done.items()) or "none"
    print(f"{done.total()} runs passed ({counted}): {show(total)}{'; then one failed' if failed else ''}", flush=True)
    return 1 if failed else 0


def tell_failure(run, code):
    last = run.output.read_text(errors="replace").splitlines()[-40:]
    why = "says nothing of its ledger" if code == 0 else "needs root" if code == SKIPPED else f"failed: {code}"
    print("\n".join(last))
    print(f"FAILED  {run.name} with seed {run.seed} after {run.took:.1f} s: {why}\n"
          f"  again (the same dice; what they meet differs): {shlex.join(run.again)}\n"
          f"  logs: {run.logs}", flush=True)


def main():
    # A terminated soak ends like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(soak(read_arguments()))


if __name__ == "__main__":
    main()
