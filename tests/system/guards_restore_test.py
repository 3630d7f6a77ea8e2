"""A control plane that has forgotten: its database is an older copy, or a new one. Workers have heard more than it remembers, and nothing
is destroyed on any of them until an operator says what becomes of what has no record."""
import shutil

import harness
import workload
from guards import OUTLAST_S, PATIENCE_S, GuardStory, created, union

MORE_CHANGES = 60  # than were lost: numbers alone would look whole again


class SqliteCopies:
    """Copies of the database file, which nobody has open."""

    def __init__(self, story):
        self.file = story.directory / "server" / "reclaim.db"
        self.copy = story.directory / "backup.db"
        self.url = None

    def save(self):
        shutil.copy(self.file, self.copy)

    def lose(self):
        for path in self.file.parent.glob("reclaim.db*"):
            path.unlink()

    def restore(self):
        self.lose()
        shutil.copy(self.copy, self.file)


class PostgresCopies:
    """Copies of the database, which nobody is connected to."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.url = postgres.url("plane")
        postgres.query("CREATE DATABASE plane")

    def save(self):
        self.postgres.query("CREATE DATABASE backup TEMPLATE plane")

    def lose(self):
        self.postgres.query("DROP DATABASE plane")
        self.postgres.query("CREATE DATABASE plane")

    def restore(self):
        self.postgres.query("DROP DATABASE plane")
        self.postgres.query("CREATE DATABASE plane TEMPLATE backup")


@harness.engines
class RestoredDatabase(GuardStory):
    def arrange(self, postgres):
        self.copies = PostgresCopies(postgres) if postgres else SqliteCopies(self)
        self.serve(self.copies.url)
        self.machine, self.worker = self.working("w1")
        self.kept = self.furnish(self.machine, "kept")

    def while_stopped(self, change):
        """The workers are silent until the server serves again, and on until they are resumed."""
        self.pause(self.worker)
        self.assertEqual(0, self.server.process.end())
        change()
        self.server.start()

    def backup_with_a_mark(self):
        """In the copy `first` is over, and what it had is to be destroyed. After it that is gone, and `second` has the same handles."""
        reused = self.furnish(self.machine, "first", containers=1, directories=1, subvolumes=1)
        self.pause(self.worker)
        self.release("first")
        self.api.post("/api/v1/gc/run", {"passes": None})
        self.assertEqual(3, self.shown("w1")["destroying"])
        self.while_stopped(self.copies.save)
        self.resume(self.worker)
        self.settles(self.machine, self.kept)
        self.api.put("/api/v1/owners/second", {"kind": "build"})
        for kind, handles in reused.items():
            self.register(self.machine, kind, "second", handles)
        self.assertEqual(reused, self.make(self.machine, "first", containers=1, directories=1, subvolumes=1))
        for kind, handles in reused.items():
            self.report_created(self.machine, kind, handles)
        return reused

    def issue_more_changes_than_were_lost(self):
        handles = [f"{self.prefix}more-{i}" for i in range(MORE_CHANGES)]
        self.api.put("/api/v1/owners/more", {"kind": "build"})
        self.register(self.machine, "volumes", "more", handles)
        return handles

    def sees_the_loss(self):
        self.sees_line(self.worker, "forgotten")
        self.sees_hold("w1", "lineage")
        self.assertEqual(1, len(self.sees_event("w1", "lineage-lost")))
        self.operator("workers", "accept", "w1", code=2)
        self.assertIn("1 workers have seen more", self.operator("lineage", "show"))
        self.operator("lineage", "accept", code=2)

    def story_what_a_restored_copy_forgot_is_adopted_and_nothing_is_killed(self, postgres):
        self.arrange(postgres)
        reused = self.backup_with_a_mark()
        late = self.furnish(self.machine, "late")
        live = union(self.kept, reused, late)
        self.while_stopped(self.copies.restore)
        never_made = self.issue_more_changes_than_were_lost()
        self.resume(self.worker)
        self.sees_the_loss()
        self.unharmed(self.machine, live)

        before = self.machine.prints(**live)
        self.operator("lineage", "accept", "--unknown", "adopt", "--dry-run")
        self.assertEqual(["lineage"], self.holds("w1"))
        self.operator("lineage", "accept", "--unknown", "adopt")
        for handle in never_made:  # taken for made, as everything that the database shows in the making; or missed and lost by now
            path = f"/api/v1/workers/w1/volumes/{handle}"
            self.assertIn(self.api.call("POST", f"{path}/failed")[0], (409, 404))
            self.assertIn(self.api.call("POST", f"{path}/destroy")[0], (200, 404))
        self.settles(self.machine, live)
        self.unharmed(self.machine, live)
        self.assertEqual(before, self.machine.prints(**live))
        self.assertEqual([], self.holds("w1"))
        self.leaves_nothing(self.machine, ["kept", "adopted:w1"])

    def story_what_a_restored_copy_forgot_is_destroyed_if_the_operator_says_so(self, postgres):
        self.arrange(postgres)
        self.while_stopped(self.copies.save)
        self.resume(self.worker)
        over = self.furnish(self.machine, "over", containers=1)
        late = self.furnish(self.machine, "late", containers=2)
        self.release("over")
        self.settles(self.machine, union(self.kept, late))
        self.while_stopped(self.copies.restore)
        self.resume(self.worker)
        self.sees_the_loss()
        self.unharmed(self.machine, union(self.kept, late))

        self.operator("lineage", "accept", "--unknown", "destroy")
        before = self.machine.prints(**self.kept)
        self.settles(self.machine, self.kept)
        self.assertEqual(before, self.machine.prints(**self.kept))
        self.assertEqual([], self.machine.traces(set().union(*over.values(), *late.values())))
        self.leaves_nothing(self.machine, ["kept"])

    def story_what_a_silent_worker_was_given_meanwhile_lives_too(self, postgres):
        """It has heard nothing that the copy does not know: the other one's proof has to do for both."""
        self.arrange(postgres)
        silent, its_worker = self.working("w2")
        its_kept = self.furnish(silent, "its-kept", containers=1)
        harness.wait_until(lambda: self.noticed("w2", its_kept), PATIENCE_S, "w2 to have told of all that it has")
        self.pause(its_worker)
        self.while_stopped(self.copies.save)
        self.resume(self.worker)
        given = self.furnish(silent, "given", containers=1)
        late = self.furnish(self.machine, "late", containers=1)
        self.while_stopped(self.copies.restore)
        for worker in (self.worker, its_worker):
            self.resume(worker)
        self.sees_the_loss()
        harness.wait_until(lambda: self.shown("w2")["unknown"] == 6, PATIENCE_S, lambda: f"w2 to show all of it: {self.shown('w2')}")
        self.assertEqual([], self.holds("w2"))
        self.unharmed(silent, union(its_kept, given))
        self.operator("lineage", "accept", "--unknown", "adopt")
        self.settles(silent, union(its_kept, given))
        self.settles(self.machine, union(self.kept, late))
        self.unharmed(silent, union(its_kept, given))
        self.leaves_nothing(silent, ["its-kept", "adopted:w2"])
        self.leaves_nothing(self.machine, ["kept", "adopted:w1"])

    def noticed(self, worker, things):
        """The worker's rows are in its inventory, and it has heard of that: nothing is on its way."""
        synced = self.server.metrics()["reclaim_sync_seconds_count"]
        enough = lambda: self.server.metrics()["reclaim_sync_seconds_count"] >= synced + 6
        harness.wait_until(enough, PATIENCE_S, "some more syncs")
        return workload.rows(self.api, worker) == created(things)

    def story_a_lost_database_is_begun_anew(self, postgres):
        self.arrange(postgres)
        self.while_stopped(self.copies.lose)
        self.resume(self.worker)
        self.sees_line(self.worker, "does not know the key")
        self.operator("workers", "enroll", "w1", "--key", f"{self.key_of('w1')}.pub")
        self.sees_the_loss()
        self.unharmed(self.machine, self.kept)
        self.operator("lineage", "accept", "--unknown", "adopt")
        self.settles(self.machine, self.kept)
        self.unharmed(self.machine, self.kept, OUTLAST_S / 2)
        self.leaves_nothing(self.machine, ["adopted:w1"])


if __name__ == "__main__":
    harness.main(at_once=4)
