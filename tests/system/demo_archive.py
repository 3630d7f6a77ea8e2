"""The archive's part of the demonstration: a tape leaves service while requests wait for it and a drive reads it."""
import collections
import http.server
import json
import pathlib
import threading

import harness

FILES = 240
BYTES = 64 << 10
REASON = "dropped on the floor"
PATIENCE_S = 60


class Receiver(http.server.ThreadingHTTPServer):
    """A requester: keeps every report that it is sent, by its idempotency key."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receipts)
        self.receipts = collections.defaultdict(list)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/reports"


class Receipts(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.receipts[self.headers["Idempotency-Key"]].append(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Archive:
    """Two tapes that are directories of a library, files on one or both, one request for each file, a drive."""

    def __init__(self, world, server):
        self.world = world
        self.server = server
        self.library = world.directory / "library"
        self.buffer = world.directory / "buffer"
        self.source = world.directory / "files"
        for directory in (self.buffer, self.source, self.library / "V1", self.library / "V2"):
            directory.mkdir(parents=True)
        self.receiver = Receiver()
        self.drive = world.process("drive", [world.reclaim, "drive", "--name", "D1", "--library", f"dir:{self.library}",
                                             "--buffer", self.buffer, "--data", server.data])

    def do(self, *words):
        done = self.world.client(self.server, *words, "--output", "json")
        if done.returncode != 0:
            raise AssertionError(f"reclaim {' '.join(map(str, words))}: exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def fill(self):
        """Files of which every second has a copy on V2 as well."""
        for vid in ("V1", "V2"):
            self.do("tapes", "add", vid, "--pool", "demo", "--library", "demo")
        self.files = {f"f{i:03}": self.write(f"f{i:03}", i) for i in range(FILES)}
        both = [path for i, path in enumerate(self.files.values()) if i % 2 == 0]
        one = [path for i, path in enumerate(self.files.values()) if i % 2 == 1]
        self.do("files", "archive", "--library", f"dir:{self.library}", "--vid", "V1", "--vid", "V2", *both)
        self.do("files", "archive", "--library", f"dir:{self.library}", "--vid", "V1", *one)
        self.on_both = {path.name for path in both}

    def write(self, name, number):
        path = self.source / name
        path.write_bytes(f"{name} ".encode() * (BYTES // 5) + bytes([number % 256]))
        return path

    def request(self):
        body = [{"file": name, "destination": f"back/{name}", "report_to": self.receiver.url, "requester": "demo"} for name in self.files]
        answers = self.server.api.post("/api/v1/retrieves", body)
        self.requests = {answer["id"]: name for answer, name in zip(answers, self.files, strict=True)}

    def wait_until_reading(self):
        harness.wait_until(lambda: any(self.buffer.glob("back/*")), PATIENCE_S, "the first file to be back")

    def state(self):
        return self.server.api.get("/api/v1/tapes/V1")["state"]

    def wait_until_over(self):
        def is_over():
            return self.state() == "BROKEN" and len(self.receiver.receipts) == len(self.requests)

        harness.wait_until(is_over, PATIENCE_S, lambda: f"all reports: V1 is {self.state()}, {len(self.receiver.receipts)} of "
                           f"{len(self.requests)} reported, {self.do('queues', 'list')}")

    def reports(self):
        """The report of each request, which is the same every time it was sent."""
        for key, bodies in self.receiver.receipts.items():
            if len(set(bodies)) != 1:
                raise AssertionError(f"{key} was reported in {len(set(bodies))} ways")
        return [json.loads(bodies[0]) for bodies in self.receiver.receipts.values()]

    def count(self):
        """Rows for the table, and whether requester, buffer and copies agree."""
        reports = self.reports()
        served = collections.Counter(report["vid"] for report in reports if report["status"] == "done")
        failed = [report for report in reports if report["status"] == "failed"]
        back = {path.name: path.read_bytes() for path in pathlib.Path(self.buffer).glob("back/*")}
        rows = [("requested", "served from V1", "served from V2", "failed", "reported"),
                (len(self.requests), served["V1"], served["V2"], len(failed), len(reports))]
        agreed = (sorted(report["request"] for report in reports) == sorted(self.requests)
                  and {report["file"] for report in reports if report["status"] == "done"} == set(back)
                  and all(content == self.files[name].read_bytes() for name, content in back.items())
                  and all("V1" in report["error"] and REASON in report["error"] for report in failed)
                  and not any(report["file"] in self.on_both for report in failed))
        return rows, failed[0]["error"] if failed else "", agreed
