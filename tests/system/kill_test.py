"""Builds come and go on two workers while server, gateway and workers are killed, 60 times, at random moments. Every driver has things of
each build, and of each build's twenty-two two cannot be destroyed at first.

Everybody whose call was not answered makes it again. What was acknowledged goes into a ledger, and in the end the ledger, the rows,
the audit trail and the machines have to agree: nothing owned is gone (F1), nothing unowned is left (F2), no row went before its thing
(F3), no worker touched what is another's (F4).
"""
import collections
import http.client
import threading
import time

import harness
import machines
import workload

KILLS = 60
BUILDS_LEAST = 12
LIVE_MOST = 6
PAUSE_S = (0.05, 0.8)  # between two kills
SHORT = ["--sync-interval", "1s", "--collector-interval", "1s", "--touch-grace", "0s", "--unknown-grace", "2s", "--creating-timeout", "30s",
         "--worker-expiry", "5s", "--agent-timeout", "1s"]


class PatientApi(harness.Api):
    """Asks again until there is an answer, and writes down what was acknowledged. Every call that it makes may be made twice."""

    def __init__(self, url, token, ledger):
        super().__init__(url, token, seconds=5)
        self.ledger = ledger

    def call(self, method, path, body=None, headers=None):
        end = time.monotonic() + 60
        while True:
            try:
                answer = super().call(method, path, body, headers)
                if answer.status != 503:
                    break
            except (OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
            time.sleep(0.02)
        if answer.status < 300:
            self.ledger.append((method, path, body))
        return answer


class Builder(threading.Thread):
    """Creates builds on one machine and releases them, for as long as it is asked to go on."""

    def __init__(self, story, api, machine, random, may_stop):
        super().__init__()
        self.story = story
        self.api = api
        self.machine = machine
        self.random = random
        self.may_stop = may_stop
        self.builds = []
        self.live = []
        self.strays = []
        self.prints = {}  # of what it made, as it made it
        self.failure = None

    def run(self):
        try:
            while len(self.builds) < BUILDS_LEAST or not self.may_stop.is_set():
                self.turn()
        except Exception as failure:  # told to the story, which is the one to fail
            self.failure = failure

    def turn(self):
        number = len(self.builds)
        build = workload.Build(self.story.prefix, self.machine.name, number, self.live[-1].base if self.live else None, True)
        self.builds.append(build)
        if number == 2:
            return self.abandon(build)
        build.create(self.api, self.machine)
        self.live.append(build)
        self.prints.update(self.machine.prints(*([item.handle for item in items] for items in (build.containers, build.volumes))))
        if number % 4 == 3:
            self.leave_a_stray(number)
        while len(self.live) >= LIVE_MOST:
            self.live.pop(self.random.randrange(len(self.live))).release(self.api)

    def abandon(self, build):
        """One that creates builds may die, too: in the middle of its work, or before it said that something is there."""
        steps = list(build.steps(self.api, self.machine))
        for step in steps[:len(steps) // 2]:
            step()
        build.release(self.api)

    def leave_a_stray(self, number):
        """Things that nobody registered."""
        stem = f"{self.story.prefix}{self.machine.name}-stray-{number}"
        self.machine.run_container(f"{stem}-c")
        self.machine.make_directory(f"{stem}-d")
        self.machine.make_subvolume(f"{stem}-s")
        self.machine.make_overlay(f"{stem}-o")
        self.machine.make_thing(f"{stem}-t")
        self.strays += [f"{stem}-{what}" for what in "cdsot"]


@harness.engines
class KillTest(harness.Story):
    def story_sixty_kills_lose_nothing_and_leak_nothing(self, postgres):
        self.server = harness.Server(self, *SHORT, database=postgres.url() if postgres else None)
        fleet = [machines.EveryDriver(self, f"w{i}") for i in (1, 2)]
        victims = [self.server, Gateway(self, self.server)]
        for machine in fleet:
            key = self.enroll(self.server, machine.name)
            worker = machines.worker_process(self, machine, key, victims[1].address, victims[1].fingerprint)
            worker.start()
            victims.append(worker)
        for machine in fleet:
            self.server.wait_for_first_sync(machine.name)

        ledger = []
        token = self.server.token_file.read_text().strip()
        enough = threading.Event()
        builders = [Builder(self, PatientApi(self.server.url, token, ledger), machine, self.random, enough) for machine in fleet]
        began = time.monotonic()
        for builder in builders:
            builder.start()
        killed = self.kill(victims, fleet, enough)
        for builder in builders:
            builder.join(60)
            self.assertIsNone(builder.failure, builder.failure)
            self.assertFalse(builder.is_alive(), "a builder hangs")
        self.say(f"killed {dict(killed)} in {time.monotonic() - began:.1f} s; {len(ledger)} calls acknowledged, "
                 f"{sum(len(builder.builds) for builder in builders)} builds, {sum(len(builder.strays) for builder in builders)} strays")
        self.settle(builders)
        things = self.balance(builders, ledger)
        self.leave_nothing(builders)
        gone = sum(event["action"] == "gone" for event in self.server.api.all("/api/v1/events", "events"))
        self.record(blows=sum(killed.values()), acknowledged=things, ended=gone, unaccounted=things - gone)

    def kill(self, victims, fleet, enough):
        killed = collections.Counter()
        for _ in range(KILLS):
            time.sleep(self.random.uniform(*PAUSE_S))
            victim = self.random.choice(victims)
            process = victim if isinstance(victim, harness.Process) else victim.process
            process.kill()
            victim.start()
            killed[process.name] += 1
            for machine in fleet:
                machine.mend()
        enough.set()
        return killed

    def settle(self, builders):
        """Waits until the machines and the rows are what the builders still need, and that as they made it."""
        began = time.monotonic()
        for builder in builders:
            builder.items = [item for build in builder.builds for item in build.items]
            builder.stays = workload.needed(builder.items, {build.owner for build in builder.live})
            self.wait_for(builder, builder.stays)
            prints = builder.machine.prints(**builder.stays)
            self.assertEqual({name: builder.prints[name] for name in prints}, prints)
            gone = {item.handle for item in builder.items} | set(builder.strays)
            self.assertEqual([], builder.machine.traces(gone - set().union(*builder.stays.values())))
        self.say(f"settled in {time.monotonic() - began:.1f} s")

    def wait_for(self, builder, things):
        def reached():
            builder.machine.mend()
            return not workload.difference(builder.machine, self.server.api, things)

        harness.wait_until(reached, 90, lambda: workload.explained(builder.machine, self.server.api, things))

    def leave_nothing(self, builders):
        for builder in builders:
            for build in builder.live:
                build.release(self.server.api)
        for builder in builders:
            self.wait_for(builder, {"containers": set(), "volumes": set()})
            self.assertEqual([], builder.machine.traces({item.handle for item in builder.items} | {builder.machine.cgroup}))
        self.assertEqual(0, self.server.metrics()['reclaim_unaccounted{plane="fleet"}'])

    def balance(self, builders, ledger):
        """How many things there were."""
        registered, created = set(), set()
        for method, path, body in ledger:
            parts = path.split("/")
            if method == "POST" and len(parts) == 6:
                registered |= {(parts[4], parts[5], item["handle"]) for item in body}
            if path.endswith("/created"):
                created.add((parts[4], parts[5], parts[6]))
        stays = {(builder.machine.name, kind, handle) for builder in builders for kind in builder.stays for handle in builder.stays[kind]}
        self.assertLessEqual(created, registered)
        self.assertLessEqual(stays, created)

        told = collections.Counter()
        for event in self.server.api.all("/api/v1/events", "events"):
            if "handle" in event:
                told[event["action"], (event["worker"], event["kind"] + "s", event["handle"])] += 1
        strays = {(b.machine.name, "containers" if s.endswith("-c") else "volumes", s) for b in builders for s in b.strays}
        self.assertEqual(registered, {what for action, what in told if action == "registered"})
        self.assertEqual(created, {what for action, what in told if action == "created"})
        gone = {what for action, what in told if action == "gone"}
        self.assertEqual((registered | strays) - stays, gone)
        self.assertEqual([], [key for key, times in told.items() if times > 1 and key[0] in ("registered", "created", "marked", "gone")])
        self.assertEqual(0, self.server.metrics()['reclaim_unaccounted{plane="fleet"}'])
        self.say(f"balance: {len(registered)} registered + {len(strays)} strays = {len(stays)} kept + {len(gone)} gone")
        return len(registered | strays)


class Gateway:
    """`reclaim gateway` in front of the server, with a token of its own."""

    def __init__(self, story, server):
        token_file = story.directory / "gateway.token"
        token_file.touch(0o600)
        token_file.write_text(server.token("gateway"))
        self.argv = [story.reclaim, "gateway", "--server", server.url, "--token-file", token_file,
                     "--host-key", story.directory / "gateway_key"]
        self.process = story.process("gateway", [*self.argv, "--listen", "127.0.0.1:0"])
        self.start()

    def start(self):
        self.process.start()
        self.address, self.fingerprint = self.process.wait_for(harness.GATEWAY_READY).groups()
        self.process.argv = [str(word) for word in [*self.argv, "--listen", self.address]]


if __name__ == "__main__":
    machines.hide_unified_controllers()
    harness.main()
