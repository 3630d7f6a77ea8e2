"""Disks that are away, come later, are unmounted under a worker's hands or come back empty: nothing on them is destroyed or forgotten for
it, the worker's other roots go on, and the server shows what is wrong."""
import harness
import machines

# No grace at all: whatever is taken for missing or unknown is acted on by the next pass.
SHORT = ["--sync-interval", "200ms", "--collector-interval", "200ms", "--touch-grace", "0s", "--missing-grace", "0s", "--unknown-grace", "0s"]


@harness.engines
class RootsTest(harness.Story):
    def begin(self, postgres):
        """A worker with a runtime's root and two volume roots; the second one is a disk, mounted at `dirs2`, which is `disk` elsewhere."""
        self.server = harness.Server(self, *SHORT, database=postgres.url() if postgres else None)
        self.machine = machines.Machine(self, "w1")
        self.disk = self.machine.directory / "disk"
        self.mount_point = self.machine.directory / "dirs2"
        for made in (self.disk / "live", self.mount_point):
            made.mkdir(parents=True)
        self.mount(self.disk)
        self.worker_key = self.enroll(self.server, "w1")
        self.worker = self.worker_process()
        self.worker.start()
        self.server.wait_for_first_sync("w1")

    def worker_process(self, *flags):
        flags = ["--volumes", f"dir:{self.mount_point}", *flags]
        return machines.worker_process(self, self.machine, self.worker_key, self.server.gateway, self.server.fingerprint, *flags)

    def mount(self, what):
        harness.run("mount", "--bind", what, self.mount_point)

    def unmount(self, *how):
        harness.run("umount", *how, self.mount_point)

    def stop(self):
        self.assertEqual(0, self.worker.end(), self.worker.output()[-2000:])

    def create(self, owner, container=None, volumes=(), on_disk=()):
        api = self.server.api
        api.put(f"/api/v1/owners/{owner}", {"kind": "build"})
        wanted = [("containers", container)] if container else []
        for kind, handle in wanted + [("volumes", handle) for handle in (*volumes, *on_disk)]:
            api.post(f"/api/v1/workers/w1/{kind}", {"handle": handle, "owner": owner})
            if kind == "containers":
                self.machine.run_container(handle)
            elif handle in on_disk:
                (self.disk / "live" / handle).mkdir()
            else:
                self.machine.make_directory(handle)
            api.post(f"/api/v1/workers/w1/{kind}/{handle}/created")

    def release(self, owner):
        self.server.api.post(f"/api/v1/owners/{owner}/release", {})

    def states(self):
        return {row["handle"]: "missing" if row["missing_since"] else row["state"] for kind in ("containers", "volumes")
                for row in self.server.api.all(f"/api/v1/{kind}?worker=w1", kind)}

    def wait_for(self, states):
        harness.wait_until(lambda: self.states() == states, 30, lambda: f"{states}: {self.states()} {self.worker.output()[-1500:]}")

    def wait_for_syncs(self, count=5):
        """What a mistake would do is done by then: each sync is judged, and passes run in between."""
        name = "reclaim_sync_seconds_count"
        enough = self.server.metrics()[name] + count
        harness.wait_until(lambda: self.server.metrics()[name] >= enough, 30, f"{count} syncs")
        self.server.api.post("/api/v1/gc/run", {})

    def wait_until_unlisted(self, why):
        said = lambda: any(why in kind["error"] for kind in self.server.api.get("/api/v1/workers/w1")["unlisted"])
        harness.wait_until(said, 30, lambda: f"the worker to show {why!r}: {self.server.api.get('/api/v1/workers/w1')}")

    def wait_until_listed(self):
        harness.wait_until(lambda: not self.server.api.get("/api/v1/workers/w1")["unlisted"], 30, "all kinds to be listed again")

    def on_disk(self):
        return {path.name for path in (self.disk / "live").iterdir()}

    def story_a_disk_that_is_not_mounted_is_no_empty_disk(self, postgres):
        self.begin(postgres)
        c1 = f"{self.prefix}c1"
        self.create("one", container=c1, volumes=["a1"], on_disk=["b1"])
        self.create("two", volumes=["a2"], on_disk=["b2", "b3"])
        self.wait_for_syncs()

        self.stop()
        self.unmount()
        self.worker.start()
        self.wait_until_unlisted("the disk is not mounted")
        self.release("one")
        # What hangs on no disk that is away goes; what may be on it is in nobody's power, and not forgotten.
        self.wait_for({"a2": "created", "b1": "destroying", "b2": "created", "b3": "created"})
        self.wait_for_syncs()
        self.assertEqual({"a2": "created", "b1": "destroying", "b2": "created", "b3": "created"}, self.states())
        self.assertEqual({"b1", "b2", "b3"}, self.on_disk())
        self.assertEqual(set(), self.machine.containers())

        self.mount(self.disk)
        self.wait_for({"a2": "created", "b2": "created", "b3": "created"})
        self.wait_until_listed()
        self.assertEqual({"b2", "b3"}, self.on_disk())
        self.assertFalse((self.mount_point / "live/b1").exists())

        self.unmount("--lazy")
        self.wait_until_unlisted(str(self.mount_point))
        self.wait_for_syncs()
        self.assertEqual({"a2": "created", "b2": "created", "b3": "created"}, self.states())
        self.mount(self.disk)
        self.wait_until_listed()
        self.wait_for_syncs()
        self.assertEqual({"a2": "created", "b2": "created", "b3": "created"}, self.states())
        self.release("two")
        self.wait_for({})
        self.assertEqual(set(), self.on_disk())

    def story_a_root_that_comes_later_and_a_disk_that_comes_back_empty(self, postgres):
        self.begin(postgres)
        self.create("one", volumes=["a1"], on_disk=["b1"])
        self.wait_for_syncs()

        self.stop()
        self.unmount()
        self.mount_point.rename(self.machine.directory / "away")
        self.worker.start()
        self.wait_until_unlisted("No such file or directory")
        self.create("two", volumes=["a2"])
        self.wait_for_syncs()  # from here on it is known under which root a2 is
        self.release("two")
        self.wait_for({"a1": "created", "b1": "created"})
        (self.machine.directory / "away").rename(self.mount_point)
        self.mount(self.disk)
        self.wait_until_listed()
        self.wait_for_syncs()
        self.assertEqual({"a1": "created", "b1": "created"}, self.states())

        self.stop()
        self.unmount()
        wiped = self.machine.directory / "wiped"
        (wiped / "live").mkdir(parents=True)
        self.mount(wiped)
        self.worker.start()
        self.wait_until_unlisted("or it was wiped")
        self.wait_for_syncs()
        self.assertEqual({"a1": "created", "b1": "created"}, self.states())
        self.stop()
        self.worker = self.worker_process("--new-incarnation", "accept")
        self.worker.start()
        self.wait_for({"a1": "created"})
        self.assertEqual({"b1"}, self.on_disk(), "what is on the disk that was taken out is nobody's business")

    def story_damaged_memory_is_set_aside(self, postgres):
        self.begin(postgres)
        self.create("one", volumes=["a1"], on_disk=["b1"])
        self.create("two", volumes=["a2"])
        self.wait_for_syncs()
        self.stop()
        memory = self.machine.directory / "state/answered.json"
        memory.write_text("{\"lineage\":")
        self.worker.start()
        self.worker.wait_for("answered.json is damaged and set aside")
        self.release("two")
        self.wait_for({"a1": "created", "b1": "created"})
        self.assertEqual("{\"lineage\":", memory.with_name("answered.json.damaged").read_text())


if __name__ == "__main__":
    harness.main()
