"""The gateway of a real server, met with the stock ssh client: what a worker's key may do, and that nothing else is possible."""
import base64
import json
import os
import subprocess
import uuid

import harness

FRAME_BYTES_MAX = 64 << 20


class SshTest(harness.Story):
    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--touch-grace", "0s")
        self.host, self.port = self.server.gateway.split(":")
        known = self.directory / "known_hosts"
        known.write_text(f"[{self.host}]:{self.port} " + (self.server.data / "ssh_host_ed25519_key.pub").read_text())
        self.options = ["-F", "/dev/null", "-p", self.port]
        for option in (f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes"):
            self.options += ["-o", option]
        self.keys = {name: self.enroll(self.server, name) for name in ("w1", "w2")}

    def ssh(self, name, *command, user=None, options=(), stdin=b"", seconds=30):
        """(exit status, stdout, stderr) of the stock client with the key of `name`."""
        words = ["ssh", *self.options, "-i", self.keys[name], *options, f"{user or name}@{self.host}", *command]
        done = subprocess.run(list(map(str, words)), input=stdin, capture_output=True, check=False, timeout=seconds)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def frame(self, name, sequence=1, **more):
        session = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        return {"session": session, "incarnation": session, "started": 1, "sequence": sequence, "as_of": 0, **more}

    def sync(self, name, sequence=1, user=None, **more):
        return self.ssh(name, "sync", user=user, stdin=json.dumps(self.frame(name, sequence, **more)).encode())

    def worker(self, name):
        return self.server.api.get(f"/api/v1/workers/{name}")

    def test_one_sync_from_a_file(self):
        file = self.directory / "sync.json"
        file.write_text(json.dumps(self.frame("w1", containers={"full": ["c1", "c2"]}, volumes={"full": []})))
        with open(file, "rb") as stdin:
            command = ["ssh", *self.options, "-i", str(self.keys["w1"]), f"w1@{self.host}", "sync"]
            done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(0, done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(1, answer["sequence"])
        self.assertEqual(0, answer["next_sync_ms"], "the first answer of a session asks for the next at once")
        self.assertEqual(2, self.worker("w1")["held"], "what is there at first contact waits for the operator")

    def test_the_small_calls(self):
        self.assertEqual(0, self.sync("w1")[0])
        for call, state in (("heartbeat", "running"), ("status", "running"), ("land", "landed"), ("retire", None)):
            status, out, err = self.ssh("w1", call)
            self.assertEqual((0, "w1"), (status, json.loads(out)["name"]), err)
            if state is None:
                gone = lambda: self.server.api.call("GET", "/api/v1/workers/w1").status == 404
                harness.wait_until(gone, 20, "the retired worker to be gone")
            else:
                harness.wait_until(lambda: self.worker("w1")["state"] == state, 20, f"w1 to be {state}")
        self.assertEqual(255, self.ssh("w1", "status")[0], "the key of a worker that is gone opens nothing")

    def test_standing_channel(self):
        empty = {"full": []}
        same = {"sequence": 3, "as_of": 0, "same": True}
        frames = [self.frame("w1", 1, containers=empty, volumes=empty), self.frame("w1", 2), same]
        status, out, err = self.ssh("w1", "sync", "--follow", stdin="".join(json.dumps(frame) + "\n" for frame in frames).encode())
        self.assertEqual((0, [1, 2, 3]), (status, [json.loads(line)["sequence"] for line in out.splitlines()]), err)

    def test_a_key_acts_for_its_own_worker_only(self):
        self.server.api.put("/api/v1/owners/o", {"kind": "build"})
        self.server.api.post("/api/v1/workers/w1/containers", {"handle": "c1", "owner": "o"})
        self.server.api.post("/api/v1/workers/w1/containers/c1/created")
        self.assertEqual(0, self.sync("w1", containers={"full": ["c1"]})[0])
        self.server.api.post("/api/v1/workers/w1/containers/c1/destroy")
        before = self.worker("w1")

        results = [{"kind": "container", "handle": "c1", "ok": True}]
        for sequence, user in enumerate(("w1", "root", "w1.w2", "../w1"), 1):
            status, out, err = self.sync("w2", sequence, user=user, containers={"full": []}, results=results)
            self.assertEqual((0, []), (status, json.loads(out).get("destroy", {}).get("containers", [])), err)
        # The session of w1 means nothing for w2, and no field of a sync names a worker.
        of_w2 = self.frame("w2", 9)
        for forged in (self.frame("w1", 9, containers={"full": []}), {**of_w2, "worker": "w1"}, {**of_w2, "name": "w1"}):
            status, out, _ = self.ssh("w2", "sync", user="w1", stdin=json.dumps(forged).encode())
            self.assertEqual((1, ""), (status, out))
        for call in ("land", "retire"):
            self.assertEqual("w2", json.loads(self.ssh("w2", call, user="w1")[1])["name"])

        after = self.worker("w1")
        self.assertEqual("destroying", self.server.api.get("/api/v1/workers/w1/containers/c1")["state"])
        for field in ("state", "incarnation", "containers", "destroying"):
            self.assertEqual(before[field], after[field])
        self.assertEqual(0, self.sync("w1", 2, containers={"full": ["c1"]})[0], "its own session goes on")

    def test_who_has_no_key_of_a_worker_does_not_get_in(self):
        self.keys["stranger"] = self.key("stranger")
        for user in ("w1", "stranger", "root"):
            status, _, err = self.ssh("stranger", "status", user=user)
            self.assertEqual(255, status)
            self.assertIn("Permission denied (publickey)", err)
        for method in ("password", "keyboard-interactive", "none", "hostbased", "gssapi-with-mic"):
            status, _, err = self.ssh("w1", "status", options=["-o", "PubkeyAuthentication=no", "-o", f"PreferredAuthentications={method}"])
            self.assertEqual(255, status)
            self.assertIn("Permission denied (publickey)", err)

    def test_a_key_that_was_taken_away_opens_nothing_from_then_on(self):
        self.assertEqual(0, self.ssh("w1", "status")[0])
        self.server.api.put("/api/v1/workers/w1", {"keys": []})
        self.assertEqual(255, self.ssh("w1", "status")[0])

    def test_no_terminal_no_shell_no_files_no_forwarding(self):
        self.assertNotEqual(0, self.ssh("w1", "status", options=["-tt"])[0])
        self.assertNotEqual(0, self.ssh("w1")[0])
        self.assertNotEqual(0, self.ssh("w1", "sftp", options=["-s"])[0])
        status, _, err = self.ssh("w1", "-N", options=["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"])
        self.assertEqual(255, status)
        self.assertIn("remote port forwarding failed", err)
        # Through -W the client asks for one forwarded connection, as it does for each that -L and -D take.
        api = self.server.url.removeprefix("http://")
        status, out, err = self.ssh("w1", options=["-W", api], stdin=b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual(255, status)
        self.assertIn("open failed", err)
        self.assertEqual("", out)
        agent = self.ssh("w1", "status", options=["-A", "-X", "-o", "SendEnv=PATH"])
        self.assertEqual(0, agent[0], agent[2])

    def test_unknown_commands_are_refused_and_say_which_are_known(self):
        for command in ("ls", "sync --now", "sync;id", "/bin/sh -c id", "syncx", "$(id)", "SYNC", "sync\nid"):
            status, out, err = self.ssh("w1", command, stdin=b"{}")
            self.assertEqual((2, ""), (status, out), command)
            self.assertIn("unknown command", err)
            self.assertNotIn("uid=", err)

    def test_malformed_frames_change_nothing(self):
        self.assertEqual(0, self.sync("w1", 5, containers={"full": []})[0])
        before = self.server.api.get("/api/v1/events")["events"]
        good = json.dumps(self.frame("w1", 6))
        wrong = ["", "{", "null", "[]", good[:-1], good + good, '{"session":1}', good.replace('"sequence": 6', '"sequence": -1'),
                 good.replace('"sequence": 6', '"sequence": 6, "sequence": 7'), good.replace('"as_of": 0', '"as_of": 1e400'),
                 json.dumps(self.frame("w1", 6, unknown_field=1)), json.dumps(self.frame("w1", 6, containers={"full": "c1"})),
                 "[" * 100_000]
        wrong = [text.encode() for text in wrong] + [b"\xff\xfe" + good.encode(), good.encode() + b"\0", os.urandom(1000)]
        for text in wrong:
            status, out, err = self.ssh("w1", "sync", stdin=text)
            self.assertEqual((1, ""), (status, out), text[:200])
            problem = json.loads(err)
            self.assertEqual(("urn:reclaim:invalid", True), (problem["type"], problem["status"] in (400, 422)), text[:200])
        self.assertEqual(before, self.server.api.get("/api/v1/events")["events"])
        self.assertEqual(0, self.sync("w1", 6)[0])

    def test_a_frame_over_the_limit_is_refused_and_says_so(self):
        padding = base64.b64encode(os.urandom(1 << 20)) * (FRAME_BYTES_MAX // (1 << 20) + 1)
        status, out, err = self.ssh("w1", "sync", stdin=b'{"session":"' + padding + b'"}', seconds=60)
        self.assertEqual((1, ""), (status, out))
        self.assertEqual("urn:reclaim:too-large", json.loads(err)["type"])
        self.assertEqual(0, self.sync("w1")[0])


if __name__ == "__main__":
    harness.main()
