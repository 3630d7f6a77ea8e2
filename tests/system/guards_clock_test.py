"""Time that does not count: a wall clock that is set, and a server that was away. No lease, no grace and no expiry runs out by either,
and each still does by time that was served."""
import datetime
import pathlib
import shutil
import time

import harness
import workload
from guards import NOTHING, PATIENCE_S, GuardStory, created, less, union

FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
HOUR_S = 3600
LEASE_S = 120  # far longer than a story, far shorter than an hour


@harness.engines
class Clock(GuardStory):
    def story_a_clock_an_hour_off_expires_nothing_and_delays_nothing(self, postgres):
        self.assertTrue(FAKETIME, "the package faketime is not installed")
        self.offset = self.directory / "offset"
        self.set_clocks(0)
        # No machine's monotonic clock jumps. A sanitizer wants to be loaded first, and need not be.
        clocks = ["env", f"LD_PRELOAD={FAKETIME[0]}", f"FAKETIME_TIMESTAMP_FILE={self.offset}", "FAKETIME_NO_CACHE=1",
                  "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0"]
        self.serve(postgres, clocks, **{period: f"{LEASE_S}s" for period in ("unknown_grace", "missing_grace", "creating_timeout",
                                                                             "worker_expiry")})
        self.machine, worker = self.enrolled("w1")
        worker.argv = [*clocks, *worker.argv]
        worker.start()
        self.server.wait_for_first_sync("w1")
        self.start_every_clock()
        for seconds in (HOUR_S, -HOUR_S):
            self.set_clocks(seconds)
            self.sees_time(seconds)
            self.nothing_runs_out()
        self.short_lease_runs_out()
        self.server.process.kill()
        self.set_clocks(HOUR_S)
        self.server.start()
        self.nothing_runs_out()

        self.machine.seek(self.missing)
        shutil.rmtree(self.machine.volume(self.stranger))
        for handle in self.pinned["containers"]:
            self.api.delete(f"/api/v1/workers/w1/containers/{handle}/pin")
        self.api.post(f"/api/v1/workers/w1/containers/{self.planned}/failed")
        self.leaves_nothing(self.machine, ["leased", "planned"])

    def set_clocks(self, seconds):
        made = self.offset.with_suffix(".new")
        made.write_text(f"{seconds:+d}\n")
        made.rename(self.offset)

    def sees_time(self, seconds):
        created = self.api.put(f"/api/v1/owners/at-{seconds}", {"kind": "probe"})["created"]
        told = datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp()
        self.assertLess(abs(told - time.time() - seconds), 30, created)
        self.say(f"the server's clock is {told - time.time():+.0f} s off")

    def start_every_clock(self):
        """A lease, a pin, a thing that is being created, one that is missing, one that nobody knows; each has two minutes."""
        machine = self.machine
        self.leased = self.furnish(machine, "leased", containers=2)
        self.lease("leased", LEASE_S)
        self.pinned = self.furnish(machine, "pinned", containers=1, directories=0, subvolumes=0)
        for handle in self.pinned["containers"]:
            self.api.put(f"/api/v1/workers/w1/containers/{handle}/pin", {"reason": "looking into it", "ttl_s": LEASE_S})
        self.release("pinned")
        self.api.put("/api/v1/owners/planned", {"kind": "build"})
        self.planned = f"{self.prefix}planned"
        self.register(machine, "containers", "planned", [self.planned])
        self.missing = {min(handle for handle in self.leased["volumes"] if "-d" in handle)}
        self.seen = less(union(self.leased, self.pinned), {"containers": set(), "volumes": self.missing})
        self.all = created(union(self.leased, self.pinned)) | {("containers", self.planned): "creating"}
        machine.hide(self.missing)
        self.stranger = f"{self.prefix}stranger"
        machine.make_directory(self.stranger)
        noticed = lambda: (self.shown("w1")["missing"], self.shown("w1")["unknown"]) == (1, 1)
        harness.wait_until(noticed, PATIENCE_S, lambda: f"one missing and one unknown: {self.shown('w1')}")

    def nothing_runs_out(self):
        self.api.post("/api/v1/gc/run", {"passes": None})
        self.unharmed(self.machine, union(self.seen, {"containers": set(), "volumes": {self.stranger}}), 2)
        self.assertEqual(self.all, workload.rows(self.api, "w1"))
        shown, lease = self.shown("w1"), self.api.get("/api/v1/owners/leased")
        self.assertEqual(("running", 1, 1), (shown["state"], shown["missing"], shown["unknown"]))
        self.assertEqual("live", lease["state"])
        self.assertTrue(0 < lease["expires_in_s"] <= LEASE_S, lease)

    def short_lease_runs_out(self):
        """As soon as ever: a clock that was set an hour back does not make it wait."""
        began = time.monotonic()
        self.furnish(self.machine, "short", containers=0, directories=1, subvolumes=0)
        self.lease("short", 1)
        harness.wait_until(lambda: self.all == workload.rows(self.api, "w1"), PATIENCE_S, "what had a lease of a second to go")
        self.say(f"a lease of 1 s was over and done with after {time.monotonic() - began:.1f} s")


@harness.engines
class Away(GuardStory):
    def story_a_server_that_was_away_for_ten_times_every_timeout_expires_nothing(self, postgres):
        periods = ("worker_expiry", "ephemeral_expiry", "stalled_timeout", "unknown_grace", "missing_grace", "creating_timeout")
        self.serve(postgres, **{period: "1500ms" for period in periods})
        machine, worker = self.working("w1")
        self.api.put("/api/v1/workers/w1", {"ephemeral": True})
        mine = self.furnish(machine, "leased")
        self.api.put("/api/v1/owners/planned", {"kind": "build"})
        planned = f"{self.prefix}planned"
        self.lease("leased", 1)
        self.register(machine, "volumes", "planned", [planned])
        rest, missing, stranger = self.begin_graces(machine, mine)
        self.server.process.kill()
        self.unharmed(machine, union(rest, {"containers": set(), "volumes": {stranger}}), 15)
        worker.kill()  # it would try again within ten seconds, which are many of these expiries
        self.server.start()
        self.graces_stand(created(mine) | {("volumes", planned): "creating"})
        machine.seek(missing)
        shutil.rmtree(machine.volume(stranger))
        worker.start()
        machine.make_directory(planned)
        self.report_created(machine, "volumes", [planned])
        mine = union(mine, {"containers": set(), "volumes": {planned}})
        end = time.monotonic() + 6
        before = machine.prints(**mine)
        while time.monotonic() < end:
            self.lease("leased", 1)
            self.assertEqual(before, machine.prints(**mine))
            self.assertEqual(created(mine), workload.rows(self.api, "w1"))
            time.sleep(0.1)
        self.assertEqual([], self.told("w1", "worker-stalled"))
        self.release("planned")
        self.settles(machine, NOTHING)  # nobody renews the lease any more
        self.assertEqual("expired", self.api.get("/api/v1/owners/leased")["state"])

    def begin_graces(self, machine, mine):
        """One missing and one unknown, just noticed: what is left to be seen, and both of them."""
        missing, stranger = {min(handle for handle in mine["volumes"] if "-d" in handle)}, f"{self.prefix}stranger"
        machine.make_directory(stranger)
        machine.hide(missing)
        harness.wait_until(self.renewed_and_noticed, PATIENCE_S, lambda: f"one missing and one unknown: {self.shown('w1')}")
        return less(mine, {"containers": set(), "volumes": missing}), missing, stranger

    def renewed_and_noticed(self):
        self.lease("leased", 1)
        return self.graces() == (1, 1)

    def graces(self):
        return self.shown("w1")["missing"], self.shown("w1")["unknown"]

    def graces_stand(self, rows):
        self.api.post("/api/v1/gc/run", {"passes": None})
        self.assertEqual((1, 1), self.graces())
        self.assertEqual(rows, workload.rows(self.api, "w1"))


if __name__ == "__main__":
    harness.main(at_once=4)
