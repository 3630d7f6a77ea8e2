"""Two workers with 60 containers and 120 volumes each: what nobody owns any more goes, what somebody owns stays byte for byte."""
import concurrent.futures
import time

import harness
import machines
import workload

BUILDS = 12
SHORT = ["--sync-interval", "1s", "--collector-interval", "1s", "--touch-grace", "0s", "--unknown-grace", "1s"]


@harness.engines
class ReclaimTest(harness.Story):
    def story_what_is_released_goes_and_what_is_owned_stays(self, postgres):
        server = harness.Server(self, *SHORT, database=postgres.url() if postgres else None)
        fleet = [machines.Machine(self, f"w{i}") for i in (1, 2)]
        for machine in fleet:
            key = self.enroll(server, machine.name)
            machines.worker_process(self, machine, key, server.gateway, server.fingerprint).start()

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(fleet)) as creators:
            builds = [build for made in creators.map(lambda machine: self.create_builds(server.api, machine), fleet) for build in made]
        items = {machine.name: [item for build in builds if build.worker == machine.name for item in build.items] for machine in fleet}
        for machine in fleet:
            self.assertEqual((60, 120), (len(machine.containers()), len(machine.volumes())))
        self.say(f"created {sum(map(len, items.values()))} things in {time.monotonic() - began:.1f} s")

        self.random.shuffle(builds)
        released, live = builds[:BUILDS], {build.owner for build in builds[BUILDS:]}
        stays = {machine.name: workload.needed(items[machine.name], live) for machine in fleet}
        before = {machine.name: machine.prints(**stays[machine.name]) for machine in fleet}
        began = time.monotonic()
        for build in released:
            build.release(server.api)
        for machine in fleet:
            self.wait_until_only(machine, server, stays[machine.name])
        self.say(f"destroyed {sum(map(len, items.values())) - sum(map(len, before.values()))}, kept {sum(map(len, before.values()))} "
                 f"in {time.monotonic() - began:.1f} s")

        self.wait_for_syncs(server, fleet, 3)  # what was to be kept is kept by later syncs too
        for machine in fleet:
            self.assertEqual("", workload.difference(machine, server.api, stays[machine.name]))
            self.assertEqual(before[machine.name], machine.prints(**stays[machine.name]))
            gone = {item.handle for item in items[machine.name]} - set().union(*stays[machine.name].values())
            self.assertEqual([], machine.traces(gone))
            self.assertEqual("not under any root\n", machine.outside.read_text())
        self.assertEqual(0, server.metrics()['reclaim_unaccounted{plane="fleet"}'])

    def create_builds(self, api, machine):
        made = []
        for number in range(BUILDS):
            made.append(workload.Build(self.prefix, machine.name, number, made[-1].base if made else None))
            made[-1].create(api, machine)
        return made

    def wait_until_only(self, machine, server, expected):
        harness.wait_until(lambda: not workload.difference(machine, server.api, expected), 60,
                           lambda: workload.explained(machine, server.api, expected))

    def wait_for_syncs(self, server, fleet, count):
        """Several syncs of each worker, as long as they take turns."""
        name = "reclaim_sync_seconds_count"
        enough = server.metrics().get(name, 0) + count * len(fleet)
        harness.wait_until(lambda: server.metrics().get(name, 0) >= enough, 20, f"{count} syncs of each worker")


if __name__ == "__main__":
    harness.main()
