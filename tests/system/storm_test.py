"""A crowd at the doors of a server that may open 256 files: a thousand workers, and two hundred connections that never log in."""
import concurrent.futures
import os
import pathlib
import re
import resource
import select
import socket
import subprocess
import threading
import time

import harness
from machines import Machine, worker_process

DESCRIPTORS = 256
LEFT_BY_METRICS = DESCRIPTORS * 6 // 100  # the last part, which no door but the one for the operator's metrics comes near
WORKERS = 1000
SILENT = 200
IDLE_HTTP = 150
SYNC_INTERVAL = "5s"


class SilentCrowd:
    """Connections that are opened and say nothing; one that the server ends is opened again."""

    def __init__(self, address, count):
        self.host, port = address.split(":")
        self.port = int(port)
        self.stopping = threading.Event()
        self.told = []
        self.opened = 0
        self.thread = threading.Thread(target=self.hold, args=(count,), daemon=True)
        self.thread.start()

    def hold(self, count):
        held = []
        while not self.stopping.wait(0.2):
            try:
                while len(held) < count:
                    held.append(socket.create_connection((self.host, self.port), 5))
                    self.opened += 1
            except ConnectionRefusedError:
                break  # its story has ended the gateway
            readable, _, _ = select.select(held, [], [], 0)
            for end in readable:
                if not self.hear(end):
                    held.remove(end)
                    end.close()
        for end in held:
            end.close()

    def hear(self, end):
        try:
            words = end.recv(4096)
        except ConnectionResetError:
            return False
        self.told.append(words)
        return bool(words)

    def stop(self):
        self.stopping.set()
        self.thread.join(10)


class StormTest(harness.Story):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--sync-interval", SYNC_INTERVAL, "--worker-expiry", "1h", "--unknown-grace", "0s",
                                     "--collector-interval", "1s")
        self.crowd_program = pathlib.Path(self.reclaim).parent / "reclaim-crowd"
        self.keys = self.directory / "keys"
        self.keys.mkdir()
        publics = harness.run(self.crowd_program, "keys", self.keys, WORKERS).splitlines()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: self.server.api.put(f"/api/v1/workers/w{i}", {"keys": [publics[i]]}), range(WORKERS)))

    def limit(self, count):
        hard = resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (min(count, hard), hard))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def cpu_seconds(self):
        about = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(about[11]) + int(about[12])) / os.sysconf("SC_CLK_TCK")

    def refused(self, reason):
        return self.server.metrics().get(f'reclaim_gateway_refused_total{{reason="{reason}"}}', 0)

    def ages(self):
        return {worker["name"]: worker["last_sync_age_s"] for worker in self.server.api.all("/api/v1/workers?", "workers")}

    def synced_within(self, seconds):
        return {name for name, age in self.ages().items() if age is not None and age <= seconds and name != "real"}

    def start_crowd(self):
        host, port = self.server.gateway.split(":")
        command = [self.crowd_program, "run", self.keys, WORKERS, host, port, self.server.fingerprint]
        crowd = self.process("crowd", command)
        crowd.start()
        return crowd

    def start_real_worker(self):
        machine = Machine(self, "real")
        key = self.enroll(self.server, "real")
        worker = worker_process(self, machine, key, self.server.gateway, self.server.fingerprint)
        worker.start()
        self.server.wait_for_first_sync("real")
        return machine

    def reclaim_one(self, machine, handle):
        """A real volume comes, is known, is destroyed on its worker; the seconds from the wish to its end."""
        self.server.api.put("/api/v1/owners/o", {"kind": "build"})
        self.server.api.post("/api/v1/workers/real/volumes", {"handle": handle, "owner": "o"})
        machine.make_directory(handle)
        self.server.api.post(f"/api/v1/workers/real/volumes/{handle}/created")
        began = time.monotonic()
        self.server.api.post(f"/api/v1/workers/real/volumes/{handle}/destroy")
        harness.wait_until(lambda: handle not in machine.volumes(), 20, f"{handle} to be destroyed")
        gone = lambda: self.server.api.call("GET", f"/api/v1/workers/real/volumes/{handle}").status == 404
        harness.wait_until(gone, 20, f"{handle} to be forgotten")
        return time.monotonic() - began

    def test_a_crowd_is_turned_away_who_is_in_goes_on_and_everybody_gets_in_when_there_is_room(self):
        machine = self.start_real_worker()
        before = {"descriptors": self.descriptors(), "resident": self.resident_mb()}
        self.limit(DESCRIPTORS)
        silent = SilentCrowd(self.server.gateway, SILENT)
        self.addCleanup(silent.stop)
        taken = lambda: self.server.metrics()['reclaim_gateway_sessions{state="unauthenticated"}'] >= 100
        harness.wait_until(taken, 10, "silent connections to take the places of a hundred")
        crowd = self.start_crowd()
        self.check_the_crowd_is_bounded(machine)
        self.check_the_stock_client_is_told()
        self.check_http_is_told_and_the_operator_gets_in()
        # The counter beats the crowd: what is turned away costs next to nothing.
        cpu, began = self.cpu_seconds(), time.monotonic()
        time.sleep(2)
        self.say(f"while turning away: {(self.cpu_seconds() - cpu) / (time.monotonic() - began):.2f} cores, {self.resident_mb()} MB, "
                 f"{self.descriptors()} descriptors")

        self.limit(1 << 20)
        began = time.monotonic()
        everybody = lambda: len(self.synced_within(time.monotonic() - began)) >= WORKERS
        harness.wait_until(everybody, 60, lambda: f"every worker to sync: {len(self.synced_within(time.monotonic() - began))} did")
        self.say(f"limit lifted: all {WORKERS} workers synced after {time.monotonic() - began:.1f} s; {self.resident_mb()} MB, "
                 f"{self.descriptors()} descriptors")

        silent.stop()
        crowd.kill()
        quiet = lambda: self.descriptors() <= before["descriptors"] + 2
        harness.wait_until(quiet, 20, lambda: f"{self.descriptors()} descriptors to become {before['descriptors']}")
        metrics = self.server.metrics()
        self.assertLessEqual(metrics['reclaim_gateway_sessions{state="authenticated"}'], 1, "the real worker's")
        self.assertEqual(0, metrics['reclaim_gateway_sessions{state="unauthenticated"}'])
        self.assertLess(self.reclaim_one(machine, "after"), 10)
        self.say(f"gone: {self.descriptors()} descriptors (before {before['descriptors']}), {self.resident_mb()} MB "
                 f"(before {before['resident']}); {silent.opened} silent connections")
        if not harness.is_sanitized(self.reclaim):  # a sanitizer keeps what was freed
            self.assertLess(self.resident_mb(), before["resident"] + 200)
        self.assertTrue(self.server.process.is_running())
        self.assertEqual(0, self.server.process.end())

    def check_the_crowd_is_bounded(self, machine):
        self.assertLessEqual(10, len(harness.wait_until(lambda: self.some_synced(50), 30, lambda: f"{len(self.synced_within(60))} synced")))
        harness.wait_until(lambda: self.refused("descriptors") > WORKERS // 2, 30, "a crowd to be turned away")
        self.assertLessEqual(self.descriptors(), DESCRIPTORS)
        # Who is in stays in and syncs on.
        sessions = self.server.metrics()['reclaim_gateway_sessions{state="authenticated"}']
        self.assertGreaterEqual(sessions, 50)
        first = self.synced_within(2 * 5)
        time.sleep(6)
        later = self.synced_within(2 * 5)
        self.assertGreaterEqual(len(first & later), 0.9 * min(len(first), sessions))
        took = self.reclaim_one(machine, "during")
        self.assertLess(took, 10)
        self.say(f"{int(sessions)} sessions are in, {int(self.refused('descriptors'))} times somebody was turned away, "
                 f"{int(self.refused('unauthenticated'))} silent ones gave their place up; a real volume was destroyed in {took:.1f} s")

    def some_synced(self, count):
        synced = self.synced_within(60)
        return synced if len(synced) >= count else None

    def check_the_stock_client_is_told(self):
        host, port = self.server.gateway.split(":")
        options = [word for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "IdentitiesOnly=yes",
                                              "LogLevel=ERROR")
                   for word in ("-o", option)]
        command = ["ssh", "-F", "/dev/null", "-p", port, *options, "-i", str(self.directory / "real.key"), f"real@{host}", "status"]
        told = set()
        for _ in range(10):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
            told.add((done.returncode, re.sub(r" port \d+", "", done.stderr.replace("\r", "")).strip()))
        self.say(f"stock ssh, ten times: {sorted(told)}")
        refusals = [text for status, text in told if status != 0]
        self.assertTrue(any("out of descriptors, try again later" in text for text in refusals), told)

    def check_http_is_told_and_the_operator_gets_in(self):
        host, port = self.server.url.removeprefix("http://").split(":")
        self.assertEqual(200, self.server.api.call("GET", "/healthz").status, "while workers crowd, the API has room")
        idle = [socket.create_connection((host, int(port)), 5) for _ in range(IDLE_HTTP)]
        try:
            refused = lambda: (self.server.metrics() or {}).get('reclaim_http_refused_total{what="connection"}', 0) > 0
            harness.wait_until(refused, 10, "HTTP connections to be turned away")
            self.assertRegex(harness.wait_until(self.refusal_of_http, 10, "a 503"), "urn:reclaim:unavailable.*too many connections")
        finally:
            for end in idle:
                end.close()
        back = lambda: self.server.api.call("GET", "/healthz").status == 200
        harness.wait_until(back, 10, "room for an HTTP request")

    def refusal_of_http(self):
        """Places come and go; somebody soon finds none and is told."""
        answer = self.server.api.call("GET", "/healthz")
        self.assertIn(answer.status, (200, 503))
        if answer.status == 503:
            self.assertIn("Retry-After", answer.headers)
            return answer.body
        return None


class GatewayStormTest(harness.Story):
    """The same before a gateway that stands alone in front of its server, at half the size."""

    def test_a_gateway_alone_turns_a_crowd_away_and_lets_everybody_in_when_there_is_room(self):
        server = harness.Server(self, "--sync-interval", SYNC_INTERVAL, "--worker-expiry", "1h")
        program = pathlib.Path(self.reclaim).parent / "reclaim-crowd"
        keys = self.directory / "keys"
        keys.mkdir()
        count = WORKERS // 2
        publics = harness.run(program, "keys", keys, count).splitlines()
        for number in range(count):
            server.api.put(f"/api/v1/workers/w{number}", {"keys": [publics[number]]})
        token = self.directory / "gateway.token"
        token.touch(0o600)
        token.write_text(server.token("gateway"))
        gateway = self.process("gateway", [self.reclaim, "gateway", "--server", server.url, "--token-file", token, "--listen", "127.0.0.1:0",
                                           "--host-key", self.directory / "host_key", "--metrics-listen", "127.0.0.1:0"])
        gateway.start()
        address, fingerprint = gateway.wait_for(harness.GATEWAY_READY).groups()
        metrics_url = gateway.wait_for(r"metrics on (http://\S+)").group(1)
        hard = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
        silent = SilentCrowd(address, SILENT)
        self.addCleanup(silent.stop)
        host, port = address.split(":")
        crowd = self.process("crowd", [program, "run", keys, count, host, port, fingerprint])
        crowd.start()

        opened = []

        def refused():
            shown = harness.Api(metrics_url, seconds=10).call("GET", "/metrics")
            self.assertEqual(200, shown.status, "sessions and their syncs leave descriptors to the operator")
            opened.append(len(os.listdir(f"/proc/{gateway.pid}/fd")))
            found = re.search(r'reclaim_gateway_refused_total{reason="descriptors"} (\d+)', shown.body)
            return found and int(found.group(1)) > count and int(found.group(1))

        times = harness.wait_until(refused, 30, "a crowd to be turned away")
        synced = lambda seconds: [worker for worker in server.api.all("/api/v1/workers?", "workers")
                                  if worker["last_sync_age_s"] is not None and worker["last_sync_age_s"] <= seconds]
        harness.wait_until(lambda: len(synced(10)) >= 20, 20, "those who are in to sync")
        self.assertLess(max(opened), DESCRIPTORS - LEFT_BY_METRICS)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (hard, hard))
        began = time.monotonic()
        everybody = lambda: len(synced(time.monotonic() - began)) >= count
        harness.wait_until(everybody, 60, lambda: f"every worker to sync: {len(synced(time.monotonic() - began))} did")
        self.say(f"{times} times somebody was turned away, {max(opened)} descriptors at most; limit lifted: all {count} workers synced after "
                 f"{time.monotonic() - began:.1f} s")
        self.assertEqual(0, gateway.end())


if __name__ == "__main__":
    harness.main()
