"""The archive's store on Ceph, as an operator has it: servers side by side, addresses that are wrong, a machine without Ceph."""
import shutil
import subprocess

import harness


class RadosTest(harness.Story):
    def server_says(self, address, *through, reclaim=None):
        """What a server that cannot start with such a store says."""
        command = [*through, reclaim or self.reclaim, "server", "--data", self.directory / "data", "--store", address]
        ended = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                               timeout=60)
        self.assertNotEqual(0, ended.returncode)
        return ended.stderr

    def test_an_address_that_is_wrong_is_refused_by_its_part(self):
        for address, why in (("rados://", "the pool"), ("rados:///n", "the pool"), ("rados://p p", "the pool"), ("rados://.p", "the pool"),
                             ("rados://" + "p" * 65, "the pool"), ("rados://p/", "the namespace"), ("rados://p/n/n", "the namespace"),
                             ("rados://p/n?", "not ''"), ("rados://p?conf=", "absolute path"), ("rados://p?conf=ceph.conf", "absolute path"),
                             ("rados://p?conf", "absolute path"), ("rados://p?conf=/a\n", "absolute path"), ("rados://p?user=", "the user"),
                             ("rados://p?user=a/b", "the user"), ("rados://p?keyring=/k", "not 'keyring'"),
                             ("rados://p?conf=/a&conf=/b", "there twice"), ("rados://p?conf=/a&&user=b", "not ''"),
                             ("rados:p", "rados://POOL"), ("lmdb:", "lmdb:PATH"), ("s3://bucket", "rados://POOL")):
            said = self.server_says(address)
            self.assertIn("store", said, address)
            self.assertIn(why, said, address)

    def test_a_machine_without_ceph_says_what_it_lacks(self):
        alone = self.directory / "bin" / "reclaim"
        alone.parent.mkdir()
        shutil.copy(self.reclaim, alone)
        self.assertIn(f"{self.directory}/lib/reclaim/objects_rados.so, and this Reclaim was built without it",
                      self.server_says("rados://p", reclaim=alone))
        library = harness.run("sh", "-c", "ldconfig -p | sed -n 's/.*librados.so.2 .* => //p' | head -n 1").strip()
        without = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', library]
        self.assertIn("needs the package librados2: ", self.server_says("rados://p", *without))
        self.assertIn("there is no /nowhere/ceph.conf", self.server_says("rados://p?conf=/nowhere/ceph.conf"))

    def test_servers_side_by_side_share_a_store(self):
        with harness.private_ceph(self) as ceph:
            self.assertIn("there is no pool nowhere", self.server_says(f"rados://nowhere?conf={ceph.conf}"))
            postgres = harness.Postgres(self)
            servers = [harness.Server(self, "--store", ceph.address("archive"), database=postgres.url(), name=f"server{i}") for i in (1, 2)]
            self.assertIn("archive\tstore", ceph.rados("ls", "--all"))
            for number, server in enumerate(servers):
                vid = f"V{number}"
                server.api.post("/api/v1/tapes", {"vid": vid, "pool": "p", "library": "l"})
                server.api.put(f"/api/v1/tapes/{vid}/state", {"state": "BROKEN", "reason": "torn"})
                other = servers[1 - number].api
                harness.wait_until(lambda: other.get(f"/api/v1/tapes/{vid}")["state"] == "BROKEN", 30, f"{vid} to be broken")
            for server in servers:
                self.assertEqual(0, server.process.end())


if __name__ == "__main__":
    harness.main()
