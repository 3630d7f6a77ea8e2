#!/usr/bin/python3
"""The state tables of docs/architecture.md, generated from the headers that the code asks.

    state_tables.py [--write]      prints them, or puts them into the document
"""
import pathlib
import re
import sys

DOCUMENT = "docs/architecture.md"
HEADERS = {"Resource": "src/fleet/states.hpp", "Worker": "src/fleet/states.hpp", "Tape": "src/archive/tape_states.hpp"}
BLOCK = re.compile(r"(<!-- states: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def words(constant):
    """kNewSession -> new session"""
    return re.sub(r"(?<!^)([A-Z])", r" \1", constant[1:]).lower()


def meanings(header, kind):
    body = re.search(rf"enum class {kind}Event \{{(.*?)\}};", header, re.DOTALL).group(1)
    return dict(re.findall(r"^\s*(k\w+),\s*// (.*)$", body, re.MULTILINE))


def transitions(header, kind):
    body = re.search(rf"k{kind}Transitions\[\] = \{{(.*?)\n\}};", header, re.DOTALL).group(1)
    rows = re.findall(rf"\{{{kind}State::(\w+),\s*{kind}Event::(\w+),\s*{kind}State::(\w+)\}}", body)
    assert len(rows) == body.count("{"), f"a row of k{kind}Transitions is not understood"
    return rows


def lines_of(header, kind):
    """One line for each transition."""
    meaning = meanings(header, kind)
    yield "| state | event | becomes | when |"
    yield "|---|---|---|---|"
    for before, event, after in transitions(header, kind):
        yield f"| {words(before)} | {words(event)} | {words(after)} | {meaning[event]} |"


def matrix_of(header, kind):
    """One line for each state, one column for each event: for machines in which most states answer most events."""
    rows = {(before, event): after for before, event, after in transitions(header, kind)}
    states = list(dict.fromkeys(before for before, _ in rows))
    events = list(meanings(header, kind))
    shout = lambda constant: words(constant).upper().replace(" ", "_")
    yield "| state | " + " | ".join(words(event) for event in events) + " |"
    yield "|---|" + "---|" * len(events)
    for before in states:
        cells = [rows.get((before, event)) for event in events]
        yield f"| {shout(before)} | " + " | ".join("" if cell is None else "=" if cell == before else shout(cell) for cell in cells) + " |"


def table(root, kind):
    header = (root / HEADERS[kind]).read_text(encoding="utf-8")
    lines = matrix_of(header, kind) if kind == "Tape" else lines_of(header, kind)
    return "\n".join(lines) + "\n"


def rendered(root):
    document = (root / DOCUMENT).read_text(encoding="utf-8")
    assert {kind for _, kind, _ in BLOCK.findall(document)} == set(HEADERS), f"{DOCUMENT} lacks a table's place"
    return BLOCK.sub(lambda found: found.group(1) + table(root, found.group(2)) + found.group(3), document)


def agree(root):
    return rendered(root) == (root / DOCUMENT).read_text(encoding="utf-8")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    if "--write" in sys.argv:
        (root / DOCUMENT).write_text(rendered(root), encoding="utf-8")
    else:
        print(rendered(root))


if __name__ == "__main__":
    main()
