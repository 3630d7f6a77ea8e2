"""What cleans up, from outside: passes in the server and in a process of their own, side by side; a process that ends gives back what it
had, one that is killed is collected by the others; a tape that leaves service is final whoever of them lives."""
import json
import os
import re
import signal
import time

import harness

TASKS = ("agents", "cleanup", "reports")
FAST = ("--maintenance-interval", "200ms", "--agent-heartbeat", "100ms", "--agent-timeout", "600ms")


def role_of(agent):
    """`maintenance-cleanup`, of whichever process."""
    return re.sub(rf"-{re.escape(os.uname().nodename)}-\d+", "", agent["name"])


class CleanupTest(harness.Story):
    def start(self, *flags):
        self.server = harness.Server(self, *flags)
        self.api = self.server.api

    def maintain(self, name, *flags):
        process = self.process(name, [self.reclaim, "maintenance", "--data", self.server.data, *FAST, *flags])
        process.start()
        process.wait_for("ready")
        return process

    def agents(self):
        return {role_of(agent): agent["state"] for agent in self.api.get("/api/v1/agents")["agents"]}

    def epochs(self):
        return {role_of(agent): agent["epoch"] for agent in self.api.get("/api/v1/agents")["agents"]}

    def until_agents(self, expected, what):
        harness.wait_until(lambda: self.agents() == expected, 30, lambda: f"{what}: {self.agents()}")

    def stop_until_collected(self, process, others):
        """Stops it, and not in the middle of a write: that would stop everybody who writes to the embedded store."""
        for _ in range(20):
            os.kill(process.pid, signal.SIGSTOP)
            try:
                harness.wait_until(lambda: self.agents() == others, 5, "the stopped one to be collected")
                return
            except AssertionError:
                os.kill(process.pid, signal.SIGCONT)
        self.fail("there was no moment to stop it")

    def break_tape(self, vid):
        self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
        self.api.put(f"/api/v1/tapes/{vid}/state", {"state": "BROKEN", "reason": "torn"})

    def until_broken(self, vid):
        harness.wait_until(lambda: self.api.get(f"/api/v1/tapes/{vid}")["state"] == "BROKEN", 30, f"{vid} to be BROKEN")

    def test_a_process_beside_the_server_runs_the_passes_and_leaves_nothing(self):
        self.start("--maintenance-interval", "never")
        beside = self.maintain("beside")
        self.until_agents({f"maintenance-{task}": "unwatched" for task in TASKS}, "the passes of one process")
        self.break_tape("V1")
        self.until_broken("V1")
        self.assertEqual(0, beside.end(signal.SIGTERM))
        self.until_agents({}, "nobody after a graceful end")
        self.assertEqual(0, self.server.process.end(signal.SIGTERM))

    def test_a_process_that_is_killed_is_collected_by_the_others(self):
        self.start(*FAST)
        everybody = {f"{process}-{task}": "alive" for process in ("server", "maintenance") for task in TASKS}
        ours = {name: state for name, state in everybody.items() if name.startswith("server")}
        beside = self.maintain("beside")
        self.until_agents(everybody, "both to live")
        beside.kill()
        self.until_agents(ours, "the dead to be collected")
        self.assertGreaterEqual(self.server.metrics()["reclaim_takeovers_total"], 3)
        self.break_tape("V1")
        self.until_broken("V1")
        beside = self.maintain("beside again")
        self.server.process.kill()
        self.server.start()
        self.break_tape("V2")
        self.until_broken("V2")
        self.until_agents(everybody, "the server's former agents to be gone")
        self.assertEqual(0, beside.end(signal.SIGTERM))

    def test_one_that_is_stopped_is_collected_and_comes_back_as_another(self):
        self.start(*FAST)
        beside = self.maintain("beside")
        ours = {f"server-{task}": "alive" for task in TASKS}
        everybody = ours | {f"maintenance-{task}": "alive" for task in TASKS}
        self.until_agents(everybody, "both to live")
        before = self.epochs()
        self.stop_until_collected(beside, ours)
        os.kill(beside.pid, signal.SIGCONT)
        self.until_agents(everybody, "it to register again")
        after = self.epochs()
        self.assertGreater(after["maintenance-cleanup"], before["maintenance-cleanup"])
        self.assertEqual(0, beside.end(signal.SIGTERM))

    def submit(self, count):
        """Requests for files of which each third has a copy on V1 alone, the others one on V2 or V3, too. How many they are."""
        for vid in ("V1", "V2", "V3"):
            self.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
        for number in range(count):
            others = ([], ["V2"], ["V3"])[number % 3]
            copies = [{"vid": vid, "fseq": number + 1} for vid in ["V1", *others]]
            self.files.append({"id": f"f{number}", "size": 1000, "checksum": "adler32:1e0b0402", "copies": copies})
        for start in range(0, count, 9000):
            self.api.post("/api/v1/files", self.files[start:start + 9000])
        # While they are queued no other tape takes any.
        for vid in ("V2", "V3"):
            self.api.put(f"/api/v1/tapes/{vid}/state", {"state": "DISABLED", "reason": "noise"})
        for start in range(0, count, 3000):
            some = [{"file": file["id"], "destination": f"out/{file['id']}"} for file in self.files[start:start + 3000]]
            self.ids += [answer["id"] for answer in self.api.post("/api/v1/retrieves", some)]
        self.assertEqual(count, len(set(self.ids)))

    def queued(self):
        queues = self.api.all("/api/v1/queues", "queues")
        return {f"{queue['vid']}.{queue['type']}": queue["requests"] for queue in queues if queue["requests"] > 0}

    def test_requests_go_on_whoever_is_killed_or_paused_in_the_middle(self):
        self.files, self.ids = [], []
        count = 18_000
        self.start(*FAST)
        beside = self.maintain("beside")
        self.submit(count)
        self.assertEqual({"V1.to_transfer": count}, self.queued())
        self.api.put("/api/v1/tapes/V1/state", {"state": "BROKEN", "reason": "torn at 30 m"})
        for blow in range(8):
            time.sleep(self.random.uniform(0, 0.15))
            victim = self.random.choice(("server", "beside", "pause"))
            self.say(f"blow {blow}: {victim}")
            if victim == "server":
                self.server.process.kill()
                self.server.start()
            elif victim == "beside":
                beside.kill()
                beside.start()
            else:
                os.kill(beside.pid, signal.SIGSTOP)
                time.sleep(1.5)
                os.kill(beside.pid, signal.SIGCONT)
        self.until_broken("V1")
        # What no tape takes comes back to who is to be told: nobody, so it waits for an operator.
        expected = {"V1.failed": count // 3, "V2.to_transfer": count // 3, "V3.to_transfer": count // 3}
        harness.wait_until(lambda: self.queued() == expected, 30, lambda: f"every request to have arrived: {self.queued()}")
        requests = harness.wait_until(self.settled, 30, "the requests to have come to rest")
        self.say(f"{requests}")
        self.assertEqual((2 * count // 3, count // 3), (requests["to_transfer"], requests["failed"]))
        shown = self.api.get(f"/api/v1/retrieves/{self.ids[0]}")
        self.assertIn('V1 is BROKEN_PENDING: "torn at 30 m"', " ".join(shown["errors"]))
        self.assertEqual(0, beside.end(signal.SIGTERM))

    def settled(self):
        """What the check of the store counts when nothing is wrong any more, and nothing left over."""
        report = json.loads(harness.run(self.reclaim, "store", "check", "--data", self.server.data, "--output", "json"))
        at_rest = (report["findings"], report["more"], report["unsettled"]) == ([], 0, 0)
        requests = report["summary"]["requests"]
        return requests if at_rest and requests["with_agents"] + requests["moving"] == 0 else None

    def test_passes_run_when_asked_and_say_what_they_did(self):
        self.start("--maintenance-interval", "never")
        self.break_tape("V1")
        runs = {run["pass"]: run for run in self.api.post("/api/v1/maintenance/run", {"passes": None})["passes"]}
        self.assertEqual(set(TASKS), set(runs))
        self.assertEqual((1, 0, False, [], None), tuple(runs["cleanup"][key] for key in ("finished", "waiting", "more", "problems", "error")))
        self.assertEqual("BROKEN", self.api.get("/api/v1/tapes/V1")["state"])

    def test_wrong_usage_is_said(self):
        self.start("--maintenance-interval", "never")
        for words in (["--passes", "eat"], ["--agent-timeout", "20ms"], []):
            given = [] if words == [] else ["--data", self.server.data, *words]
            process = self.process("wrong", [self.reclaim, "maintenance", *given])
            process.start()
            self.assertEqual(2, process.process.wait(20), process.output())


if __name__ == "__main__":
    harness.main()
