"""The demonstration behind `./dev demo`: two workers, real containers and volumes, two kills on the way, and the count; then two tapes, a
drive, a tape that leaves service, a kill on the way, and the count.

Exit 0 if and only if runc and the filesystems themselves show exactly what should have stayed, and every request came back or was said to
have failed.
"""
import argparse
import pathlib
import sys
import time

import demo_archive
import harness
import machines
import workload

SHORT = ["--sync-interval", "1s", "--collector-interval", "1s", "--touch-grace", "0s", "--unknown-grace", "1s", "--worker-expiry", "2s",
         "--maintenance-interval", "1s", "--agent-timeout", "2s"]
PATIENCE_S = 60  # that anything may take at most


class Demo(harness.World):
    def __init__(self):
        self.began = time.monotonic()
        self.steps = 0

    def tell(self, text):
        self.steps += 1
        print(f"{self.steps:2}. {text}", flush=True)

    def run(self):
        return self.run_fleet() and self.run_archive()

    def run_archive(self):
        print("And requests for files on tape, when the tape leaves service.\n")
        archive = demo_archive.Archive(self, self.server)
        archive.fill()
        self.tell(f"A library of two tapes, V1 and V2: directories. {demo_archive.FILES} files lie on V1, every second one on V2 as well.")
        archive.request()
        archive.drive.start()
        self.tell("All of them are requested, in one call. A drive starts, mounts, and begins to read.")
        archive.wait_until_reading()
        archive.do("tapes", "set-state", "V1", "BROKEN", "--reason", demo_archive.REASON)
        self.server.process.kill()
        self.tell(f'While it reads, V1 leaves service: BROKEN, "{demo_archive.REASON}". And the server is killed with kill -9 ...')
        self.server.start()
        archive.wait_until_over()
        self.tell("... and started again. V1 has left BROKEN_PENDING. What the requester was told, and what lies in the buffer:\n")
        rows, reason, agreed = archive.count()
        self.table(rows)
        if reason:
            self.tell(f"Why they failed: {reason}\n")
        print(f"{'They agree' if agreed else 'THEY DO NOT AGREE'}, after {time.monotonic() - self.began:.0f} s.")
        return agreed

    def run_fleet(self):
        print("Reclaim takes back containers and volumes that nobody needs any more. Everything below is real.\n")
        self.server = harness.Server(self, *SHORT)
        self.tell(f"A server runs: its API on {self.server.url}, its SSH gateway on {self.server.gateway}, its database a file.")
        self.fleet = [machines.Machine(self, f"w{i}") for i in (1, 2)]
        self.workers = [self.start_worker(machine) for machine in self.fleet]
        self.tell("Two workers run, w1 and w2. Each reports what is on its machine and destroys what it is told to.")

        alpha, beta = [self.create(name) for name in ("alpha", "beta")]
        self.tell("Two builds, alpha and beta, each made 5 containers and 10 volumes on both workers: runc containers, directories, and\n"
                  "    btrfs subvolumes with snapshots of snapshots. Something else, which nobody registered, lies on w2 as well.")
        stray = f"{self.prefix}w2-stray"
        self.fleet[1].make_directory(stray)

        everything = {mine.worker: mine.items + yours.items for mine, yours in zip(alpha, beta)}
        stays = {worker: workload.needed(items, {build.owner for build in beta}) for worker, items in everything.items()}
        before = {machine.name: machine.prints(**stays[machine.name]) for machine in self.fleet}
        for build in alpha:
            build.release(self.server.api)
        self.tell("Build alpha is over: its owner is released. From now on nobody needs what it made.")
        harness.wait_until(lambda: len(self.gone()) > 0, PATIENCE_S, "the first thing to be destroyed")
        self.workers[0].kill()
        self.server.process.kill()
        self.tell("In the middle of it the server and worker w1 are killed with kill -9 ...")
        self.server.start()
        self.workers[0].start()
        self.tell("... and started again. Nobody tells them what happened.")
        for machine in self.fleet:
            harness.wait_until(lambda: not workload.difference(machine, self.server.api, stays[machine.name]), PATIENCE_S,
                               lambda: workload.explained(machine, self.server.api, stays[machine.name]))
        self.tell("The workers have destroyed what they were told to. What the server's database says:\n")
        created = {machine.name: len(everything[machine.name]) + (machine.name == "w2") for machine in self.fleet}
        return self.count(created, stays, before)

    def start_worker(self, machine):
        key = self.enroll(self.server, machine.name)
        worker = machines.worker_process(self, machine, key, self.server.gateway, self.server.fingerprint)
        worker.start()
        self.server.wait_for_first_sync(machine.name)
        return worker

    def create(self, name):
        builds = [workload.Build(self.prefix, machine.name, name) for machine in self.fleet]
        for machine, build in zip(self.fleet, builds):
            build.create(self.server.api, machine)
        return builds

    def count(self, created, stays, before):
        rows = [("worker", "created", "destroyed", "kept")]
        for machine in self.fleet:
            kept = workload.rows(self.server.api, machine.name)
            rows.append((machine.name, created[machine.name], self.gone().count(machine.name), len(kept)))
        self.table(rows)
        balanced = all(made == destroyed + kept for _, made, destroyed, kept in rows[1:])

        self.tell("And what the machines say, asked without Reclaim: runc list, and the directories of volumes:\n")
        rows = [("worker", "containers", "volumes", "as the database says", "byte for byte as before")]
        agreed = balanced
        for machine in self.fleet:
            there = machine.contents()
            same = there == stays[machine.name] and not machine.dying()
            untouched = same and machine.prints(**there) == before[machine.name]
            counts = [len(there[kind]) for kind in ("containers", "volumes")]
            rows.append((machine.name, *counts, *("yes" if good else "NO" for good in (same, untouched))))
            agreed = agreed and same and untouched
        self.table(rows)
        print(f"{'They agree' if agreed else 'THEY DO NOT AGREE'}, after {time.monotonic() - self.began:.0f} s.\n")
        return agreed

    def gone(self):
        """The workers of all that is gone, one name for each thing."""
        return [event["worker"] for event in self.server.api.all("/api/v1/events", "events") if event["action"] == "gone"]

    def table(self, rows):
        widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
        for row in rows:
            cells = [str(cell).ljust(width) if isinstance(cell, str) else str(cell).rjust(width) for cell, width in zip(row, widths)]
            print("      " + "  ".join(cells).rstrip())
        print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True, help="the executable `reclaim`")
    harness.World.reclaim = str(pathlib.Path(parser.parse_args().binary).resolve())
    demo = Demo()
    demo.open_world()
    try:
        agreed = demo.run()
    except AssertionError as failure:
        print(f"It did not work: {failure}", file=sys.stderr)
        agreed = False
    if not agreed:
        demo.show_logs()
    demo.close_world()
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
