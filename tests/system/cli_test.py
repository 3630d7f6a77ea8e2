"""The client against a real server: what an operator types, what comes back, and with which exit code."""
import json
import subprocess

import harness
from harness import DONE, FAILED, TEMPORARY, USAGE


class CliTest(harness.ClientStory):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--collector-interval", "never", "--touch-grace", "0s")

    def do(self, *words, code=DONE, **more):
        said = super().do(*words, code=code, **more)
        if code != DONE:
            self.assertEqual("", said)
        return said

    def token_file(self, role):
        file = self.directory / f"{role}.token"
        file.touch(0o600)
        file.write_text(self.do("tokens", "create", "--role", role))
        return file

    def enroll(self, name="w1"):
        self.do("workers", "enroll", name, "--key", f"{self.key(name)}.pub")

    def test_the_life_of_a_container(self):
        self.enroll()
        self.do("owners", "add", "build-1", "--kind", "build", "--label", "branch=main")
        self.do("containers", "add", "w1/c1", "--owner", "build-1")
        self.do("containers", "created", "w1/c1")
        self.assertRegex(self.do("containers", "list"), r"WORKER +HANDLE +STATE.*\nw1 +c1 +created +build-1 ")
        self.assertEqual("kept", self.json("explain", "w1/c1")["verdict"])

        self.do("owners", "release", "build-1")
        explained = self.json("containers", "explain", "w1/c1")
        self.assertEqual(("will_be_marked", "mark-orphans"), (explained["verdict"], explained["rule"]))
        self.do("containers", "pin", "w1/c1", "--reason", "looking into it", "--ttl", "1h")
        self.assertEqual("kept", self.json("explain", "w1/c1")["verdict"])
        self.assertEqual(0, self.changed_by_marking())
        self.do("containers", "destroy", "w1/c1", code=FAILED)
        self.assertIn("pinned (looking into it)", self.error)
        self.do("containers", "unpin", "w1/c1")
        self.do("containers", "touch", "w1/c1")
        self.assertEqual(1, self.changed_by_marking())
        self.assertEqual("destroying", self.json("containers", "show", "w1/c1")["state"])
        self.assertIn("released", self.do("explain", "w1/c1"))

        self.assertEqual([], self.json("containers", "list", "--state", "created")["containers"])
        destroying = self.json("containers", "list", "--state", "destroying", "--worker", "w1")["containers"]
        self.assertEqual(["c1"], [row["handle"] for row in destroying])
        actions = [event["action"] for event in self.json("events")["events"] if event.get("handle") == "c1"]
        self.assertEqual(["registered", "created", "pinned", "unpinned", "touched", "marked"], actions)

    def test_a_plan_shows_what_would_go_and_applying_does_exactly_that(self):
        self.enroll()
        self.do("owners", "add", "build-1", "--kind", "build")
        self.do("volumes", "add", "w1/base", "--owner", "build-1")
        self.do("volumes", "add", "w1/top", "--owner", "build-1", "--parent", "base")
        self.do("containers", "add", "w1/c1", "--owner", "build-1")
        for kind, handle in (("volumes", "base"), ("volumes", "top"), ("containers", "c1")):
            self.do(kind, "created", f"w1/{handle}")
        self.assertEqual("Nothing to do.\n", self.do("gc", "plan"))
        self.do("owners", "release", "build-1")
        self.assertRegex(self.do("gc", "plan", "--pass", "mark-orphans", "--worker", "w1"),
                         r"mark-orphans +w1 +volume +base +orphan: .*\n\n3 items\. To do exactly this: reclaim gc apply [0-9a-f-]+\n")
        plan = self.json("gc", "plan")
        handles = [item["handle"] for item in plan["items"]]
        self.assertEqual({"base", "top", "c1"}, set(handles))
        self.assertLess(handles.index("top"), handles.index("base"), "leaves first")
        self.do("containers", "touch", "w1/c1")
        refused = self.client(self.server, "gc", "apply", plan["plan_id"])
        self.assertEqual(FAILED, refused.returncode)
        self.assertRegex(refused.stderr, r"\Areclaim: 1 item of 3 refused: .*\n\Z")
        self.assertRegex(refused.stdout, r"container +c1 +no +it or its owner has changed\n")
        self.assertEqual("created", self.json("containers", "show", "w1/c1")["state"])
        for handle in ("base", "top"):
            self.assertEqual("destroying", self.json("volumes", "show", f"w1/{handle}")["state"])
        self.do("gc", "apply", "no-such-plan", code=FAILED)
        self.assertIn("an hour", self.error)

    def test_options_stand_before_the_command_too(self):
        words = [self.reclaim, "--server", self.server.url, "--token-file", self.server.token_file, "--output", "json", "workers", "list"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((DONE, {"workers": [], "next": None}), (done.returncode, json.loads(done.stdout)), done.stderr)
        words = [self.reclaim, "--output", "json", "server", "--data", self.directory / "other"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(USAGE, done.returncode)
        self.assertIn("options of the client before server", done.stderr)

    def test_a_token_goes_into_a_file_that_only_its_owner_reads(self):
        file = self.directory / "ci.token"
        self.assertNotIn("token", self.json("tokens", "create", "--role", "client", "--out", file))
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.do("owners", "list", token_file=file)
        self.do("tokens", "create", "--role", "client", "--out", file, code=FAILED)

    def changed_by_marking(self):
        return {outcome["pass"]: outcome["changed"] for outcome in self.json("gc", "run", "mark-orphans")["passes"]}["mark-orphans"]

    def test_volumes_and_their_parents(self):
        self.enroll()
        self.do("owners", "add", "o", "--kind", "cache", "--ttl", "1h")
        self.do("volumes", "add", "w1/base", "--owner", "o")
        self.do("volumes", "created", "w1/base")
        self.do("volumes", "add", "w1/top", "--parent", "base")
        self.do("volumes", "failed", "w1/top")
        states = {row["handle"]: row["state"] for row in self.json("volumes", "list")["volumes"]}
        self.assertEqual({"base": "created", "top": "failed"}, states)
        self.assertEqual("base", self.json("volumes", "show", "w1/top")["parent"])
        self.do("owners", "delete", "o", code=FAILED)
        self.assertEqual(3600, self.json("owners", "renew", "o")["ttl_s"])
        self.assertEqual(2, len(self.json("gc", "run", "mark-failed", "mark-orphans")["passes"]))

    def test_workers(self):
        self.enroll("w1")
        self.enroll("w2")
        self.assertEqual(["w1", "w2"], [worker["name"] for worker in self.json("workers", "list")["workers"]])
        self.assertEqual("landed", self.worker_after("land", "w1"))
        self.do("workers", "prune", "w2", code=FAILED)
        self.assertIn("running", self.error)
        self.do("freeze", "w2", "--reason", "moving its disks")
        self.assertEqual("moving its disks", self.json("workers", "show", "w2")["frozen"])
        self.do("unfreeze", "w2")
        self.do("workers", "retire", "w2")
        self.do("gc", "run", "worker-lifecycle")
        self.do("workers", "show", "w2", code=FAILED)
        self.do("workers", "delete", "w1")
        self.assertEqual([], self.json("workers", "list")["workers"])

    def worker_after(self, verb, name):
        self.do("workers", verb, name)
        self.do("gc", "run", "worker-lifecycle")
        return self.json("workers", "show", name)["state"]

    def test_events_are_followed_over_a_restart_of_the_server(self):
        follow = self.process("follow", [self.reclaim, "events", "--follow", "--output", "json", "--server", self.server.url,
                                         "--token-file", self.server.token_file])
        follow.start()
        self.server.api.put("/api/v1/owners/before", {"kind": "build"})
        follow.wait_for(r'"owner":"before"')
        self.server.process.kill()
        self.server.start()
        self.server.api.put("/api/v1/owners/after", {"kind": "build"})
        follow.wait_for(r'"owner":"after"')
        numbers = [json.loads(line)["seq"] for line in follow.output().splitlines() if line.startswith("{")]
        self.assertEqual(list(range(1, len(numbers) + 1)), numbers, "each event once and in order")

    def test_tokens_and_roles(self):
        viewer, client = self.token_file("viewer"), self.token_file("client")
        self.assertEqual("", self.error)
        self.do("owners", "list", token_file=viewer)
        self.do("owners", "add", "o", "--kind", "build", code=FAILED, token_file=viewer)
        self.assertIn("role", self.error)
        self.do("owners", "add", "o", "--kind", "build", token_file=client)
        self.do("gc", "run", code=FAILED, token_file=client)
        self.do("tokens", "list", code=FAILED, token_file=client)
        tokens = {token["role"]: token["id"] for token in self.json("tokens", "list")["tokens"]}
        self.assertEqual({"admin", "client", "viewer"}, set(tokens))
        self.do("tokens", "delete", tokens["client"])
        self.do("owners", "list", code=FAILED, token_file=client)
        calls = {viewer: (403, "POST", "/api/v1/owners/o/release"), client: (401, "GET", "/api/v1/owners")}
        for file, (status, method, path) in calls.items():
            self.assertEqual(status, harness.Api(self.server.url, file.read_text().strip()).call(method, path).status)
        self.assertEqual(401, harness.Api(self.server.url).call("GET", "/api/v1/owners").status)

    def test_exit_codes(self):
        self.enroll()
        for words in ("containers show w1/nothing", "owners show nobody", "workers show w9", "tokens delete none", "gc run no-such-pass",
                      "explain w1/nothing"):
            self.do(*words.split(), code=FAILED)
        private_key = self.directory / "w1.key"
        for words in ("", "nonsense", "workers", "workers list --bad", "containers show no-slash", "owners add o",
                      "owners add o --kind k --ttl soon", f"workers enroll w2 --key {private_key}", "workers list --output xml",
                      "workers list --token-file /nowhere"):
            self.do(*words.split(), code=USAGE)
        self.do("workers", "list", "--server", "http://127.0.0.1:1", code=TEMPORARY)
        self.server.process.end()
        self.do("workers", "list", code=TEMPORARY)

    def test_a_list_longer_than_a_page_comes_whole(self):
        self.enroll()
        self.server.api.put("/api/v1/owners/o", {"kind": "build"})
        self.server.api.post("/api/v1/workers/w1/containers", [{"handle": f"c{i}", "owner": "o"} for i in range(2500)])
        self.assertEqual(2500, len(self.json("containers", "list")["containers"]))
        self.assertEqual(2501, len(self.do("containers", "list").splitlines()))

    def test_the_limits_of_the_gateway_are_from_one_to_a_million(self):
        data = ["--data", self.directory / "other"]
        config = self.directory / "server.toml"
        gateway = ["--server", self.server.url, "--token-file", self.directory / "none", "--listen", "127.0.0.1:0"]
        for limit in ("sessions-max", "sessions-per-key-max", "unauthenticated-max"):
            for value in ("0", "-1", "many", "1000001", "1.5"):
                config.write_text(f'gateway-{limit} = "{value}"\n' if value == "many" else f"gateway-{limit} = {value}\n")
                for named, line in ((f"--gateway-{limit}", ["server", *data, f"--gateway-{limit}={value}"]),
                                    ("server.toml:1", ["server", *data, "--config", config]),
                                    (f"--{limit}", ["gateway", *gateway, f"--{limit}={value}"])):
                    done = self.client(self.server, *line)
                    self.assertEqual(USAGE, done.returncode, f"{line}: {done.stderr}")
                    self.assertIn(named, done.stderr)

    def test_the_server_says_what_is_wrong_with_its_flags_and_stops_cleanly(self):
        data = ["--data", self.directory / "other"]
        for flags, named in (([], "--data"), ([*data, "--worker-expiry", "10"], "--worker-expiry"), ([*data, "--what"], "--what"),
                             ([*data, "--database", "mysql:x"], "--database"), ([*data, "--listen", "here"], "--listen")):
            done = self.client(self.server, "server", *flags)
            self.assertEqual(USAGE, done.returncode, f"{flags}: {done.stderr}")
            self.assertIn(named, done.stderr)
        anywhere = ["--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
        second = self.client(self.server, "server", "--data", self.server.data, *anywhere)
        self.assertEqual(FAILED, second.returncode)
        self.assertIn("another server uses", second.stderr)
        self.assertEqual(0, self.server.process.end(seconds=10))


if __name__ == "__main__":
    harness.main()
