"""The rooms as src/CMakeLists.txt declares them, and includes that look where they may not.

The build refuses an upward include because the room is not in the window. This says so without a compiler, and also refuses what a
window shows only because a declared room has it in its own.
"""
import collections
import re

Room = collections.namedtuple("Room", "name path deps")

DECLARATION = re.compile(r"^ *room\((\w+)\s+([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^#include "((?:adapters/)?[\w]+)/')


def declared(root):
    found = []
    for name, rest in DECLARATION.findall((root / "src/CMakeLists.txt").read_text(encoding="utf-8")):
        words = rest.split()
        path = words[words.index("PATH") + 1] if "PATH" in words else name
        deps = words[words.index("DEPS") + 1:] if "DEPS" in words else []
        if "LIBS" in deps:
            deps = deps[:deps.index("LIBS")]
        found.append(Room(name, path, deps))
    return found


def forbidden_includes(root, sources):
    every = declared(root)
    path_of = {room.name: room.path for room in every}
    for room in every:
        windows = {room.path} | {path_of[dep] for dep in room.deps}
        for name in sources:
            if not re.match(rf"src/{room.path}/[^/]+$", name):
                continue
            for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
                target = INCLUDE.match(line)
                if target and target.group(1) not in windows:
                    yield (name, number, f"room {room.name} does not declare {target.group(1)}")
