"""Every pass that the server has runs by its own schedule. One that is written but not wired into the server fails here."""
import harness


COLLECTORS = {"release-expired-owners", "mark-orphans", "mark-failed", "creating-deadline", "missing", "unknown", "worker-lifecycle"}


class CollectorsTest(harness.Story):
    def test_every_pass_runs_again_and_again_without_being_asked(self):
        known = self.passes_of(harness.Server(self, "--collector-interval", "never", name="asked"))
        self.assertLessEqual(COLLECTORS, known)

        server = harness.Server(self, "--collector-interval", "200ms")
        harness.wait_until(lambda: self.runs(server, "trim-events") >= 1, 20, "the audit trail to be trimmed, which is no collector")
        runs = lambda: {name: self.runs(server, name) for name in known}
        for wanted in (1, 4):
            harness.wait_until(lambda: min(runs().values()) >= wanted, 20, lambda: f"every pass to have run {wanted} times: {runs()}")
        self.say(f"runs of each pass: {runs()}")

    def test_never_means_that_passes_run_only_when_asked(self):
        server = harness.Server(self, "--collector-interval", "never")
        server.api.put("/api/v1/workers/w1", {})
        server.api.put("/api/v1/owners/o1", {"kind": "build"})
        server.api.post("/api/v1/workers/w1/containers", {"handle": "c1", "owner": "o1"})
        server.api.post("/api/v1/workers/w1/containers/c1/failed")
        self.assertEqual(0, self.runs(server, "mark-failed"))
        self.assertEqual("failed", server.api.get("/api/v1/workers/w1/containers/c1")["state"])
        outcomes = server.api.post("/api/v1/gc/run", {"passes": ["mark-failed"]})["passes"]
        self.assertEqual([("mark-failed", 1)], [(outcome["pass"], outcome["changed"]) for outcome in outcomes])
        self.assertEqual("destroying", server.api.get("/api/v1/workers/w1/containers/c1")["state"])

    def passes_of(self, server):
        return {outcome["pass"] for outcome in server.api.post("/api/v1/gc/run", {"passes": None})["passes"]}

    def runs(self, server, name):
        return server.metrics().get(f'reclaim_pass_seconds_count{{pass="{name}"}}', 0)


if __name__ == "__main__":
    harness.main()
