"""What the stories about guards have in common: a furnished machine, what its operator sees, and that nothing on it is harmed meanwhile."""
import concurrent.futures
import pathlib
import signal
import time

import harness
import machines
import workload

GRACE_S = 1
EXPIRY_S = 2
OUTLAST_S = GRACE_S + EXPIRY_S + 0.5  # whatever was going to run out has run out, also after a start of the server
SHORT = {"sync_interval": "500ms", "collector_interval": "300ms", "touch_grace": "0s", "unknown_grace": f"{GRACE_S}s",
         "missing_grace": f"{GRACE_S}s", "worker_expiry": f"{EXPIRY_S}s", "creating_timeout": "30s"}
PATIENCE_S = 30
SUPERSEDED = 4  # a worker's exit code


NOTHING = {"containers": set(), "volumes": set()}


def union(*things):
    return {kind: set().union(*(each[kind] for each in things)) for kind in NOTHING}


def less(things, *others):
    return {kind: things[kind] - union(*others)[kind] for kind in NOTHING}


def created(things):
    return {(kind, handle): "created" for kind in things for handle in things[kind]}


def children(pid):
    """Those that have not ended."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if about[1] == str(pid) and about[0] != "Z":
            found.append(process.name)
    return found


class GuardStory(harness.Story):
    def serve(self, database=None, through=(), **periods):
        """`database`: a Postgres, or the URL of a database."""
        flags = [word for name, period in {**SHORT, **periods}.items() for word in (f"--{name.replace('_', '-')}", period)]
        url = database.url() if isinstance(database, harness.Postgres) else database
        self.server = harness.Server(self, *flags, database=url, through=through)

    @property
    def api(self):
        return self.server.api

    def enrolled(self, name, *flags, existing="hold", made=machines.Machine):
        """A machine, and its worker, which is not started."""
        machine = made(self, name)
        return machine, self.worker_of(machine, self.enroll(self.server, name, existing=existing), *flags)

    def worker_of(self, machine, key, *flags, **more):
        return machines.worker_process(self, machine, key, self.server.gateway, self.server.fingerprint, *flags, **more)

    def key_of(self, name):
        return self.directory / f"{name}.key"

    def working(self, name, *flags, **more):
        """A machine whose worker runs and has made its first contact."""
        machine, worker = self.enrolled(name, *flags, **more)
        worker.start()
        self.server.wait_for_first_sync(name)
        return machine, worker

    # What is on a machine.

    def make(self, machine, stem, containers=4, directories=3, subvolumes=2):
        """Things that nobody registered: {kind: handles}."""
        stem = f"{self.prefix}{machine.name}-{stem}"
        made = {"containers": {f"{stem}-c{i}" for i in range(containers)}}
        directories = {f"{stem}-d{i}" for i in range(directories)}
        subvolumes = {f"{stem}-s{i}" for i in range(subvolumes)}
        with concurrent.futures.ThreadPoolExecutor(4) as creators:
            for make, handles in ((machine.run_container, made["containers"]), (machine.make_directory, directories),
                                  (machine.make_subvolume, subvolumes)):
                list(creators.map(make, handles))
        return {**made, "volumes": directories | subvolumes}

    def furnish(self, machine, owner, **counts):
        """The same of an owner: registered, made, reported."""
        self.api.put(f"/api/v1/owners/{owner}", {"kind": "build"})
        planned = self.names(machine, owner, **counts)
        for kind, handles in planned.items():
            self.register(machine, kind, owner, handles)
        made = self.make(machine, owner, **counts)
        self.assertEqual(planned, made)
        for kind, handles in made.items():
            self.report_created(machine, kind, handles)
        return made

    def names(self, machine, owner, containers=4, directories=3, subvolumes=2):
        stem = f"{self.prefix}{machine.name}-{owner}"
        return {"containers": {f"{stem}-c{i}" for i in range(containers)},
                "volumes": {f"{stem}-d{i}" for i in range(directories)} | {f"{stem}-s{i}" for i in range(subvolumes)}}

    def register(self, machine, kind, owner, handles):
        answers = self.api.post(f"/api/v1/workers/{machine.name}/{kind}", [{"handle": handle, "owner": owner} for handle in handles])
        self.assertEqual([], [answer for answer in answers if "error" in answer])

    def report_created(self, machine, kind, handles):
        for handle in handles:
            self.api.post(f"/api/v1/workers/{machine.name}/{kind}/{handle}/created")

    def lease(self, owner, seconds):
        self.api.put(f"/api/v1/owners/{owner}", {"kind": "build", "ttl_s": seconds})

    def release(self, owner):
        self.api.post(f"/api/v1/owners/{owner}/release", {})

    # What becomes of it.

    def unharmed(self, machine, things, seconds=OUTLAST_S):
        """Every process that ran runs, every byte is there, now and for `seconds` on; ends with both compared once more."""
        before = machine.prints(**things)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertEqual(before, machine.prints(**things))
            time.sleep(0.1)

    def rows_stay(self, name, things, seconds=OUTLAST_S):
        """The database holds on to exactly these, created."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertEqual(created(things), workload.rows(self.api, name))
            time.sleep(0.1)

    def rows_become(self, name, things):
        rows = lambda: workload.rows(self.api, name)
        harness.wait_until(lambda: rows() == created(things), PATIENCE_S, lambda: f"{name} to have {created(things)}: {rows()}")

    def settles(self, machine, things):
        """The machine and its rows become exactly `things`."""
        harness.wait_until(lambda: not workload.difference(machine, self.api, things), PATIENCE_S,
                           lambda: workload.explained(machine, self.api, things))

    def leaves_nothing(self, machine, owners):
        """Once its owners are released, nothing of what was there is left, and every row that ever was is accounted for."""
        for owner in owners:
            self.release(owner)
        self.settles(machine, NOTHING)
        self.assertEqual(0, self.server.metrics()['reclaim_unaccounted{plane="fleet"}'])

    # What the operator sees and does.

    def shown(self, name):
        return self.api.get(f"/api/v1/workers/{name}")

    def sees_hold(self, name, what):
        """Waits until the worker shows this hold; its reason."""
        reasons = lambda: [hold["reason"] for hold in self.shown(name)["holds"] if hold["what"] == what] or None
        reason = harness.wait_until(reasons, PATIENCE_S, lambda: f"{name} to be held for {what}: {self.shown(name)}")[0]
        self.say(f"{name} is held, {what}: {reason}")
        return reason

    def holds(self, name):
        return [hold["what"] for hold in self.shown(name)["holds"]]

    def sees_event(self, name, action, times=1):
        """Waits until the audit trail tells it so many times; the reasons, one for each time that it was told."""
        told = lambda: self.told(name, action)
        found = harness.wait_until(lambda: told() if len(told()) >= times else None, PATIENCE_S, lambda: f"{action} of {name}: {told()}")
        self.say(f"event {action}: {found[-1]}")
        return found

    def told(self, name, action):
        events = self.api.all("/api/v1/events", "events")
        return [event.get("reason") for event in events if event["action"] == action and event.get("worker") in (name, None)]

    def sees_line(self, process, pattern):
        """Waits until a process says it; the line."""
        match = process.wait_for(f"[^\n]*(?:{pattern})[^\n]*", PATIENCE_S)
        self.say(f"{process.name}: {match[0].strip()}")
        return match[0]

    def sees_exit(self, process, code=SUPERSEDED):
        harness.wait_until(lambda: not process.is_running(), PATIENCE_S, lambda: f"{process.name} to end: {process.output()[-1000:]}")
        self.assertEqual(code, process.process.returncode, process.output()[-1000:])
        self.say(f"{process.name} ended with {code}: {process.output().splitlines()[-1]}")

    def operator(self, *words, code=0):
        """One command of the operator's: what it wrote on both of its outputs."""
        done = self.client(self.server, *words)
        self.assertEqual(code, done.returncode, done.stderr + done.stdout)
        self.say("$ reclaim " + " ".join(map(str, words)) + "".join(f"\n    {line}" for line in done.stderr.splitlines()))
        return done.stdout + done.stderr

    def pause(self, process):
        """Until it is resumed; its children have ended by then."""
        process.process.send_signal(signal.SIGSTOP)
        harness.wait_until(lambda: not children(process.pid), PATIENCE_S, lambda: f"the children of {process.name} to end")

    def resume(self, process):
        process.process.send_signal(signal.SIGCONT)
