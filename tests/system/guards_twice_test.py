"""One worker twice: started again beside itself, on another machine, from a copy of its disk, or back from a long pause. At any time at
most one of them is obeyed, and it is never told to destroy what somebody needs."""
import shutil

import harness
import machines
import workload
from guards import GRACE_S, OUTLAST_S, PATIENCE_S, GuardStory, union


@harness.engines
class Twice(GuardStory):
    def story_a_second_start_waits_for_the_first_and_a_second_machine_is_held(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine, over = self.furnish(machine, "mine"), self.furnish(machine, "over")
        beside = self.worker_of(machine, self.key_of("w1"), title="beside")
        elsewhere = machines.Machine(self, "elsewhere")
        foreign = self.make(elsewhere, "foreign")
        other = self.worker_of(elsewhere, self.key_of("w1"), name="w1")
        for process in (beside, other):
            process.start()
        self.sees_line(beside, "another worker.*holds its lock")
        self.sees_line(other, "is held")
        self.sees_hold("w1", "incarnation")
        self.unharmed(elsewhere, foreign)

        self.release("over")
        self.settles(machine, mine)
        self.unharmed(machine, mine, GRACE_S)
        self.unharmed(elsewhere, foreign, GRACE_S)
        other.kill()
        worker.kill()
        self.sees_line(beside, "start 2$")
        self.unharmed(machine, mine)
        self.leaves_nothing(machine, ["mine"])

    def story_a_copy_of_a_disk_takes_over_and_the_original_comes_back_unharmed(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine = self.furnish(machine, "mine", containers=0, subvolumes=0)
        copy = machines.Machine(self, "copy")
        self.pause(worker)
        for root in ("runc", "dirs", "btrfs", "state"):
            shutil.copytree(machine.directory / root, copy.directory / root, symlinks=True, dirs_exist_ok=True)
        self.resume(worker)
        later = self.furnish(machine, "later")
        before = machine.prints(**union(mine, later))
        clone = self.worker_of(copy, self.key_of("w1"), name="w1")
        clone.start()
        self.sees_exit(worker)
        self.assertEqual(["start 1", "start 2"], self.sees_event("w1", "session-opened"))
        self.rows_become("w1", mine)
        self.assertEqual(copy.volumes(), mine["volumes"])
        worker.start()
        self.sees_exit(worker)
        self.assertIn("accept w1 --what session", worker.output())

        self.operator("workers", "accept", "w1", "--what", "session", "--dry-run")
        clone.kill()
        self.operator("workers", "accept", "w1", "--what", "session")
        worker.start()
        self.settles(machine, union(mine, later))
        self.unharmed(machine, union(mine, later))
        self.assertEqual(before, machine.prints(**union(mine, later)))
        clone.start()
        self.sees_exit(clone)
        self.assertEqual(copy.volumes(), mine["volumes"])
        self.leaves_nothing(machine, ["mine", "later"])

    def story_a_worker_that_slept_past_its_expiry_kills_nothing_new(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1", "--max-in-flight", "container=1,volume=1")
        mine, over = self.furnish(machine, "mine"), self.furnish(machine, "over", containers=20, directories=0, subvolumes=0)
        self.release("over")
        harness.wait_until(lambda: over["containers"] - machine.containers(), PATIENCE_S, "the first container to be destroyed")
        self.pause(worker)
        harness.wait_until(lambda: self.shown("w1")["state"] == "stalled", PATIENCE_S, lambda: f"w1 to be stalled: {self.shown('w1')}")
        self.sees_event("w1", "worker-stalled")
        waiting = {handle for (_, handle), state in workload.rows(self.api, "w1").items() if state == "destroying"}
        left = waiting & machine.containers()
        self.assertGreater(len(left), 2, "orders are left in the pool")
        # Somebody else would like the name of one of them.
        handle = min(left)
        machine.remove_containers([handle])
        answer = self.api.call("POST", "/api/v1/workers/w1/containers", {"handle": handle, "owner": "mine"})
        self.assertEqual(409, answer.status, answer.body)
        self.say(f"its handle is not free: {answer.json['detail']}")
        self.resume(worker)
        self.settles(machine, mine)
        self.unharmed(machine, mine, OUTLAST_S)
        self.register(machine, "containers", "mine", [handle])
        machine.run_container(handle)
        self.report_created(machine, "containers", [handle])
        self.unharmed(machine, union(mine, {"containers": {handle}, "volumes": set()}))
        self.leaves_nothing(machine, ["mine"])


if __name__ == "__main__":
    harness.main(at_once=4)
