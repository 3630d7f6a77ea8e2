"""Workers with very many handles, played by the story: one inventory of 100,000, one of 70,000 strangers destroyed to the last, and
what a sync costs in which nothing changed."""
import hashlib
import json
import statistics
import time
import uuid

import harness

KINDS = ("containers", "volumes")
ORDERS_MOST = 1000  # of a kind in one answer
MEASURED_SYNCS = 20


def digest(handles):
    total = sum(int.from_bytes(hashlib.sha256(handle.encode()).digest()[:16], "big") for handle in handles)
    return f"{total % 2**128:032x}"


class PlayedWorker:
    """A worker's side of the exchange. Orders are carried out at once, in memory."""

    def __init__(self, server, name, containers=0, volumes=0):
        self.api = server.api
        self.name = name
        self.api.put(f"/api/v1/workers/{name}", {"existing": "destroy"})
        self.identity = {"session": str(uuid.uuid4()), "incarnation": str(uuid.uuid4()), "started": 1}
        self.sequence = 0
        self.high_water = 0
        self.answered = None
        self.base = None
        counts = {"containers": containers, "volumes": volumes}
        self.present = {kind: {f"{kind[0]}{i}-on-{name}" for i in range(counts[kind])} for kind in KINDS}
        self.removed = {kind: [] for kind in KINDS}
        self.results = []
        self.summary = None
        self.bytes_in = self.bytes_out = self.seconds = 0

    def inventory(self, kind):
        if self.base is None:
            return {"full": sorted(self.present[kind])}
        count, of_all = self.summary[kind]
        return {"base": self.base, "removed": self.removed[kind], "count": count, "digest": of_all}

    def sync(self):
        if self.summary is None or any(self.removed.values()):
            self.summary = {kind: (len(self.present[kind]), digest(self.present[kind])) for kind in KINDS}
        self.sequence += 1
        request = {**self.identity, "sequence": self.sequence, "as_of": self.high_water, "answered": self.answered, "results": self.results,
                   **{kind: self.inventory(kind) for kind in KINDS}}
        text = json.dumps(request)
        began = time.monotonic()
        answer = self.api.call("POST", f"/api/v1/workers/{self.name}/sync", text)
        self.seconds = time.monotonic() - began
        self.bytes_in, self.bytes_out = len(text), len(answer.body)
        if answer.status != 200:
            raise harness.Refused("sync", answer)
        self.take(answer.json)
        return answer.json

    def take(self, answer):
        assert not answer.get("resync"), answer["resync"]
        self.base = self.sequence
        self.high_water = answer["high_water"]
        self.answered = {"lineage": answer["lineage"], "session": self.identity["session"], "sequence": self.sequence}
        self.removed = {kind: answer.get("destroy", {}).get(kind, []) for kind in KINDS}
        self.results = [{"kind": kind[:-1], "handle": handle, "ok": True} for kind in KINDS for handle in self.removed[kind]]
        for kind in KINDS:
            self.present[kind] -= set(self.removed[kind])


@harness.engines
class ScaleTest(harness.Story):
    def story_a_sync_without_news_costs_the_same_with_100_and_with_100000_handles(self, postgres):
        database = postgres.url() if postgres else None
        server = harness.Server(self, "--unknown-grace", "1h", "--collector-interval", "never", database=database)
        measured = {}
        for count in (100, 100_000):
            worker = PlayedWorker(server, f"w{count}", containers=count // 2, volumes=count // 2)
            worker.sync()
            self.say(f"{count} handles: first sync {worker.seconds:.2f} s, {worker.bytes_in} bytes in, {worker.bytes_out} out")
            self.assertEqual(count, server.api.get(f"/api/v1/workers/{worker.name}")["unknown"])
            worker.sync()
            measured[count] = self.measure(worker, postgres)
        few, many = measured.values()
        self.assertEqual(few["statements"], many["statements"])
        self.assertLessEqual(many["bytes_in"], few["bytes_in"] + 50)  # longer numbers, nothing else
        self.assertLessEqual(many["bytes_out"], few["bytes_out"] + 50)
        self.assertLess(many["ms"], few["ms"] + 50)

    def measure(self, worker, postgres):
        """Of the syncs in which nothing changed: the fewest statements, since the server's own clock ticks between some of them."""
        if postgres:
            postgres.query("ALTER SYSTEM SET log_statement = 'all'")
            postgres.query("SELECT pg_reload_conf()")
            harness.wait_until(lambda: self.statements_of_sync(worker, postgres) > 0, 10, "PostgreSQL to log statements")
        statements, seconds = [], []
        for _ in range(MEASURED_SYNCS):
            statements.append(self.statements_of_sync(worker, postgres))
            seconds.append(worker.seconds)
        if postgres:
            postgres.query("ALTER SYSTEM RESET log_statement")
            postgres.query("SELECT pg_reload_conf()")
        result = {"statements": min(statements), "bytes_in": worker.bytes_in, "bytes_out": worker.bytes_out,
                  "ms": statistics.median(seconds) * 1000}
        self.say(f"{sum(map(len, worker.present.values()))} handles: no change: {result['bytes_in']} bytes in, {result['bytes_out']} out, "
                 f"{result['ms']:.1f} ms" + (f", {result['statements']} SQL statements" if postgres else ""))
        return result

    def statements_of_sync(self, worker, postgres):
        before = postgres.log.stat().st_size if postgres else 0
        answer = worker.sync()
        self.assertNotIn("destroy", answer)
        if not postgres:
            return 0
        with open(postgres.log, "rb") as log:
            log.seek(before)
            lines = log.read().decode().splitlines()
        return sum(1 for line in lines if "LOG:  execute" in line or "LOG:  statement" in line)

    def story_seventy_thousand_strangers_are_destroyed_in_bounded_batches(self, postgres):
        server = harness.Server(self, "--unknown-grace", "0s", "--collector-interval", "1s", database=postgres.url() if postgres else None)
        worker = PlayedWorker(server, "w", containers=20_000, volumes=50_000)
        began = time.monotonic()
        largest, syncs = 0, 0
        while worker.present["containers"] or worker.present["volumes"] or worker.results:
            self.assertLess(time.monotonic(), began + 120, f"still {sum(map(len, worker.present.values()))} there")
            worker.sync()
            syncs += 1
            orders = max(map(len, worker.removed.values()))
            largest = max(largest, orders)
            if orders == 0:
                time.sleep(0.05)
        self.say(f"70000 strangers gone after {syncs} syncs in {time.monotonic() - began:.1f} s, "
                 f"at most {largest} orders of a kind in one answer")
        self.assertLessEqual(largest, ORDERS_MOST)
        shown = server.api.get("/api/v1/workers/w")
        self.assertEqual((0, 0, 0, 0), tuple(shown[field] for field in ("containers", "volumes", "destroying", "unknown")))
        self.assertEqual(0, server.metrics()['reclaim_unaccounted{plane="fleet"}'])


if __name__ == "__main__":
    harness.main()
