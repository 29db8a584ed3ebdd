"""A disk that fills up: 507 with a clear message, reads go on, nothing is lost, and space brings ingest back."""

import os
import random
import subprocess
import tempfile
import unittest

from appliance import Server, eventually, run

SIZE = 104 << 20
# What fills the disk from outside, made once the server has begun; some of it goes first, the rest later.
BALLAST = {"small": 2 << 20, "large": 80 << 20}


def small_file_system():
    """A folder with a file system of its own, or why there is none."""
    folder = tempfile.mkdtemp(prefix="timberline-disk-")
    if os.geteuid() != 0:
        os.rmdir(folder)
        return None, "a small file system can be mounted by root only"
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if mount.returncode != 0:
        os.rmdir(folder)
        return None, f"a small file system can't be mounted here: {mount.stderr.strip()}"
    return folder, None


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk, reason = small_file_system()
        if not self.disk:
            self.skipTest(reason)
        self.addCleanup(os.rmdir, self.disk)
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)
        self.data = os.path.join(self.disk, "data")
        self.random = random.Random(7)
        self.sent = 0
        self.kept = set()

    def fill_from_outside(self):
        for name, size in BALLAST.items():
            with open(os.path.join(self.disk, name), "wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)

    def give_back(self, name):
        os.unlink(os.path.join(self.disk, name))

    def send(self, server, count=300, size=1500):
        """One body of records that hardly pack; counts them as kept if it is answered 200."""
        names = [f"r{self.sent + i}" for i in range(count)]
        self.sent += count
        answer = server.send(
            [
                {"message": f"fill {name} {self.random.randbytes(size // 2).hex()}", "uid": name, "source": "fill"}
                for name in names
            ]
        )
        if answer.status == 200:
            self.assertEqual(answer.json["processed_count"], count)
            self.kept.update(names)
        return answer

    def fill(self, server):
        """Sends until the disk is full; returns the refusal."""
        for _ in range(500):
            answer = self.send(server)
            if answer.status != 200:
                return answer
        self.fail("the disk never got full")

    def found(self, server):
        names = [row["uid"] for row in server.query("fill | fields uid")]
        self.assertEqual(len(names), len(set(names)), "records came twice")
        return set(names)

    def check_refusal(self, answer):
        self.assertEqual(answer.status, 507, answer.body[:500])
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual(answer.json["type"], "/problems/disk-full")
        self.assertIn("retry-after", answer.headers)
        self.assertNotIn(self.disk, answer.body.decode())

    def server(self, *arguments):
        server = Server(data=self.data, arguments=arguments)
        self.addCleanup(server.__exit__)
        return server.start()

    def fill_up(self, server):
        """The disk gets full; reads go on, writes go on being refused, and stay clear about it."""
        self.fill_from_outside()
        self.check_refusal(self.fill(server))
        self.assertGreater(len(self.kept), 1000)
        self.assertEqual(self.found(server), self.kept)
        for _ in range(5):
            answer = self.send(server)
            if answer.status != 200:
                self.check_refusal(answer)
        self.assertEqual(self.found(server), self.kept)
        self.assertEqual(server.get("/api/v1/healthz").status, 200)
        self.assertEqual(server.get("/health").status, 503)
        self.assertEqual(len(server.get("/api/v1/logs/hits", query="fill", step="1h").json["hits"]), 1)

    def go_on(self, server):
        """Space is back: so is ingest, and all is there after a good end."""
        eventually(lambda: self.send(server, count=10).status == 200)
        self.assertEqual(self.found(server), self.kept)
        code, _ = server.stop()
        self.assertEqual(code, 0)
        server.start()
        self.assertEqual(self.found(server), self.kept)

    def verify(self, server):
        server.stop()
        result = run("verify", "--data", self.data, check=False)
        self.assertEqual(result.returncode, 0, result.text + result.complaint)

    def test_full_and_back(self):
        server = self.server()
        self.fill_up(server)
        self.give_back("large")
        self.go_on(server)
        self.verify(server)

    def test_full_while_heads_become_blocks(self):
        server = self.server("--head-seconds-max", "1")
        self.fill_up(server)
        self.give_back("large")
        self.go_on(server)
        self.verify(server)

    def test_a_little_space_back(self):
        """Too little to make blocks of the head: it ends and starts all the same."""
        server = self.server()
        self.fill_up(server)
        self.give_back("small")
        self.go_on(server)
        self.give_back("large")
        self.go_on(server)
        self.verify(server)

    def test_crash_on_the_full_disk(self):
        server = self.server()
        self.fill_up(server)
        server.kill()
        server.start()
        self.assertEqual(self.found(server), self.kept)
        answer = self.send(server)
        if answer.status != 200:
            self.check_refusal(answer)
        # Once more, with what was held in reserve gone: it serves, or says what is the matter.
        server.kill()
        self.start_on_full_disk(server)
        self.give_back("large")
        if not server.is_running:
            server.start()
        self.go_on(server)
        self.verify(server)

    def start_on_full_disk(self, server):
        before = len(server.log)
        server.launch()
        try:
            server.await_listening()
        except AssertionError:
            self.assertEqual(server.process.wait(), 1)
            self.assertIn("Free some space", server.log[before:])
            server.kill()
            return
        self.assertEqual(self.found(server), self.kept)

    def test_full_from_the_start(self):
        self.fill_from_outside()
        with open(os.path.join(self.disk, "rest"), "wb") as file:
            try:
                while file.write(bytes(1 << 16)):
                    file.flush()
            except OSError:
                pass
        server = Server(data=self.data)
        self.addCleanup(server.__exit__)
        self.start_on_full_disk(server)
        server.kill()
        self.assertNotIn("Fatal error", server.log)
        self.give_back("large")
        server.start()
        self.assertEqual(self.send(server, count=10).status, 200)


if __name__ == "__main__":
    unittest.main()
