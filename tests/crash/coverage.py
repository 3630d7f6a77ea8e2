#!/usr/bin/python3
"""Every call of the workflows to the store and to the database has been crossed by a crash run. Exit 1 and one line per call that was not.

    coverage.py CROSSED PROGRAM...

CROSSED is the directory in which the programs left what they have crossed (src/sim/coverage.hpp). A call to the store is a place in the
source; a transaction is one, too; a statement is known by its name. What no crash run need cross stands below, with the reason.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("agents", "archive", "audit", "drive", "fleet", "server")

# Between a caller and the decorator that fails.
PASSED_THROUGH = ("src/agents/refusals.", "src/server/counted_store.")

SHOWN = "lists, shows and checks for people: reads, of which nothing follows"
KEYS = "keys of the API: a statement each, or one transaction that reads and deletes"
RACED = "only where another process is faster: tests/interleavings"

# Reason -> calls to the store, as file and function.
STORE_LEFT_OUT = {
    SHOWN: ["src/archive/failed.cpp tapes_with_failed", "src/archive/requests.cpp list_segments",
            "src/archive/store_check.cpp all_neighbours", "src/archive/store_list.cpp read_some", "src/archive/store_list.cpp list_objects"],
    RACED: ["src/agents/epochs.cpp draw_first"],
}
# Reason -> statements.
STATEMENTS_LEFT_OUT = {
    SHOWN: ["tape_list", "file_find", "file_list", "file_list_of_tape", "policy_find", "drive_list", "ended_list", "events_after", "owner_list",
            "resource_list", "resource_list_of_worker", "resource_list_of_owner", "orphan_explain", "resource_dependents",
            "resource_entered", "unknown_find", "ledger_totals", "count_resources", "count_workers"],
    KEYS: ["token_create", "token_by_digest", "token_list", "token_find", "token_delete", "token_admins"],
}
# Reason -> transactions, as file and function.
TRANSACTIONS_LEFT_OUT = {
    SHOWN: ["src/archive/files.cpp find_file", "src/archive/files.cpp list_files", "src/archive/files.cpp list_files_of_tape",
            "src/fleet/census.cpp take_census", "src/fleet/lineage.cpp read_lineage", "src/fleet/owners.cpp find_owner",
            "src/fleet/workers.cpp list_workers"],
    KEYS: ["src/server/access.cpp delete_token"],
}

STORE_CALL = re.compile(r"(?<!\w)store(?:_|\(\))?(?:\.|->)(run|create|read|replace|remove|list|list_all)(\()")
TRANSACTION = re.compile(r"(?<!\w)(transact|begin)(\()(?=[^()]*(?:\([^()]*\)[^()]*)*(?:ports::)?Access::)")
# Calls are found by the receiver's name, so nothing else may name a store.
STORE_NAME = re.compile(r"\bObjectStore\s*[&*>]+\s*(\w+)")
FUNCTION = re.compile(r"^(?:\w|template|\[\[).*?(\w+)\(")


class Call:
    """A place in production code that calls a port."""

    def __init__(self, path, method, first, last, function):
        self.path, self.method, self.first, self.last, self.function = path, method, first, last, function

    def key(self):
        return f"{self.path} {self.function}"

    def is_at(self, path, line):
        return path == self.path and self.first <= line <= self.last


def sources():
    for room in ROOMS:
        for path in sorted((ROOT / "src" / room).glob("*.[ch]pp")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(PASSED_THROUGH):
                yield name, re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))


def end_of_call(text, opening):
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError("a call that does not end")


def function_around(lines, line):
    for above in range(line - 1, -1, -1):
        if found := FUNCTION.match(lines[above]):
            return found.group(1)
    return ""


def calls_matching(pattern):
    for path, text in sources():
        lines = text.split("\n")
        for match in pattern.finditer(text):
            first = text.count("\n", 0, match.start()) + 1
            last = text.count("\n", 0, end_of_call(text, match.start(2))) + 1
            yield Call(path, match.group(1), first, last, function_around(lines, first))


def names_of_stores():
    for path, text in sources():
        for match in STORE_NAME.finditer(text):
            if match.group(1) not in ("store", "store_"):
                yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: a store is named {match.group(1)}: its calls are not counted"


def statements():
    for path in sorted((ROOT / "src/adapters/sql").glob("*.sql")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("-- statement: "):
                yield line.split()[2], f"{path.relative_to(ROOT)}:{number}"


def places_of(program, addresses):
    """Address -> where its instruction comes from: the innermost of what was inlined first."""
    # A return address is the instruction after the call.
    asked = "".join(f"{int(address, 16) - 1:#x}\n" for address in addresses)
    told = subprocess.run(["addr2line", "-a", "-i", "-e", program], input=asked, capture_output=True, text=True, check=True).stdout
    places = {}
    for line in told.splitlines():
        if line.startswith("0x"):
            there = places.setdefault(f"{int(line, 16) + 1:x}", [])
        elif found := re.match(r"(.*):(\d+)", line):
            there.append((found.group(1), int(found.group(2))))
    return places


def in_production(path):
    """The path in the repository, if that is production code that calls ports by itself."""
    found = re.search(rf"/(?:src|windows/\w+)/((?:{'|'.join(ROOMS)})/[^/]+)$", path)
    name = f"src/{found.group(1)}" if found else ""
    return name if found and not name.startswith(PASSED_THROUGH) else None


def caller(stack, places):
    for address in stack:
        for path, line in places.get(address, []):
            if name := in_production(path):
                return name, line
    return None


def crossings(directory, programs):
    """All of them: the port, what was called, and where in production code, if it was there."""
    for program in programs:
        record = pathlib.Path(directory) / pathlib.Path(program).name
        rows = [line.split() for line in record.read_text(encoding="ascii").splitlines()]
        places = places_of(program, sorted({address for row in rows for address in row[2:]}))
        for port, call, *stack in rows:
            yield port, call, caller(stack, places)


def is_of(call, method):
    """Whether what was called is what that method comes to."""
    return {"run": True, "list_all": call == "list", "transact": call in ("begin", "commit")}.get(method, call == method)


def findings_of(where, crossed, excused):
    """`where`: what there is, and where it stands. Whatever is left out without need is a finding, too."""
    for one, place in where.items():
        if one not in crossed and one not in excused:
            yield f"{place}: no crash run crosses {one}"
    for one in sorted(excused):
        if one not in where or one in crossed:
            yield f"coverage.py leaves {one} out, which is {'crossed' if one in where else 'not there'}"


class Tally:
    """Of one kind of call: how many of those that must be crossed are."""

    def __init__(self, name, where, crossed, reasons):
        excused = {one for some in reasons.values() for one in some}
        self.findings = list(findings_of(where, crossed, excused))
        must = [one for one in where if one not in excused]
        self.text = f"{name} {len([one for one in must if one in crossed])} of {len(must)}"


def tally_of_places(name, calls, crossed, reasons):
    """A call is left out by its function; where one has several, by those of them that are not crossed."""
    excused = {key for some in reasons.values() for key in some}
    where, hit = {}, set()
    for call in calls:
        is_crossed = any(is_of(what, call.method) and call.is_at(*at) for what, at in crossed)
        missed = call.key() in excused and not is_crossed
        one = call.key() if missed else f"{call.key()}, line {call.first}"
        where[one] = f"{call.path}:{call.first}"
        if is_crossed:
            hit.add(one)
    return Tally(name, where, hit, reasons)


def main():
    directory, programs = sys.argv[1], sys.argv[2:]
    crossed = list(crossings(directory, programs))
    of_store = {(call, at) for port, call, at in crossed if port == "store" and at}
    of_transactions = {(call, at) for port, call, at in crossed if port == "database" and call in ("begin", "commit") and at}
    tallies = [
        tally_of_places("store calls", list(calls_matching(STORE_CALL)), of_store, STORE_LEFT_OUT),
        tally_of_places("transactions", list(calls_matching(TRANSACTION)), of_transactions, TRANSACTIONS_LEFT_OUT),
        Tally("statements", dict(statements()), {call for port, call, _ in crossed if port == "database"}, STATEMENTS_LEFT_OUT),
    ]
    findings = [finding for tally in tallies for finding in tally.findings] + list(names_of_stores())
    for finding in findings:
        print(finding)
    print("coverage: " + ", ".join(tally.text for tally in tallies))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
