"""One destroy in ten hangs, or a list does, held by the kernel so that not even SIGKILL ends it: all others are done in time, and what
hangs stays in hand, is shown, and its handle is not free until it is over."""
import concurrent.futures
import pathlib
import shutil
import time

import harness
import machines

SLOTS = 5
STRAGGLER_AFTER = 2
DEADLINE = 9
COUNT = 60
HUNG = COUNT // 10
PATIENCE = 5  # of a sync with a list
FREEZER = pathlib.Path("/sys/fs/cgroup/freezer")
SHORT = ["--sync-interval", "1s", "--collector-interval", "1s", "--touch-grace", "0s"]
FLAGS = ["--max-in-flight", f"container={SLOTS},volume={SLOTS}", "--straggler-after", f"{STRAGGLER_AFTER}s", "--destroy-timeout",
         f"{DEADLINE}s"]

# In place of the runtime's binary. A process in a frozen cgroup stands still, and gets its SIGKILL when it is thawed.
RUNTIME = """#!/bin/sh
if [ "$3" = kill ] && [ -e "{hung}/$4" ]; then
  echo $$ >"{freezer}/cgroup.procs"
fi
exec {runtime} "$@"
"""

# A driver of somebody's own, for directories.
PROGRAM = """#!/bin/sh
case "$1" in
  identity) echo '{{"protocol":1,"kind":"volume","manages":"{volumes}"}}' ;;
  list)
    [ -e "{hung}/list" ] && echo $$ >"{freezer}/cgroup.procs"
    separator=
    printf '{{"resources":['
    for volume in "{volumes}"/*; do
      [ -d "$volume" ] && printf '%s{{"handle":"%s"}}' "$separator" "${{volume##*/}}" && separator=,
    done
    echo ']}}' ;;
  destroy)
    [ -e "{hung}/$2" ] && echo $$ >"{freezer}/cgroup.procs"
    rm -rf "{volumes}/$2" && echo '{{"gone":true}}' ;;
esac
"""


@harness.engines
class StragglersTest(harness.Story):
    def setUp(self):
        super().setUp()
        self.hung = self.directory / "hung"
        self.hung.mkdir()
        self.freezer = FREEZER / f"{self.prefix}hung"
        self.freezer.mkdir()
        self.freeze("FROZEN")
        self.addCleanup(self.freeze, "THAWED")

    def freeze(self, state):
        (self.freezer / "freezer.state").write_text(state)

    def story_a_runtime_that_hangs(self, postgres):
        self.begin(postgres, "containers")
        runtime = RUNTIME.format(hung=self.hung, freezer=self.freezer, runtime=shutil.which("runc"))
        search = self.program("runc", runtime).parent
        self.make, self.there = self.machine.run_container, self.machine.containers
        self.start_worker(before=["env", f"PATH={search}:/usr/sbin:/usr/bin:/sbin:/bin"])
        hung = self.prove()
        self.assertEqual([], self.machine.traces(hung))

    def story_a_program_that_hangs(self, postgres):
        self.begin(postgres, "volumes")
        self.start_worker_with_program()
        self.prove()

    def story_a_list_that_hangs_delays_nothing_else(self, postgres):
        self.begin(postgres, "volumes")
        self.start_worker_with_program()
        kept, released = self.create("kept", count=2), self.create("released", count=2)
        (self.hung / "list").touch()
        self.kind, make_volume, self.make = "containers", self.make, self.machine.run_container
        self.create("build", count=5)
        seconds = self.release("build", leaves=set())
        self.say(f"5 containers went in {seconds:.2f} s while the volumes' list hung")
        self.assertLess(seconds, PATIENCE + 10)
        self.kind, self.make = "volumes", make_volume
        self.assertEqual(kept | released, set(self.rows()))
        self.assertLess(self.server.api.get("/api/v1/workers/w1")["last_sync_age_s"], PATIENCE)

        (self.hung / "list").unlink()
        self.freeze("THAWED")
        self.release("released", leaves=kept)
        self.assertEqual(kept, self.there())

    def begin(self, postgres, kind):
        self.server = harness.Server(self, *SHORT, database=postgres.url() if postgres else None)
        self.machine = machines.Machine(self, "w1")
        self.kind = kind

    def program(self, name, text):
        path = self.directory / "bin" / name
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(0o755)
        return path

    def start_worker(self, *flags, before=()):
        key = self.enroll(self.server, "w1")
        worker = machines.worker_process(self, self.machine, key, self.server.gateway, self.server.fingerprint, *FLAGS, *flags)
        worker.argv = [*before, *worker.argv]
        worker.start()
        self.server.wait_for_first_sync("w1")

    def start_worker_with_program(self):
        volumes = self.directory / "volumes"
        volumes.mkdir()
        program = self.program("driver", PROGRAM.format(hung=self.hung, freezer=self.freezer, volumes=volumes))
        self.make = lambda handle: (volumes / handle).mkdir()
        self.there = lambda: {path.name for path in volumes.iterdir()}
        self.start_worker("--volumes", f"exec:{program}")

    def prove(self):
        clean, mixed = self.create("clean"), self.create("mixed")
        hung = set(self.random.sample(sorted(mixed), HUNG))
        clean_seconds = self.release("clean", leaves=mixed)
        for handle in hung:
            (self.hung / handle).touch()
        seconds = self.release("mixed", leaves=hung)
        bound = clean_seconds + (HUNG / SLOTS + 1) * STRAGGLER_AFTER
        self.say(f"{COUNT} {self.kind} destroyed in {clean_seconds:.2f} s; with {HUNG} hung the other {COUNT - HUNG} in {seconds:.2f} s, "
                 f"bound {bound:.2f} s")
        self.assertLess(seconds, bound)
        self.assertFalse(clean & self.there())

        self.see_them_stuck(hung)
        others = self.create("others", count=SLOTS)
        self.release("others", leaves=hung)
        self.assertEqual(hung, self.there(), f"{others} are gone beside what hangs")

        for handle in hung:
            (self.hung / handle).unlink()
        self.freeze("THAWED")
        harness.wait_until(lambda: not self.rows(), 60, lambda: f"what hung to be destroyed: {list(self.rows().values())[:2]}")
        self.assertEqual(set(), self.there())
        self.server.api.put("/api/v1/owners/again", {"kind": "build"})
        self.server.api.post(f"/api/v1/workers/w1/{self.kind}", {"handle": min(hung), "owner": "again"})
        self.assertEqual(0, self.server.metrics()['reclaim_unaccounted{plane="fleet"}'])
        return hung

    def create(self, owner, count=COUNT):
        """Resources of one owner, recorded, made and reported; their handles."""
        handles = [f"{self.prefix}{owner}-{i}" for i in range(count)]
        self.server.api.put(f"/api/v1/owners/{owner}", {"kind": "build"})
        self.server.api.post(f"/api/v1/workers/w1/{self.kind}", [{"handle": handle, "owner": owner} for handle in handles])
        with concurrent.futures.ThreadPoolExecutor(4) as creators:
            list(creators.map(self.make, handles))
        for handle in handles:
            self.server.api.post(f"/api/v1/workers/w1/{self.kind}/{handle}/created")
        return set(handles)

    def rows(self):
        return {row["handle"]: row for row in self.server.api.all(f"/api/v1/{self.kind}?worker=w1", self.kind)}

    def release(self, owner, leaves):
        """The seconds from an owner's release until only `leaves` is left in the database."""
        began = time.monotonic()
        self.server.api.post(f"/api/v1/owners/{owner}/release", {})
        harness.wait_until(lambda: set(self.rows()) == leaves, 60, lambda: f"{owner} to go: {sorted(set(self.rows()) - leaves)}")
        return time.monotonic() - began

    def see_them_stuck(self, hung):
        stuck = lambda: all(row["stuck"] for row in self.rows().values())
        harness.wait_until(stuck, DEADLINE + 20, lambda: f"all of {sorted(hung)} to be shown as stuck: {self.rows()}")
        for handle, row in self.rows().items():
            self.assertEqual(("destroying", True), (row["state"], row["in_hand"]))
            self.assertRegex(row["last_error"], r"still running \d+ s after it was started")
            self.assertIn("attempts", row)
            # The handle is taken whatever owner asks for it.
            answer = self.server.api.call("POST", f"/api/v1/workers/w1/{self.kind}", {"handle": handle, "owner": "mixed"})
            self.assertIn(answer.status, (409, 422), answer.body)
        self.say(f"shown: {self.rows()[min(hung)]}")


if __name__ == "__main__":
    harness.main()
