"""Builds on a worker: each an owner with five containers and ten volumes, five of them plain directories, five btrfs subvolumes.

The subvolumes of a build are a tree three deep (base, two snapshots of it, a snapshot of one of those) and a snapshot of the base of
the build before it, so that a base outlives its owner for as long as another build stands on it.
"""
import collections
import json

Item = collections.namedtuple("Item", "kind handle owner container parent")


class Build:
    def __init__(self, prefix, worker, number, base_before=None, every_driver=False):
        """`every_driver`: besides, two containers of crun, two overlays, two things of a program's, and a directory that cannot be removed
        for a while; the worker's machine is an EveryDriver."""
        self.owner = f"{prefix}{worker}-build-{number}"
        self.worker = worker
        stem = f"{prefix}{worker}-{number}"
        owner = self.owner
        self.containers = [Item("containers", f"{stem}-c{i}", owner, None, None) for i in range(5)]
        self.base = f"{stem}-base"
        # Two of the directories have no owner of their own: they live as long as their container.
        self.volumes = [Item("volumes", f"{stem}-d{i}", *((owner, None) if i < 3 else (None, f"{stem}-c{i}")), None) for i in range(5)]
        self.volumes += [Item("volumes", self.base, owner, None, None),
                         Item("volumes", f"{stem}-left", owner, None, self.base),
                         Item("volumes", f"{stem}-right", owner, None, self.base),
                         Item("volumes", f"{stem}-leaf", owner, None, f"{stem}-left"),
                         Item("volumes", f"{stem}-borrowed", owner, None, base_before or self.base)]
        if every_driver:
            self.containers += [Item("containers", f"{stem}-k{i}", owner, None, None) for i in range(2)]
            self.volumes += [Item("volumes", f"{stem}-{what}", owner, None, None) for what in ("o0", "o1", "t0", "t1", "immutable")]

    @property
    def items(self):
        return self.containers + self.volumes

    def steps(self, api, machine):
        """One call a step, from nothing to created: record before you create."""
        yield lambda: api.put(f"/api/v1/owners/{self.owner}", {"kind": "build"})
        for kind, items in (("containers", self.containers), ("volumes", self.volumes)):
            yield lambda kind=kind, items=items: self.register(api, kind, items)
            for item in items:
                yield lambda item=item: make(machine, item)
                yield lambda item=item: api.post(f"/api/v1/workers/{self.worker}/{item.kind}/{item.handle}/created")

    def register(self, api, kind, items):
        bodies = [{name: value for name, value in zip(Item._fields[1:], item[1:]) if value is not None} for item in items]
        answers = api.post(f"/api/v1/workers/{self.worker}/{kind}", bodies)
        refused = [answer for answer in answers if "error" in answer]
        if refused or len(answers) != len(items):
            raise AssertionError(f"registering {kind} of {self.owner}: {refused or answers}")

    def create(self, api, machine):
        for step in self.steps(api, machine):
            step()

    def release(self, api):
        api.post(f"/api/v1/owners/{self.owner}/release", {})


def make(machine, item):
    if item.parent is not None:
        return machine.make_snapshot(item.handle, item.parent)
    makers = {"c": "run_container", "k": "run_container_of_crun", "d": "make_directory", "b": "make_subvolume", "o": "make_overlay",
              "t": "make_thing", "i": "make_immutable"}
    what = item.handle.rsplit("-", 1)[1]
    more = {"is_stubborn": True} if what == "t0" else {}
    return getattr(machine, makers[what[0]])(item.handle, **more)


def needed(items, live_owners):
    """What has to stay: what a live owner owns, what hangs on a container that stays, what a volume that stays stands on."""
    stays = {(item.kind, item.handle) for item in items if item.owner in live_owners}
    stays |= {(item.kind, item.handle) for item in items if ("containers", item.container) in stays}
    parents = {item.handle: item.parent for item in items if item.kind == "volumes"}
    for _, handle in [entry for entry in stays if entry[0] == "volumes"]:
        while parents[handle] is not None:
            handle = parents[handle]
            stays.add(("volumes", handle))
    return {kind: {handle for of, handle in stays if of == kind} for kind in ("containers", "volumes")}


def rows(api, worker):
    """{(kind, handle): state} of all that the database knows of a worker."""
    return {(kind, row["handle"]): row["state"]
            for kind in ("containers", "volumes") for row in api.all(f"/api/v1/{kind}?worker={worker}", kind)}


def difference(machine, api, expected):
    """How a machine and its rows differ from what is expected, in words; empty when both are exactly that."""
    return "; ".join(differences(machine, api, expected))


def differences(machine, api, expected):
    there = machine.contents()
    for kind in ("containers", "volumes"):
        if there[kind] != expected[kind]:
            yield f"{machine.name} {kind}: too many {sample(there[kind] - expected[kind])}, missing {sample(expected[kind] - there[kind])}"
    if machine.dying():
        yield f"{machine.name}: still in dead/ {sample(machine.dying())}"
    known = rows(api, machine.name)
    wanted = {(kind, handle): "created" for kind in expected for handle in expected[kind]}
    if known != wanted:
        extra = {key: state for key, state in known.items() if wanted.get(key) != state}
        yield f"{machine.name} rows: wrong {sample(extra.items())}, missing {sample(set(wanted) - set(known))}"


def explained(machine, api, expected):
    """difference(), and what the server says about everything that is not as it should be."""
    wanted = {(kind, handle): "created" for kind in expected for handle in expected[kind]}
    lines = [difference(machine, api, expected), json.dumps(api.get(f"/api/v1/workers/{machine.name}"))]
    for (kind, handle), state in sorted(rows(api, machine.name).items()):
        if wanted.get((kind, handle)) != state:
            path = f"/api/v1/workers/{machine.name}/{kind}/{handle}"
            lines.append(json.dumps(api.get(path)) + " " + api.call("GET", f"{path}/explain").body)
    return "\n".join(lines[:20])


def sample(items):
    items = sorted(items)
    return f"{len(items)} {items[:4]}" if items else "none"
