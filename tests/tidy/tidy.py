#!/usr/bin/python3
"""The rules of the house that compilers cannot see. Exit 1 and one line per finding when one is broken.

    tidy.py

Each rule is one function that yields findings. Who may break a rule stands beside it in ALLOWED, with the reason.
"""
import pathlib
import re
import subprocess
import sys

import rooms
import state_tables

ROOT = pathlib.Path(__file__).resolve().parents[2]

CLOCK = "reads a clock: take a reclaim::Clock"
SLEEP = "sleeps: wait for what happens, with a bound"
CHANCE = "draws a random number: take a reclaim::Random"
GENERATOR = "makes random numbers of its own: take a reclaim::Random"
THREAD = "starts a thread: threads live in runtime, http and gateway"
DANGLING = "TRY of a part of a temporary, which is gone when TRY looks at it: name the whole first"
UNDONE = "TRY within braces after something else, which nothing destroys when TRY returns: name the value first"
CATCH = "catches everything: errors are values, and a thread's top function is the only net"

BANNED = [
    (CLOCK, r"_clock::now\b|\bclock_gettime\b|\bgettimeofday\b|(?<![\w.>])(?:std::)?time\(\s*(?:nullptr|NULL|0|&)"),
    (SLEEP, r"\bsleep_for\b|\bsleep_until\b|\busleep\b|\bnanosleep\b|\bpause_for\b|(?<![\w.>\"])sleep\("),
    (CHANCE, r"(?<![\w.>])s?rand\(|\bdrand48\b|\brandom_device\b|\bgetrandom\b|\barc4random|\bRAND_bytes\b"),
    (GENERATOR, r"\bmt19937|\bdefault_random_engine\b|\bminstd_rand"),
    (THREAD, r"\bstd::(?:jthread|thread|async)\b|\bstd::this_thread\b|\bpthread_create\b"),
    (DANGLING, r"\bTRY\(.*\)(?:\.front\(\)|\.back\(\)|\.at\([^()]*\)|\[[^\[\]]*\])\)"),
    (CATCH, r"\bcatch\s*\(\s*\.\.\.\s*\)"),
]

# What stands before the brace of a block, and not before that of a value.
BLOCK = re.compile(r"(?:\)|\b(?:else|do|try|const|override|noexcept)|->[\w:<>,*&\s]+)\s*\Z")

# Rule -> {path or its beginning: reason}.
ALLOWED = {
    CLOCK: {
        "src/adapters/system/": "the Clock of real life",
        "tests/contract/fleet/race_test.cpp": "a bound on waiting for a lock of another connection",
    },
    SLEEP: {
        "src/adapters/system/": "the pause of real life, for what cannot be waited for",
        "src/adapters/runtime_oci/": "runc says when a container has stopped only to those who ask",
        "src/apps/worker.cpp": "the wait for a lock that another process holds: no signal tells when it goes",
        "tests/support/machine.hpp": "`eventually`: a bounded poll of what another process does",
    },
    CHANCE: {"src/adapters/system/": "the Random of real life"},
    GENERATOR: {
        "fuzz/": "made from the decoder's name",
        "tests/": "made from a seed that the failure names",
        "src/sim/schedules": "made from a seed that repeats the run",
        "src/sim/swarm": "made from a seed that repeats the run",
    },
    THREAD: {
        "src/runtime/": "the room of threads",
        "src/http/": "one thread for all connections",
        "src/gateway/": "one thread for all sessions, a bounded pool that asks the door",
        "src/sim/stage": "an actor is one, and runs only while it has the turn",
        "tests/": "many callers at once are what they test",
        "bench/": "somebody else's work beside what is measured",
    },
    DANGLING: {},
    CATCH: {},
}

Finding = tuple  # (path, line, message)


def repository_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                            check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)


def code_of(name):
    """The text without comments and strings; every line keeps its number. Includes are kept whole by rooms.py."""
    return COMMENT_OR_STRING.sub(lambda found: '""' + "\n" * found.group().count("\n"), text_of(name))


def lines_with(pattern, text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(pattern, line):
            yield number


def is_cpp(name):
    return name.endswith((".cpp", ".hpp"))


def is_allowed(rule, name):
    return any(name.startswith(place) for place in ALLOWED[rule])


def check_banned_calls(files):
    for name in filter(is_cpp, files):
        code = code_of(name)
        for rule, pattern in BANNED:
            if not is_allowed(rule, name):
                yield from ((name, line, rule) for line in lines_with(pattern, code))


def opener_before(code, place):
    """Where the bracket opens in which `place` stands, and whether there is a comma before it there; -1: a statement ends before it."""
    depth, has_comma = 0, False
    for i in range(place - 1, -1, -1):
        if code[i] in ")}]":
            depth += 1
        elif code[i] in "({[" and depth > 0:
            depth -= 1
        elif code[i] in "({[":
            return i, has_comma
        elif code[i] == ";" and depth == 0:
            return -1, False
        elif code[i] == "," and depth == 0:
            has_comma = True
    return -1, False


def check_unfinished_braces(files):
    """Both compilers forget what an aggregate, a list or a lambda's captures have so far when a statement expression returns."""
    for name in files:
        if not is_cpp(name):
            continue
        code = code_of(name)
        for found in re.finditer(r"\bTRY\(", code):
            opener, has_comma = opener_before(code, found.start())
            if has_comma and code[opener] in "{[" and not BLOCK.search(code[max(0, opener - 80):opener]):
                yield (name, code.count("\n", 0, found.start()) + 1, UNDONE)


def check_allowances_are_needed(files):
    """An allowance that nobody needs any more hides the next mistake."""
    sources = {name: code_of(name) for name in files if is_cpp(name)}
    for rule, pattern in BANNED:
        for place in ALLOWED[rule]:
            if not any(name.startswith(place) and re.search(pattern, code) for name, code in sources.items()):
                yield ("tests/tidy/tidy.py", 1, f"nothing in {place} needs its allowance: {rule}")


def check_todos(files):
    for name in files:
        if is_cpp(name) or name.endswith((".py", ".sql", ".cmake", ".sh")) and not name.startswith("tests/tidy/"):
            for line in lines_with(r"\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))", text_of(name)):
                yield (name, line, "a TODO names its issue: TODO(#12)")


def check_white_space(files):
    for name in files:
        if name == "LICENSE" or name.endswith((".png", ".svg")) or name.startswith("fuzz/corpus/"):
            continue
        text = text_of(name)
        if text and not text.endswith("\n"):
            yield (name, text.count("\n") + 1, "no newline at the end")
        yield from ((name, line, "trailing space") for line in lines_with(r"[ \t]$", text))
        yield from ((name, line, "a tab") for line in lines_with(r"\t", text))


def check_rooms(files):
    for room in rooms.declared(ROOT):
        if f"src/{room.path}/README.md" not in files:
            yield (f"src/{room.path}/README.md", 1, "every room opens with a README")
    yield from rooms.forbidden_includes(ROOT, [name for name in files if is_cpp(name)])


def check_statements(files):
    """A statement that no code runs is dead, and so is a fragment that no statement holds."""
    code = "\n".join(code_of(name) for name in files if is_cpp(name) and name.startswith("src/"))
    sql_files = [name for name in files if name.startswith("src/adapters/sql/") and name.endswith(".sql")]
    every_sql = "\n".join(text_of(name) for name in sql_files)
    for name in sql_files:
        for found in re.finditer(r"^-- (statement|fragment): (\w+)", text_of(name), re.MULTILINE):
            kind, called = found.groups()
            used = re.search(rf"\bsql::{called}\b", code) if kind == "statement" else f"@{{{called}}}" in every_sql
            if not used:
                yield (name, text_of(name)[:found.start()].count("\n") + 1, f"nothing uses the {kind} {called}")


def check_collectors(files):
    """Declared, defined and listed must be the same collectors: one that is written but not scheduled collects nothing."""
    signature = r"^Result<PassReport> (\w+)\(const Context& \w+, const Claim& \w+\)"
    declared = set(re.findall(signature + ";", text_of("src/fleet/collectors.hpp"), re.MULTILINE))
    defined = {call for name in files if name.startswith("src/fleet/") and name.endswith(".cpp")
               for call in re.findall(signature + r" \{", text_of(name), re.MULTILINE)}
    listed = dict(re.findall(r'^ *\{"([\w-]+)", (\w+), \2_sweep\},$', text_of("src/fleet/collectors.cpp"), re.MULTILINE))
    if not declared:
        yield ("src/fleet/collectors.hpp", 1, "no collector is declared in the form that this rule knows")
    for call in sorted(declared ^ defined):
        yield ("src/fleet/collectors.hpp", 1, f"{call} is {'declared' if call in declared else 'defined'} only")
    for call in sorted(defined ^ set(listed.values())):
        yield ("src/fleet/collectors.cpp", 1, f"{call} is {'not listed' if call in defined else 'listed only'}")
    for shown, call in listed.items():
        if shown.replace("-", "_") != call:
            yield ("src/fleet/collectors.cpp", 1, f"{call} is listed under another name: {shown}")


def check_state_tables(_files):
    if not state_tables.agree(ROOT):
        yield (state_tables.DOCUMENT, 1, "the state tables differ from the code's: run tests/tidy/state_tables.py --write")


def check_documents(files):
    """A document may name a test, a source file or another document only as long as it is there."""
    tests = "\n".join(text_of(name) for name in files if name.startswith("tests/") and is_cpp(name))
    cases = {".".join(case) for case in re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", tests, re.MULTILINE)}
    for name in files:
        if not name.endswith(".md"):
            continue
        for line, text in enumerate(text_of(name).splitlines(), 1):
            for case in re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", text):
                if case not in cases:
                    yield (name, line, f"there is no test {case}")
            for path in re.findall(r"`((?:src|tests|docs|cmake|bench)/[\w./-]+)`", text):
                if not (ROOT / path).exists():
                    yield (name, line, f"there is no {path}")
            for link in re.findall(r"\]\(([^)#:]+)\)", text):
                if not ((ROOT / name).parent / link).exists():
                    yield (name, line, f"the link to {link} leads nowhere")


RULES = [check_banned_calls, check_unfinished_braces, check_allowances_are_needed, check_todos, check_white_space, check_rooms,
         check_statements, check_collectors, check_state_tables, check_documents]


def main():
    files = repository_files()
    findings = [finding for rule in RULES for finding in rule(files)]
    for path, line, message in findings:
        print(f"{path}:{line}: {message}")
    print(f"{len(RULES)} rules over {len(files)} files: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
