#!/usr/bin/python3
"""Seeded defects, each in one source, each of a kind that this field has really had: does a test notice?

    run.py --all             every one of them
    run.py NAME...           these, and what their tests said
    run.py --sample SECONDS  some, for so many seconds of processor time at most: in turn from where the commit says, so that each has its turn

A mutation is a patch, ARCHIVE-OR-FLEET/NAME.patch: its story, what it breaks, and who is to catch it, in this order until one does:

    Breaks: INVARIANT
    Caught by: TEST-PROGRAM GTEST-FILTER
    Survives: WHY          only where nobody can: it changes nothing that counts

The patch is applied to a copy; that one object is compiled as the build does it and takes its place in a copy of its room's library, in BUILD/mutations. The
working tree and the build stay as they are, and the build has to be there. Caught is what makes the program fail, or take five times its time.
Exit 1 if a mutation survives without a reason, does not apply, does not compile, or if a program fails without it.
"""
import argparse
import concurrent.futures
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
AT_ONCE = 2  # with --all
DEAREST = 10.0  # processor seconds that a mutation may cost, as long as none was seen that costs more
CPU_LIMIT = 30  # seconds of a test program, or five times what it takes without the mutation
WALL_LIMIT = 900  # seconds: one that waits for ever
SHOWN_MAX = 4000  # characters of what a test says


class Failure(Exception):
    """The run itself is in error: nothing is known about the mutation."""


@dataclasses.dataclass
class Mutation:
    name: str
    patch: pathlib.Path
    source: str
    breaks: str
    catchers: list  # of (program, filter)
    survives: str


@dataclasses.dataclass
class Ran:
    code: int
    cpu: float
    output: str


@dataclasses.dataclass
class Verdict:
    mutation: Mutation
    caught_by: str = ""
    seconds: float = 0.0  # of the program that caught it
    cost: float = 0.0  # of everything
    output: str = ""
    error: str = ""

    def is_wrong(self):
        return bool(self.error) or not (self.caught_by or self.mutation.survives)


def read(patch):
    text = patch.read_text()
    header, _, diff = text.partition("\n--- ")
    sources = re.findall(r"^\+\+\+ b/(\S+)$", diff, re.M)
    breaks = re.search(r"^Breaks: (.+)$", header, re.M)
    catchers = re.findall(r"^Caught by: (\S+) (\S+)$", header, re.M)
    survives = re.search(r"^Survives: (.+)$", header, re.M)
    if len(sources) != 1 or not breaks or not catchers:
        raise SystemExit(f"{patch}: one source, `Breaks:` and `Caught by:` are needed")
    return Mutation(patch.stem, patch, sources[0], breaks[1], catchers, survives[1] if survives else "")


def run(command, directory, cpu_limit=None):
    """What a child came to, and the processor time that it and its children took."""
    def limit():
        os.setpgrp()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if cpu_limit:
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit, cpu_limit + 5))
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(directory.parent), TMPDIR=str(directory))
    child = subprocess.Popen(command, cwd=directory, env=environment, preexec_fn=limit, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
    killer = threading.Timer(WALL_LIMIT, lambda: os.killpg(child.pid, signal.SIGKILL))
    killer.start()
    output = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    killer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return Ran(child.returncode, usage.ru_utime + usage.ru_stime, output)


def must(ran, what):
    if ran.code != 0:
        raise Failure(f"{what}:\n{ran.output.strip()[-2000:]}")
    return ran


class Build:
    """What the build knows: how an object is compiled and a program linked, and how long a program's tests take as they are."""

    def __init__(self, directory):
        self.directory = directory
        commands = directory / "compile_commands.json"
        if not commands.exists():
            raise SystemExit(f"{directory} holds no build: ./dev build")
        self.compiles = {entry["file"]: shlex.split(entry["command"]) for entry in json.loads(commands.read_text())}
        self.baselines = {}
        self.lock = threading.Lock()

    def compile(self, source, directory, instead, first_includes):
        """`instead` in place of `source`, and a copy of its room's library in `directory` with that object in place of the room's own.
        Warnings are the compiler's business with code that is to stay."""
        command = self.compiles.get(str(ROOT / source))
        if command is None:
            raise Failure(f"the build does not compile {source}")
        command = [str(instead) if word == str(ROOT / source) else word for word in command]
        at = command.index("-o") + 1
        known = pathlib.PurePath(command[at])  # src/CMakeFiles/ROOM.dir/...
        room, to = known.parts[2].removesuffix(".dir"), directory / known.name
        command[at] = str(to)
        compiler = next(i for i, word in enumerate(command) if word.startswith("-"))
        command[compiler:compiler] = [f"-I{path}" for path in first_includes]
        compiled = must(run([*command, "-w"], self.directory), "it does not compile")
        library = directory / f"lib{room}.a"
        shutil.copy(self.directory / "src" / library.name, library)
        if known.name not in must(run(["ar", "t", str(library)], self.directory), f"no library {library.name}").output.split():
            raise Failure(f"{library.name} has no {known.name}")
        must(run(["ar", "r", str(library), str(to)], self.directory), f"{library.name} cannot be changed")
        return library, compiled

    def link(self, program, library, to):
        """With the changed library in place of the room's."""
        listed = must(run(["ninja", "-t", "commands", program], self.directory), f"no program {program}")
        line = listed.output.splitlines()[-1]
        place, usual = f" -o bin/{program} ", f" src/{library.name} "
        if line.count(place) != 1 or usual not in line:
            raise Failure(f"{program} is not linked as expected")
        line = line.replace(place, f" -o {to} ").replace(usual, f" {library} ")
        return must(run(["/bin/sh", "-c", line], self.directory), f"{program} does not link")

    def baseline(self, program, tests):
        with self.lock:
            known = self.baselines.get((program, tests))
        if known is None:
            known = run([str(self.directory / "bin" / program), f"--gtest_filter={tests}"], self.directory)
            if known.code != 0 or not re.search(r"^\[==========\] [1-9]\d* tests? from", known.output, re.M):
                raise Failure(f"{program} --gtest_filter={tests} does not pass as it is, or has no tests:\n{known.output[-2000:]}")
            with self.lock:
                self.baselines[program, tests] = known
        return known


def run_mutated(program, tests, directory, cpu_limit):
    """To the first failure, at which it stops as in a debugger."""
    return run([str(program), f"--gtest_filter={tests}", "--gtest_break_on_failure"], directory, cpu_limit)


def how_it_failed(ran):
    """Empty: it did not."""
    if ran.code == 0:
        return ""
    begun = re.findall(r"^\[ RUN      \] (\S+)", ran.output, re.M)
    test = begun[-1] if begun else "its start"
    checked = re.search(r"check failed: (.*)", ran.output)
    if ran.code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"{test}, which takes too long"
    if ran.code == -signal.SIGTRAP or not checked:
        return test if ran.code in (-signal.SIGTRAP, 1) else f"{test}, which ends with {ran.code}"
    return f"{test}, by a check: {checked[1]}"


def apply(mutation, directory):
    """The mutated copy."""
    copy = directory / mutation.source
    copy.parent.mkdir(parents=True)
    shutil.copy(ROOT / mutation.source, copy)
    must(run(["git", "apply", "--whitespace=nowarn", str(mutation.patch)], directory), "it does not apply any more")
    return copy


def generate_statements(mutated, source, directory):
    """All SQL, with the mutated file in its place; the numbers stay, or nothing that uses them would fit."""
    made = directory / "generated"
    (made / "adapters/sql").mkdir(parents=True)
    (made / "ports").mkdir()
    files = [str(mutated) if file == ROOT / source else str(file) for file in sorted((ROOT / "src/adapters/sql").glob("*.sql"))]
    command = ["awk", "-v", f"header={made}/ports/statements.hpp", "-v", f"texts={made}/adapters/sql/statement_texts.inc", "-f",
               str(ROOT / "cmake/statements.awk"), *files]
    must(run(command, directory), "its SQL cannot be read")
    return made


def compile_mutated(build, mutation, directory, copy):
    if mutation.source.endswith(".sql"):
        made = generate_statements(copy, mutation.source, directory)
        if (made / "ports/statements.hpp").read_text() != (build.directory / "generated/ports/statements.hpp").read_text():
            raise Failure("it changes the numbers of statements, or the build is not up to date")
        catalogue = "src/adapters/sql/catalogue.cpp"
        return build.compile(catalogue, directory, ROOT / catalogue, [made])
    return build.compile(mutation.source, directory, copy, [])


def judge(build, mutation, directory, as_it_is=True):
    """Whether its programs pass without it is asked first, unless somebody else runs them."""
    verdict = Verdict(mutation)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        library, compiled = compile_mutated(build, mutation, directory, apply(mutation, directory))
        verdict.cost += compiled.cpu
        for program, tests in mutation.catchers:
            to = directory / program
            verdict.cost += build.link(program, library, to).cpu
            usual = build.baseline(program, tests).cpu if as_it_is else 0
            ran = run_mutated(to, tests, directory, max(CPU_LIMIT, int(5 * usual)))
            to.unlink()
            verdict.cost += ran.cpu
            how = how_it_failed(ran)
            if how:
                verdict.caught_by, verdict.seconds, verdict.output = f"{program}: {how}", ran.cpu, ran.output
                break
    except Failure as failure:
        verdict.error = str(failure)
    shutil.rmtree(directory)
    return verdict


def tell(verdict):
    mutation = verdict.mutation
    if verdict.error:
        said = f"ERROR: {verdict.error}"
    elif verdict.caught_by:
        said = f"caught by {verdict.caught_by}, after {verdict.seconds:.1f} s"
    else:
        said = f"SURVIVED {', '.join(' '.join(catcher) for catcher in mutation.catchers)}: {mutation.survives or 'a test is missing'}"
    print(f"{mutation.name} ({mutation.breaks}): {said}", flush=True)


def check_that_all_apply(mutations, directory):
    """Of every one, so that whoever changes what a patch touches hears of it at once, and not when it is that one's turn."""
    wrong = []
    for mutation in mutations:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            apply(mutation, directory)
        except Failure as failure:
            wrong.append(Verdict(mutation, error=str(failure)))
    shutil.rmtree(directory, ignore_errors=True)
    return wrong


def judge_some(build, mutations, seconds):
    """In turn, beginning where the commit says. Whoever runs a sample runs all tests as they are, too."""
    wrong = check_that_all_apply(mutations, build.directory / "mutations" / "applied")
    for verdict in wrong:
        tell(verdict)
    if wrong:
        return wrong
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    first = int(commit[:8] or "0", 16) % len(mutations)
    verdicts = []
    spent = 0.0
    dearest = DEAREST
    for mutation in mutations[first:] + mutations[:first]:
        if spent + dearest > seconds:
            break
        verdicts.append(judge(build, mutation, build.directory / "mutations" / mutation.name, as_it_is=False))
        tell(verdicts[-1])
        spent += verdicts[-1].cost
        dearest = max(dearest, verdicts[-1].cost)
    print(f"a sample of {len(verdicts)} of {len(mutations)} mutations, in turn from {mutations[first].name} on: {spent:.0f} s of processor time")
    return verdicts


def judge_all(build, mutations):
    def one(mutation):
        return judge(build, mutation, build.directory / "mutations" / mutation.name)
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for verdict in pool.map(one, mutations):
            tell(verdict)
            verdicts.append(verdict)
    print(f"{sum(verdict.cost for verdict in verdicts):.0f} s of processor time")
    return verdicts


def conclude(verdicts):
    caught = sum(bool(verdict.caught_by) for verdict in verdicts)
    survived = [verdict.mutation for verdict in verdicts if not verdict.caught_by and not verdict.error]
    errors = [verdict.mutation.name for verdict in verdicts if verdict.error]
    line = f"mutations: {len(verdicts)}, caught {caught} ({100 * caught // max(1, len(verdicts))} %), survived {len(survived)}"
    line += "".join(f": {mutation.name} ({mutation.survives or 'a test is missing'})" for mutation in survived)
    print(line + (f", in error: {', '.join(errors)}" if errors else ""))
    return 1 if any(verdict.is_wrong() for verdict in verdicts) else 0


def main():
    parser = argparse.ArgumentParser(usage="run.py [--build DIRECTORY] (--all | --sample SECONDS | NAME...)")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--sample", type=float)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    asked = parser.parse_args()
    mutations = [read(patch) for patch in sorted(HERE.glob("*/*.patch"))]
    named = [mutation for mutation in mutations if mutation.name in asked.names]
    unknown = set(asked.names) - {mutation.name for mutation in mutations}
    if unknown or (asked.all, asked.sample is not None, bool(asked.names)).count(True) != 1:
        parser.error(f"no mutation {', '.join(sorted(unknown))}" if unknown else "what to run?")
    build = Build(asked.build.resolve())
    work = build.directory / "mutations"
    work.mkdir(exist_ok=True)
    with open(work / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        verdicts = judge_some(build, mutations, asked.sample) if asked.sample is not None else judge_all(build, named or mutations)
    if named:
        for verdict in verdicts:
            print(f"\n{verdict.mutation.name}: {verdict.mutation.patch.read_text().partition('Breaks: ')[0].strip()}")
            print("\n".join(line for line in verdict.output.splitlines() if not line.startswith(("[", "Note: ", "Running main")))[:SHOWN_MAX])
    return conclude(verdicts)


if __name__ == "__main__":
    sys.exit(main())
