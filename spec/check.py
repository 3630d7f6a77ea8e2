#!/usr/bin/python3
"""Runs the Promela models: the good ones to the end, the broken ones until they fail.

    check.py [MODEL...]      every scope of every model, every broken variant; what `./dev test` runs
    check.py --large         also the larger scopes: minutes, up to 2 GiB each
    check.py --trace NAME    the counterexample of a broken variant, step by step

What there is to run is said in each model, in its comment under `check:`

    scope NAME: DEFINES                  must hold, exhaustively
    large NAME: DEFINES                  the same, with --large
    broken NAME: DEFINES: WHAT           must fail when NAME is defined, too
    unreached LINE                       a line that no scope reaches, as it is written, and why it may stay

Exit 1 when a model fails, a search is cut short, a broken variant holds, or a line of a model is reached in no scope: what is never
reached shows nothing.
"""
import argparse
import concurrent.futures
import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SPEC = pathlib.Path(__file__).resolve().parent
MODELS = ("move", "take", "sync")
MEMORY_MIB = 2048
AT_ONCE = 2
SECONDS = 900  # for one search; the test has a limit of its own


@dataclasses.dataclass
class Task:
    kind: str  # scope, large or broken
    name: str
    defines: list
    what: str = ""


def tasks_of(model):
    text = (SPEC / f"{model}.pml").read_text()
    block = text[text.index("check:\n"):text.index("*/")]
    tasks = [Task(kind, name, defines.split(), what)
             for kind, name, defines, what in re.findall(r"^  (scope|large|broken) ([\w-]+): ([^:\n]*)(?:: (.*))?$", block, re.M)]
    return tasks, set(re.findall(r"^  unreached (.*)$", block, re.M))


class Failure(Exception):
    pass


def run(command, directory):
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


def build(model, defines, optimized, directory):
    (directory / "model.pml").write_text((SPEC / f"{model}.pml").read_text())
    flags = [f"-D{define}" for define in defines]
    code, output = run(["spin", *flags, "-a", "model.pml"], directory)
    if code != 0 or not (directory / "pan.c").exists():
        raise Failure(f"spin: {output.strip()}")
    code, output = run(["gcc", "-O2" if optimized else "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"],
                       directory)
    if code != 0:
        raise Failure(f"gcc: {output.strip()}")


def search(directory):
    _, output = run(["./pan", "-m100000"], directory)
    numbers = re.search(r"errors: (\d+)\s+([\d.e+]+) states, stored", output)
    if not numbers:
        raise Failure("no result: " + " ".join(output.split())[-300:])
    cut = "Search not completed" in output or "max search depth too small" in output or "out of memory" in output
    return int(numbers[1]), int(float(numbers[2])), cut, output


def lines_reached(directory, output):
    """Lines of the model with a step, and those among them of which a step was taken."""
    _, table = run(["./pan", "-d"], directory)
    unreached = set()
    process = None
    for line in output.splitlines():
        if found := re.match(r"unreached in (?:proctype |)(\w+)", line):
            process = found[1]
        elif found := re.match(r"\tmodel\.pml:\d+, state (\d+),", line):
            unreached.add((process, int(found[1])))
    every, reached = set(), set()
    for line in table.splitlines():
        if found := re.match(r"(?:proctype |)(\w+)$", line):
            process = found[1]
        elif found := re.match(r"\s+state\s+(\d+) -\(tr.*?\] model\.pml:(\d+) => (.*)", line):
            # A step within a d_step has a line of its own after the arrow.
            at = int((re.match(r"D_STEP(\d+)", found[3]) or [0, found[2]])[1])
            every.add(at)
            if (process, int(found[1])) not in unreached:
                reached.add(at)
    return every, reached


def trail(defines, directory):
    """The steps of the counterexample, each with the lines of the model that it runs through."""
    flags = [f"-D{define}" for define in defines]
    _, output = run(["spin", *flags, "-t", "-p", "model.pml"], directory)
    steps, shown = [], None
    for line in output.splitlines():
        found = re.match(r"\s*(\d+):\s+proc\s+(\d+) \((\S+?):\d+\) model\.pml:(\d+) \(state \d+\)\s+\[(.*)\]", line)
        if not found or found[3] == ":init:" or re.match(r"(\.\(goto\)|else|goto|IF|DO|sub-sequence|D_STEP|\(1\)|break)", found[5]):
            continue
        step = (found[1], found[2])
        if step != shown:
            steps.append([f"{len(steps) + 1:3}  {found[3]}({found[2]})"])
            shown = step
        if not found[5].startswith("assert") and len(found[5]) < 120:
            steps[-1].append(f"       {int(found[4]):4}  {found[5]}")
    told = [text for line in output.splitlines() if (text := line.strip()).startswith("spin: text of failed")]
    return steps, told


def check_scope(model, task, directory):
    build(model, task.defines, True, directory)
    began = time.monotonic()
    errors, states, cut, output = search(directory)
    if errors:
        raise Failure("VIOLATED: " + "; ".join(re.findall(r"pan:\d+: (.*)", output)))
    if cut:
        raise Failure(f"the search was cut short after {states} states")
    return f"holds in all {states:>9,} states, {time.monotonic() - began:5.1f} s", states, lines_reached(directory, output)


def check_broken(model, task, directory):
    defines = [*task.defines, task.name]
    build(model, defines, False, directory)
    errors, _, _, _ = search(directory)
    if not errors:
        raise Failure(f"nothing noticed that {task.what}")
    steps, _ = trail(defines, directory)
    return f"fails after {len(steps):3} steps: {task.what}", 0, None


def check(model, task):
    with tempfile.TemporaryDirectory(prefix="reclaim-spec-") as name:
        try:
            return (check_broken if task.kind == "broken" else check_scope)(model, task, pathlib.Path(name))
        except (Failure, subprocess.TimeoutExpired) as failure:
            return f"FAILED {failure}", 0, None


def check_lines(model, lines, allowed):
    source = (SPEC / f"{model}.pml").read_text().splitlines()
    every = set().union(*(each for each, _ in lines))
    reached = set().union(*(each for _, each in lines))
    print(f"{model:5} {len(reached)} of {len(every)} lines with a step are reached")
    dead = [at for at in sorted(every - reached) if source[at - 1].strip() not in allowed]
    for at in dead:
        print(f"{model} line {at} is reached in no scope: {source[at - 1].strip()}", file=sys.stderr)
    return not dead


def show(name):
    for model in MODELS:
        for task in tasks_of(model)[0]:
            if task.kind != "broken" or task.name != name:
                continue
            with tempfile.TemporaryDirectory(prefix="reclaim-spec-") as temporary:
                directory = pathlib.Path(temporary)
                defines = [*task.defines, task.name]
                build(model, defines, False, directory)
                # The shortest within reach: searched again, each time for a shorter one.
                run(["gcc", "-O1", "-w", "-DSAFETY", "-DREACH", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"], directory)
                run(["./pan", "-m60", "-i"], directory)
                if not list(directory.glob("*.trail")):
                    search(directory)
                steps, told = trail(defines, directory)
            print(f"{model}.pml with {' '.join(defines)}: {task.what}\n")
            print("\n".join(line for step in steps for line in step))
            print("\n".join(told))
            return 0
    print(f"no broken variant {name}; there are: " + " ".join(
        task.name for model in MODELS for task in tasks_of(model)[0] if task.kind == "broken"), file=sys.stderr)
    return 2


def main():
    parser = argparse.ArgumentParser(description="Checks the Promela models.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--large", action="store_true", help="also the larger scopes")
    parser.add_argument("--trace", metavar="VARIANT", help="print the counterexample of a broken variant")
    options = parser.parse_args()
    if options.trace:
        return show(options.trace)
    began, total, scopes, variants, failed = time.monotonic(), 0, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for model in options.models or MODELS:
            tasks, allowed = tasks_of(model)
            tasks = [task for task in tasks if options.large or task.kind != "large"]
            lines = []
            for task, (told, states, found) in zip(tasks, pool.map(lambda task, model=model: check(model, task), tasks)):
                print(f"{model:5} {task.name:18} {told}", flush=True)
                failed += told.startswith("FAILED")
                total, scopes, variants = total + states, scopes + (task.kind != "broken"), variants + (task.kind == "broken")
                if found:
                    lines.append(found)
            failed += not check_lines(model, lines, allowed)
    print(f"models: {total:,} states in {scopes} scopes, {variants} broken variants, {failed} failures, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
