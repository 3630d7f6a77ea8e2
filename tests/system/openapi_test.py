"""Every operation of the API, on a real server, with its good answers and with what it refuses; then each answer that the server gave is
held against docs/openapi.yaml by check_openapi.py, which also fails when an operation was never answered well."""
import http.client
import subprocess
import sys
import uuid

import harness

# Nothing has failed here; tests/unit/http asks for what has.
OF_OTHERS = ("GET /api/v1/failed/{id}", "DELETE /api/v1/failed/{id}", "POST /api/v1/failed/{id}/retry")

OPENAPI = harness.HERE.parents[1] / "docs/openapi.yaml"


class OpenApiTest(harness.Story):
    def test_every_answer_is_as_described(self):
        recorded = self.directory / "exchanges.jsonl"
        self.server = harness.Server(self, "--record-exchanges", recorded, "--collector-interval", "200ms", "--touch-grace", "0s",
                                     "--maintenance-interval", "never")
        self.api = self.server.api
        self.key_of_w1 = harness.public_key(self.key("w1"))
        for part in (self.workers, self.owners, self.syncs, self.the_gateway, self.guards, self.operations, self.archive, self.events, self.refusals):
            part()
        for kind in ("containers", "volumes"):
            self.resources(kind)
        self.ends()
        self.server.process.end()
        but = [word for operation in OF_OTHERS for word in ("--but", operation)]
        check = [sys.executable, harness.HERE / "check_openapi.py", "--all-exercised", *but, OPENAPI, recorded]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        self.say(done.stdout.splitlines()[-1] if done.stdout else done.stderr)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertNotIn(self.server.token_file.read_text().strip(), recorded.read_text(), "no token is written down")

    def expect(self, status, method, path, body=None, **headers):
        answer = self.api.call(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(status, answer.status, f"{method} {path} {body}: {answer.body[:300]}")
        return answer

    def workers(self):
        for name, body in (("w1", {"keys": [self.key_of_w1]}), ("w2", {"ephemeral": True, "tags": ["a"], "existing": "destroy"})):
            self.expect(201, "PUT", f"/api/v1/workers/{name}", body)
            self.expect(200, "PUT", f"/api/v1/workers/{name}", body)
        self.expect(409, "PUT", "/api/v1/workers/w2", {"keys": [self.key_of_w1]})
        self.expect(422, "PUT", "/api/v1/workers/w2", {"existing": "eat"})
        self.expect(422, "PUT", "/api/v1/workers/..%2fw", {})
        self.expect(200, "GET", "/api/v1/workers")
        self.assertIsNotNone(self.expect(200, "GET", "/api/v1/workers?limit=1").json["next"])
        self.expect(200, "GET", "/api/v1/workers/w1")
        self.expect(404, "GET", "/api/v1/workers/w9")
        self.expect(200, "POST", "/api/v1/workers/w1/freeze", {"reason": "why"})
        self.expect(422, "POST", "/api/v1/workers/w1/freeze", {})
        self.expect(200, "POST", "/api/v1/workers/w1/unfreeze")
        self.expect(409, "POST", "/api/v1/workers/w1/prune")

    def owners(self):
        self.expect(201, "PUT", "/api/v1/owners/o", {"kind": "build", "labels": {"a": "b"}})
        self.expect(200, "PUT", "/api/v1/owners/o", {"kind": "build", "labels": {"a": "b"}})
        self.expect(422, "PUT", "/api/v1/owners/o", {"kind": "build", "unknown": 1})
        self.expect(201, "PUT", "/api/v1/owners/p", {"kind": "build", "ttl_s": 60, "interruptible": False})
        self.expect(200, "POST", "/api/v1/owners/p/release", {"keep_for_s": 5})
        self.expect(409, "PUT", "/api/v1/owners/p", {"kind": "build"})
        self.expect(200, "GET", "/api/v1/owners")
        self.expect(200, "GET", "/api/v1/owners/p")
        self.expect(200, "DELETE", "/api/v1/owners/p")
        self.expect(404, "DELETE", "/api/v1/owners/p")
        self.expect(404, "POST", "/api/v1/owners/p/release", {})

    def resources(self, kind):
        of_w1 = f"/api/v1/workers/w1/{kind}"
        self.expect(201, "POST", of_w1, {"handle": "h1", "owner": "o"})
        self.expect(200, "POST", of_w1, {"handle": "h1", "owner": "o"})
        self.expect(201, "POST", of_w1, {"owner": "o"})
        self.expect(201, "POST", of_w1, [{"handle": "h2", "owner": "o"}, {"handle": "h3", "owner": "nobody"}, {"handle": "h2"}])
        self.expect(422, "POST", of_w1, [{"handle": "h3", "owner": "nobody"}])
        self.expect(422, "POST", of_w1, {"handle": "a/b"})
        self.expect(404, "POST", f"/api/v1/workers/w9/{kind}", {"handle": "h1"})
        for verb in ("created", "touch"):
            self.expect(200, "POST", f"{of_w1}/h1/{verb}")
        self.expect(200, "PUT", f"{of_w1}/h1/owner", {"owner": "o"})
        self.expect(200, "PUT", f"{of_w1}/h1/pin", {"reason": "why", "ttl_s": 3600})
        self.expect(409, "POST", f"{of_w1}/h1/destroy")
        self.expect(200, "DELETE", f"{of_w1}/h1/pin")
        self.expect(200, "GET", f"{of_w1}/h1")
        self.expect(200, "GET", f"{of_w1}/h1/explain")
        self.expect(200, "POST", f"{of_w1}/h2/failed")
        self.expect(409, "POST", f"{of_w1}/h2/created")
        self.expect(200, "POST", f"{of_w1}/h1/destroy")
        self.expect(409, "POST", f"{of_w1}/h1/touch")
        self.expect(200, "GET", f"{of_w1}/h1/explain")
        self.expect(404, "GET", f"{of_w1}/h9")
        for query in ("", "?worker=w1", "?state=destroying", "?owner=o", "?missing=true", "?limit=1"):
            self.expect(200, "GET", f"/api/v1/{kind}{query}")
        for query in ("?state=eaten", "?limit=100001", "?limit=x", "?what=1"):
            self.expect(422, "GET", f"/api/v1/{kind}{query}")

    def frame(self, sequence, **more):
        session = str(uuid.uuid5(uuid.NAMESPACE_DNS, str(self.directory)))
        return {"session": session, "incarnation": session, "started": 1, "sequence": sequence, "as_of": 0, **more}

    def syncs(self):
        path = "/api/v1/workers/w1/sync"
        everything = self.frame(1, containers={"full": ["c1", "bad name"]}, volumes={"full": []},
                                malformed=[{"kind": "volume", "name": "a b"}],
                                results=[{"kind": "container", "handle": "c9", "ok": False, "error": "busy", "attempt": 1}],
                                in_hand={"containers": [], "volumes": []}, disk={"total_bytes": 2, "used_bytes": 1})
        self.expect(200, "POST", path, everything)
        self.expect(409, "POST", path, everything)
        self.expect(200, "POST", path, self.frame(2, containers={"base": 9, "count": 0, "digest": "0" * 32}))
        self.expect(200, "POST", path, self.frame(3, wait_ms=50))
        self.expect(422, "POST", path, self.frame(4, what=1))
        self.expect(400, "POST", path, "{")
        self.expect(404, "POST", "/api/v1/workers/w9/sync", self.frame(1))

    def the_gateway(self):
        gateway = harness.Api(self.server.url, self.server.token("gateway"))
        api, self.api = self.api, gateway
        key = {"Reclaim_Key": self.key_of_w1}
        self.assertEqual("w1", self.expect(200, "POST", "/api/v1/gateway/whois", **key).json["worker"])
        self.expect(422, "POST", "/api/v1/gateway/whois")
        self.expect(401, "POST", "/api/v1/gateway/whois", Reclaim_Key=harness.public_key(self.key("stranger")))
        self.expect(200, "POST", "/api/v1/gateway/sync", self.frame(5), **key)
        for call in ("heartbeat", "status", "land"):
            self.expect(200, "POST", f"/api/v1/gateway/{call}", **key)
        self.expect(403, "GET", "/api/v1/tokens")
        self.api = api

    def guards(self):
        accept = "/api/v1/workers/w1/accept"
        self.assertEqual("existing", self.expect(200, "GET", "/api/v1/workers/w1").json["holds"][0]["what"])
        self.expect(409, "POST", accept, {"what": "brake"})
        self.expect(422, "POST", accept, {"what": "existing"})
        self.expect(200, "POST", accept, {"what": "existing", "unknown": "adopt"})
        self.expect(200, "GET", "/api/v1/owners/adopted:w1")
        self.expect(409, "POST", "/api/v1/workers/w1/sync",
                    self.frame(9, answered={"lineage": "lost", "session": "lost", "sequence": 7}))
        self.assertEqual("w1", self.expect(200, "GET", "/api/v1/lineage").json["regressed_workers"][0]["worker"])
        self.expect(422, "POST", "/api/v1/lineage/accept", {})
        self.expect(200, "POST", "/api/v1/lineage/accept", {"unknown": "destroy"})

    def operations(self):
        self.expect(200, "POST", "/api/v1/gc/run", {"passes": None})
        self.expect(200, "POST", "/api/v1/gc/run", {"passes": ["mark-orphans"]})
        self.expect(422, "POST", "/api/v1/gc/run", {"passes": ["eat"]})
        plan = self.expect(200, "POST", "/api/v1/gc/plan", {"passes": None, "worker": None}).json
        self.expect(200, "POST", "/api/v1/gc/apply", {"plan_id": plan["plan_id"]})
        self.expect(422, "POST", "/api/v1/gc/plan", {"passes": ["eat"]})
        self.expect(404, "POST", "/api/v1/gc/apply", {"plan_id": "none"})
        self.expect(200, "POST", "/api/v1/freeze", {"reason": "why"})
        self.expect(200, "POST", "/api/v1/unfreeze")
        token = self.expect(201, "POST", "/api/v1/tokens", {"role": "viewer", "name": "v"}).json
        self.expect(422, "POST", "/api/v1/tokens", {"role": "king"})
        self.expect(200, "GET", "/api/v1/tokens")
        self.expect(200, "GET", f"/api/v1/tokens/{token['id']}")
        self.assertEqual(403, harness.Api(self.server.url, token["token"]).call("POST", "/api/v1/gc/run").status)
        self.expect(200, "DELETE", f"/api/v1/tokens/{token['id']}")
        self.expect(404, "GET", f"/api/v1/tokens/{token['id']}")
        for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.yaml"):
            self.expect(200, "GET", path)
        served = self.expect(200, "GET", "/api/v1/openapi.yaml").body
        self.assertTrue(served == OPENAPI.read_text(), "the server was built from another docs/openapi.yaml")

    def archive(self):
        tape = {"vid": "V1", "pool": "p", "library": "l"}
        self.expect(201, "POST", "/api/v1/tapes", tape)
        self.expect(200, "POST", "/api/v1/tapes", tape)
        self.expect(409, "POST", "/api/v1/tapes", {**tape, "pool": "q"})
        self.expect(201, "POST", "/api/v1/tapes", {**tape, "vid": "V2", "state": "DISABLED", "reason": "noise", "full": True})
        self.expect(200, "GET", "/api/v1/tapes/V1")
        self.assertEqual("V1", self.expect(200, "GET", "/api/v1/tapes?limit=1").json["next"])
        self.expect(200, "PUT", "/api/v1/tapes/V2/state", {"state": "ACTIVE"})
        self.expect(202, "PUT", "/api/v1/tapes/V2/state", {"state": "BROKEN", "reason": "torn"})
        self.expect(422, "PUT", "/api/v1/tapes/V2/state", {"state": "BROKEN"})
        self.expect(200, "GET", "/api/v1/tapes/V1/state/plan?state=EXPORTED")
        self.expect(422, "GET", "/api/v1/tapes/V1/state/plan")
        self.expect(409, "GET", "/api/v1/tapes/V2/state/plan?state=ACTIVE")
        self.expect(409, "PUT", "/api/v1/tapes/V2/state", {"state": "ACTIVE"})
        self.expect(200, "POST", "/api/v1/maintenance/run", {"passes": None})
        self.expect(422, "POST", "/api/v1/maintenance/run", {"passes": ["eat"]})
        self.expect(404, "PUT", "/api/v1/tapes/V9/state", {"state": "ACTIVE"})
        file = {"id": "f1", "size": 12, "checksum": "adler32:1e0b0402", "copies": [{"vid": "V1", "fseq": 1}]}
        self.expect(201, "POST", "/api/v1/files", file)
        self.expect(200, "POST", "/api/v1/files", file)
        self.expect(201, "POST", "/api/v1/files", [{**file, "id": "f2", "copies": [{"vid": "V1", "fseq": 2}]}, {**file, "id": "f3"}])
        self.expect(409, "POST", "/api/v1/files", [{**file, "id": "f3"}])
        self.expect(422, "POST", "/api/v1/files", {**file, "checksum": "md5:0"})
        self.expect(200, "GET", "/api/v1/files/f1")
        self.expect(200, "GET", "/api/v1/files?limit=1")
        self.expect(200, "GET", "/api/v1/files?vid=V1&after=1")
        self.expect(409, "DELETE", "/api/v1/tapes/V1")
        self.retrieves()
        self.expect(200, "PUT", "/api/v1/files/f1", {"copies": []})
        self.expect(200, "DELETE", "/api/v1/files/f1")
        self.expect(200, "DELETE", "/api/v1/files/f2")
        self.expect(200, "DELETE", "/api/v1/tapes/V1")
        self.expect(201, "PUT", "/api/v1/policies/bulk", {"priority": 1, "min_age_s": 60, "min_files": 5, "min_bytes": 7})
        self.expect(200, "PUT", "/api/v1/policies/bulk", {})
        self.expect(200, "GET", "/api/v1/policies/bulk")
        self.expect(200, "GET", "/api/v1/policies")
        self.expect(200, "GET", "/api/v1/queues")
        self.expect(200, "GET", "/api/v1/queues?vid=V1&type=to_transfer&cleanup=false&limit=1")
        self.expect(422, "GET", "/api/v1/queues?type=lost")
        self.drives()
        agent = self.expect(200, "GET", "/api/v1/agents").json["agents"][0]
        self.expect(200, "GET", f"/api/v1/agents/{agent['name']}@{agent['epoch']}")
        self.expect(200, "DELETE", "/api/v1/policies/bulk")
        self.expect(404, "DELETE", "/api/v1/policies/bulk")

    def drives(self):
        self.expect(404, "PUT", "/api/v1/drives/D1", {"desired": "up"})
        for name in ("library", "buffer"):
            (self.directory / name).mkdir()
        drive = self.process("drive", [self.reclaim, "drive", "--name", "D1", "--library", f"dir:{self.directory}/library",
                                       "--buffer", self.directory / "buffer", "--data", self.server.data])
        drive.start()
        harness.wait_until(lambda: self.api.call("GET", "/api/v1/drives/D1").status == 200, 20, "the drive to register itself")
        self.expect(200, "PUT", "/api/v1/drives/D1", {"desired": "down", "reason": "head cleaning"})
        self.expect(422, "PUT", "/api/v1/drives/D1", {"desired": "down"})
        self.expect(200, "PUT", "/api/v1/drives/D1", {"desired": "up"})
        self.expect(200, "GET", "/api/v1/drives")
        drive.end()

    def retrieves(self):
        wanted = {"file": "f1", "destination": "run 7/f1", "requester": "alice", "report_to": None, "priority": 1, "policy": None}
        request = self.expect(201, "POST", "/api/v1/retrieves", wanted).json["id"]
        self.expect(201, "POST", "/api/v1/retrieves", [wanted, {**wanted, "file": "f9"}])
        self.expect(422, "POST", "/api/v1/retrieves", [{**wanted, "file": "f9"}])
        self.expect(422, "POST", "/api/v1/retrieves", {**wanted, "destination": "../f1"})
        self.expect(200, "GET", f"/api/v1/retrieves/{request}")
        self.expect(404, "GET", "/api/v1/retrieves/9-9-9")
        self.expect(422, "GET", "/api/v1/retrieves?state=lost")
        self.expect(409, "POST", f"/api/v1/failed/{request}/retry")
        self.expect(404, "GET", f"/api/v1/failed/{request}")
        self.expect(200, "GET", "/api/v1/failed?vid=V1")
        for listed in self.expect(200, "GET", "/api/v1/retrieves?file=f1&vid=V1&state=queued&limit=10").json["retrieves"]:
            self.expect(200, "DELETE", f"/api/v1/retrieves/{listed['id']}")
        self.expect(404, "DELETE", f"/api/v1/retrieves/{request}")

    def events(self):
        self.expect(200, "GET", "/api/v1/events")
        self.expect(200, "GET", "/api/v1/events?after=3&limit=2")
        connection = http.client.HTTPConnection(self.api.address.hostname, self.api.address.port, timeout=20)
        connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {self.api.token}", "Accept": "text/event-stream"})
        self.assertEqual(b"id: 1\n", connection.getresponse().readline())
        connection.close()

    def refusals(self):
        self.assertEqual(401, harness.Api(self.server.url).call("GET", "/api/v1/workers").status)
        self.assertEqual(401, harness.Api(self.server.url, "wrong").call("GET", "/api/v1/workers").status)
        self.expect(404, "GET", "/api/v1/nothing")
        self.expect(405, "PATCH", "/api/v1/workers")
        self.expect(400, "PUT", "/api/v1/owners/o", "not json")
        self.expect(200, "HEAD", "/api/v1/workers")

    def ends(self):
        self.expect(409, "DELETE", "/api/v1/owners/o")
        self.expect(201, "PUT", "/api/v1/workers/w3", {})
        for name, method, path in (("w2", "POST", "/api/v1/workers/w2/prune"), ("w3", "DELETE", "/api/v1/workers/w3")):
            self.expect(409, method, path)
            self.expect(200, "POST", f"/api/v1/workers/{name}/land")
            harness.wait_until(lambda: self.api.get(f"/api/v1/workers/{name}")["state"] == "landed", 20, f"{name} to land")
            self.expect(200, method, path)
        self.expect(201, "PUT", "/api/v1/workers/w4", {})
        self.expect(200, "POST", "/api/v1/workers/w4/retire")
        gateway = harness.Api(self.server.url, self.server.token("gateway"))
        self.assertEqual(200, gateway.call("POST", "/api/v1/gateway/retire", headers={"Reclaim-Key": self.key_of_w1}).status)


if __name__ == "__main__":
    harness.main()
