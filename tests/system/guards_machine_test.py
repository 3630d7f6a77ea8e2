"""A machine that is not what it was: full at first contact, wiped, without its memory, with a disk away. Nobody loses anything by it, the
operator is told what is wrong and which command decides, and in the end nothing is left over."""
import shutil

import harness
import workload
from guards import GRACE_S, NOTHING, GuardStory, less, union


@harness.engines
class FirstContact(GuardStory):
    def story_a_machine_that_is_full_is_held_adopted_or_emptied(self, postgres):
        self.serve(postgres)
        enrolled = {name: self.enrolled(f"to-{name}", existing=name) for name in ("hold", "adopt", "destroy")}
        # More than the brake would believe, were it not agreed.
        found = {name: self.make(machine, "old", directories=22) for name, (machine, _) in enrolled.items()}
        for machine, worker in enrolled.values():
            worker.start()
        machine = {name: machine for name, (machine, _) in enrolled.items()}

        self.assertIn("28", self.sees_hold("to-hold", "existing"))
        self.unharmed(machine["hold"], found["hold"])
        self.assertEqual({}, workload.rows(self.api, "to-hold"))
        self.settles(machine["adopt"], found["adopt"])
        self.settles(machine["destroy"], NOTHING)
        self.assertEqual([], machine["destroy"].traces(found["destroy"]["containers"] | found["destroy"]["volumes"]))

        self.operator("workers", "accept", "to-hold", code=2)
        self.operator("workers", "accept", "to-hold", "--adopt", "--dry-run")
        self.assertEqual({}, workload.rows(self.api, "to-hold"), "a dry run changes nothing")
        self.operator("workers", "accept", "to-hold", "--adopt")
        self.settles(machine["hold"], found["hold"])
        self.assertEqual([], self.holds("to-hold"))
        for name in ("hold", "adopt"):
            self.unharmed(machine[name], found[name], GRACE_S)
            self.leaves_nothing(machine[name], [f"adopted:to-{name}"])

    def story_what_is_held_goes_if_the_operator_says_so_and_nothing_else(self, postgres):
        self.serve(postgres)
        machine, worker = self.enrolled("w1")
        found = self.make(machine, "old")
        worker.start()
        self.sees_hold("w1", "existing")
        mine = self.furnish(machine, "mine")
        self.operator("workers", "accept", "w1", "--destroy")
        self.settles(machine, mine)
        self.assertEqual([], machine.traces(found["containers"] | found["volumes"]))
        self.unharmed(machine, mine, GRACE_S)
        self.leaves_nothing(machine, ["mine"])


@harness.engines
class Disk(GuardStory):
    def story_a_wiped_disk_is_held_until_its_operator_accepts_it(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine = self.furnish(machine, "mine")
        saved = min(handle for handle in mine["volumes"] if "-d" in handle)
        shutil.copytree(machine.volume(saved), self.directory / saved, symlinks=True)
        worker.kill()
        machine.wipe()
        shutil.copytree(self.directory / saved, machine.dirs / "live" / saved, symlinks=True)  # put back, without its marker
        foreign = self.make(machine, "foreign", containers=1, directories=1, subvolumes=1)
        there = union(foreign, {"containers": set(), "volumes": {saved}})

        worker.start()
        self.sees_hold("w1", "incarnation")
        self.sees_line(worker, "held")
        self.assertEqual(1, len(self.sees_event("w1", "incarnation-held")))
        self.rows_stay("w1", mine)
        self.unharmed(machine, there, GRACE_S)
        self.operator("workers", "accept", "w1", "--dry-run")
        self.operator("workers", "accept", "w1")
        self.sees_hold("w1", "existing")
        self.unharmed(machine, there)
        self.operator("workers", "accept", "w1", "--what", "existing", "--destroy")
        self.settles(machine, less(there, foreign))

        self.unharmed(machine, less(there, foreign), GRACE_S)
        worker.kill()
        machine.wipe()
        worker.argv += ["--new-incarnation", "accept"]
        worker.start()
        self.settles(machine, NOTHING)
        self.assertEqual([], self.holds("w1"))
        self.assertEqual(2, len(self.sees_event("w1", "incarnation-changed")))
        self.furnish(machine, "next")
        self.leaves_nothing(machine, ["mine", "next"])

    def story_a_worker_that_lost_its_memory_goes_on(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine, others = self.furnish(machine, "mine"), self.furnish(machine, "others", containers=1)
        worker.kill()
        shutil.rmtree(machine.directory / "state")
        worker.start()
        self.unharmed(machine, union(mine, others))
        self.assertEqual([], self.holds("w1"))
        self.release("others")
        self.settles(machine, mine)
        self.leaves_nothing(machine, ["mine"])

    def story_a_disk_that_is_away_is_not_an_empty_one(self, postgres):
        self.serve(postgres)
        machine, worker = self.working("w1")
        mine, over = self.furnish(machine, "mine"), self.furnish(machine, "over", subvolumes=3)
        before = machine.prints(**union(mine, over))
        device = harness.run("findmnt", "--noheadings", "--output", "SOURCE", "--target", machine.btrfs).strip()
        with open(device, "rb"):  # or the kernel lets the image go with the last mount
            # Under the hands of a worker that runs, then before one starts.
            for times, away in enumerate((self.take_away, self.take_away_before_a_start), 1):
                away(machine, worker)
                self.sees_line(worker, "cannot be listed.*btrfs")
                self.assertEqual(["volume"], [unlisted["kind"] for unlisted in self.shown("w1")["unlisted"]])
                self.rows_stay("w1", union(mine, over))
                harness.run("mount", device, machine.btrfs)
                self.sees_line(worker, "is there$")
                self.sees_event("w1", "listed", times)
                self.assertEqual(before, machine.prints(**union(mine, over)))
            self.release("over")
            self.settles(machine, mine)
        self.unharmed(machine, mine, GRACE_S)
        self.leaves_nothing(machine, ["mine"])

    def take_away(self, machine, worker):
        harness.run("umount", "--lazy", machine.btrfs)

    def take_away_before_a_start(self, machine, worker):
        worker.kill()
        harness.run("umount", machine.btrfs)
        worker.start()


if __name__ == "__main__":
    harness.main(at_once=4)
