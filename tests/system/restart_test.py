"""A fleet that comes by all at once: 200 workers of 10,000 handles each, after the server's restart and after their own.

After the server's restart every inventory is verified by its digest, without one handle being sent. After the workers' own restart all
of them have to be sent; then other calls are still answered quickly. What `other calls` means is measured by a process of its own.
"""
import concurrent.futures
import http.client
import json
import multiprocessing
import signal
import statistics
import time
import urllib.parse
import uuid

import harness
from scale_test import KINDS, digest

WORKERS = 200
SANITIZED_WORKERS = 20  # at a tenth of the speed
HANDLES = 10_000  # of each, half of them containers, half volumes
P99_MOST_MS = 1000
PROBE_PAUSE_S = 0.01
WATCHED_S = 3  # other calls are made for at least so long: a storm of small syncs is over sooner


class Worker:
    """One simulated worker: its inventory never changes, so that its texts are made once."""

    def __init__(self, number):
        self.name = f"w{number}"
        self.present = {kind: [f"{kind[0]}{i}-{self.name}" for i in range(HANDLES // 2)] for kind in KINDS}
        self.summary = {kind: (len(self.present[kind]), digest(self.present[kind])) for kind in KINDS}
        self.full = {kind: {"full": self.present[kind]} for kind in KINDS}
        self.incarnation = str(uuid.uuid4())
        self.started = 0
        self.sequence = 0
        self.answered = None
        self.refused = 0
        self.begin()

    def begin(self):
        """A new session, as after a start of the worker."""
        self.session = str(uuid.uuid4())
        self.started += 1
        self.high_water = 0
        self.base = None
        self.text = None

    def request(self):
        if self.base is None:
            inventories = self.full
        else:
            inventories = {kind: {"base": self.base, "count": self.summary[kind][0], "digest": self.summary[kind][1]} for kind in KINDS}
        self.sequence += 1
        return json.dumps({"session": self.session, "incarnation": self.incarnation, "started": self.started, "sequence": self.sequence,
                           "as_of": self.high_water, "answered": self.answered, **inventories})

    def prepare(self):
        self.text = self.request()

    def sync(self, address, token, patience):
        """Sends the prepared text until it is taken. Refusals are told by 503 and Retry-After, nothing else."""
        end = time.monotonic() + patience
        while True:
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=patience)
            try:
                connection.request("POST", f"/api/v1/workers/{self.name}/sync", self.text, {"Authorization": f"Bearer {token}"})
                response = connection.getresponse()
                body = response.read()
            finally:
                connection.close()
            if response.status == 200:
                return self.take(json.loads(body))
            assert response.status == 503 and time.monotonic() < end, (response.status, body[:300])
            self.refused += 1
            time.sleep(float(response.headers["Retry-After"]))

    def take(self, answer):
        resync = answer.get("resync", [])
        self.base = None if resync else self.sequence
        self.high_water = answer["high_water"]
        self.answered = {"lineage": answer["lineage"], "session": self.session, "sequence": self.sequence}
        self.text = None
        return resync


def probe(url, token, pipe):
    """Other people's calls, one after another, until told to stop: milliseconds of each."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    address = urllib.parse.urlsplit(url)
    headers = {"Authorization": f"Bearer {token}"}
    calls = [("GET", "/api/v1/workers/w0", None), ("PUT", "/api/v1/owners/probe", '{"kind":"probe","ttl_s":60}'), ("GET", "/healthz", None),
             ("GET", "/api/v1/containers?limit=10", None)]
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    took = []
    while not pipe.poll():
        for method, path, body in calls:
            began = time.monotonic()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            took.append(((time.monotonic() - began) * 1000, response.status, f"{method} {path}"))
        time.sleep(PROBE_PAUSE_S)
    connection.close()
    pipe.send(took)


class RestartTest(harness.Story):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--unknown-grace", "1h", "--collector-interval", "never", "--worker-expiry", "1h")
        self.api = self.server.api
        self.address = urllib.parse.urlsplit(self.server.url)
        self.workers = SANITIZED_WORKERS if harness.is_sanitized(self.reclaim) else WORKERS
        self.fleet = [Worker(number) for number in range(self.workers)]
        for worker in self.fleet:
            self.api.put(f"/api/v1/workers/{worker.name}", {})

    def storm(self, what, patience):
        """Everybody syncs at once, while other calls are made; what was read, and of whom more was asked."""
        for worker in self.fleet:
            worker.prepare()
            worker.refused = 0
        before = self.server.metrics()
        ours, theirs = multiprocessing.Pipe()
        prober = multiprocessing.get_context("fork").Process(target=probe, args=(self.server.url, self.api.token, theirs), daemon=True)
        prober.start()
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            resyncs = sum(map(len, pool.map(lambda worker: worker.sync(self.address, self.api.token, patience), self.fleet)))
        seconds = time.monotonic() - began
        time.sleep(max(0, WATCHED_S - seconds))
        ours.send("stop")
        took = ours.recv()
        prober.join(10)
        after = self.server.metrics()
        grown = lambda name: int(after.get(name, 0) - before.get(name, 0))
        fulls, deltas = (grown(f'reclaim_inventories_total{{form="{form}"}}') for form in ("full", "delta"))
        times = sorted(milliseconds for milliseconds, _, _ in took)
        p99 = times[int(len(times) * 0.99)]
        received = grown('reclaim_sync_bytes_total{direction="in"}') // 1024
        slowest = max(took)
        self.say(f"{what}: {self.workers} syncs in {seconds:.1f} s, {received} kB in, "
                 f"{fulls} full inventories and {deltas} deltas read, {sum(worker.refused for worker in self.fleet)} times told to wait; "
                 f"{len(times)} other calls meanwhile: median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms, "
                 f"slowest {slowest[0]:.0f} ms ({slowest[2]})")
        self.assertEqual({200, 201}, {status for _, status, _ in took} | {201})
        self.assertLess(p99, P99_MOST_MS)
        return {"resyncs": resyncs, "fulls": fulls, "deltas": deltas}

    def test_two_hundred_workers_at_once_after_a_restart_of_the_server_and_after_their_own(self):
        self.storm("first contact", 120)
        self.storm("nothing new", 60)

        self.server.process.kill()
        self.server.start()
        after_restart = self.storm("after the server's restart", 60)
        self.assertEqual({"resyncs": 0, "fulls": 0, "deltas": 2 * self.workers}, after_restart)
        self.check_all_are_known()

        for worker in self.fleet:
            worker.begin()
        after_theirs = self.storm("after the workers' restart", 120)
        self.assertEqual(0, after_theirs["resyncs"])
        self.assertEqual(2 * self.workers, after_theirs["fulls"], "each was read once: who was told to wait was not read")
        self.check_all_are_known()
        self.assertEqual(0, self.server.metrics()['reclaim_large_syncs{state="running"}'])

    def check_all_are_known(self):
        shown = self.api.all("/api/v1/workers?", "workers")
        self.assertEqual([HANDLES] * self.workers, [worker["unknown"] + worker["held"] for worker in shown])


if __name__ == "__main__":
    harness.main()
