#!/usr/bin/python3
"""The state tables of docs/architecture.md, generated from src/fleet/states.hpp.

    state_tables.py [--write]      prints them, or puts them into the document
"""
import pathlib
import re
import sys

DOCUMENT = "docs/architecture.md"
HEADER = "src/fleet/states.hpp"
BLOCK = re.compile(r"(<!-- states: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def words(constant):
    """kNewSession -> new session"""
    return re.sub(r"(?<!^)([A-Z])", r" \1", constant[1:]).lower()


def meanings(header, kind):
    body = re.search(rf"enum class {kind}Event \{{(.*?)\}};", header, re.DOTALL).group(1)
    return dict(re.findall(r"^\s*(k\w+),\s*// (.*)$", body, re.MULTILINE))


def table(header, kind):
    body = re.search(rf"k{kind}Transitions\[\] = \{{(.*?)\n\}};", header, re.DOTALL).group(1)
    rows = re.findall(rf"\{{{kind}State::(\w+),\s*{kind}Event::(\w+),\s*{kind}State::(\w+)\}}", body)
    assert len(rows) == body.count("{"), f"a row of k{kind}Transitions is not understood"
    meaning = meanings(header, kind)
    lines = ["| state | event | becomes | when |", "|---|---|---|---|"]
    lines += [f"| {words(before)} | {words(event)} | {words(after)} | {meaning[event]} |" for before, event, after in rows]
    return "\n".join(lines) + "\n"


def rendered(root):
    header = (root / HEADER).read_text(encoding="utf-8")
    document = (root / DOCUMENT).read_text(encoding="utf-8")
    assert {kind for _, kind, _ in BLOCK.findall(document)} == {"Resource", "Worker"}, f"{DOCUMENT} lacks a table's place"
    return BLOCK.sub(lambda found: found.group(1) + table(header, found.group(2)) + found.group(3), document)


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
