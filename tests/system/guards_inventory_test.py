"""What a machine shows is not what it has: nothing at all, things that went and come back, a container that its runtime cannot read any
more. Nobody loses anything by it, the operator is told, and in the end nothing is left over."""
import os

import harness
import machines
import workload
from guards import GRACE_S, NOTHING, PATIENCE_S, GuardStory, less, union

CROWD = 30  # more than the brake lets go missing at once


@harness.engines
class Inventory(GuardStory):
    def story_an_inventory_that_is_suddenly_empty_is_not_believed(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine = self.furnish(machine, "mine", containers=CROWD, directories=CROWD, subvolumes=0)
        self.pause(worker)  # or it sees them go one after another
        machine.hide(mine["volumes"])
        machine.remove_containers(mine["containers"])
        self.resume(worker)
        reason = self.sees_hold("w1", "brake")
        self.assertIn(f"{CROWD} of {CROWD}", reason)
        self.rows_stay("w1", mine)
        machine.seek(mine["volumes"])
        self.assertEqual(["later inventories disagree"], self.sees_event("w1", "brake-released"))
        self.assertIn("containers", self.shown("w1")["braked"])
        self.operator("workers", "accept", "w1", "--dry-run")
        self.rows_stay("w1", mine, GRACE_S)
        self.operator("workers", "accept", "w1")
        rest = {"containers": set(), "volumes": mine["volumes"]}
        self.settles(machine, rest)
        self.assertEqual([], self.holds("w1"))
        self.unharmed(machine, rest, GRACE_S)
        self.leaves_nothing(machine, ["mine"])

    def story_what_comes_back_is_restored_if_its_owner_lives_and_destroyed_otherwise(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine, over = [self.furnish(machine, owner, containers=1, directories=1, subvolumes=1) for owner in ("mine", "over")]
        before = machine.prints(**mine)
        everything = union(mine, over)
        machine.hide(everything["containers"] | everything["volumes"])
        self.settles(machine, NOTHING)
        self.release("over")
        machine.seek(everything["containers"] | everything["volumes"])
        self.settles(machine, mine)
        self.assertEqual(before, machine.prints(**mine))
        self.assertEqual(3, len(self.sees_event("w1", "restored")))
        self.assertEqual([], machine.traces(over["containers"] | over["volumes"]))
        self.unharmed(machine, mine, GRACE_S)
        self.leaves_nothing(machine, ["mine"])

    def story_a_container_whose_state_is_damaged_lives_until_nobody_needs_it(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1", made=machines.EveryDriver)
        mine, over = [union(self.furnish(machine, owner, directories=0, subvolumes=0), self.furnish_crun(machine, owner))
                      for owner in ("mine", "over")]
        damaged = {min(handle for handle in things["containers"] if what in handle) for things in (mine, over) for what in ("-c", "-k")}
        running = {handle: machine.process_of(handle) for handle in damaged}
        before = {handle: machine.print_of_process(running[handle]) for handle in damaged}
        for handle in damaged:
            state = machine.crun / handle / "status" if "-k" in handle else machine.runc / handle / "state.json"
            os.truncate(state, state.stat().st_size // 2)
        whole = less(union(mine, over), {"containers": damaged, "volumes": set()})
        self.unharmed(machine, whole)
        self.assertEqual(before, {handle: machine.print_of_process(running[handle]) for handle in damaged})

        self.release("over")
        gone = over["containers"]
        harness.wait_until(lambda: not gone & {handle for _, handle in workload.rows(self.api, "w1")}, PATIENCE_S,
                           lambda: workload.explained(machine, self.api, mine))
        self.assertEqual([], machine.traces(gone))
        self.unharmed(machine, less(mine, {"containers": damaged, "volumes": set()}), GRACE_S)
        kept = damaged & mine["containers"]
        self.assertEqual([before[handle] for handle in kept], [machine.print_of_process(running[handle]) for handle in kept])
        self.leaves_nothing(machine, ["mine"])
        self.assertEqual([], machine.traces(mine["containers"] | {machine.cgroup}))
        self.assertEqual({True}, {machine.is_over(running[handle]) for handle in damaged})

    def furnish_crun(self, machine, owner):
        handles = {f"{self.prefix}{machine.name}-{owner}-k{i}" for i in range(2)}
        self.register(machine, "containers", owner, handles)
        for handle in handles:
            machine.run_container_of_crun(handle)
        self.report_created(machine, "containers", handles)
        return {"containers": handles, "volumes": set()}


if __name__ == "__main__":
    machines.hide_unified_controllers()
    harness.main(at_once=4)
