"""A disk that fills up: 507 with a clear message, reads go on, nothing is lost, and space brings ingest back."""

import os
import random
import subprocess
import tempfile
import unittest

from appliance import Server, eventually, run

SIZE = 24 << 20
BALLAST = 8 << 20


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
        self.ballast = os.path.join(self.disk, "ballast")
        with open(self.ballast, "wb") as file:
            file.write(bytes(BALLAST))
        self.random = random.Random(7)
        self.sent = 0
        self.kept = set()

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

    def run_full(self, arguments=(), crashes=False):
        server = Server(data=self.data, arguments=arguments)
        try:
            server.start()
            self.check_refusal(self.fill(server))
            self.assertGreater(len(self.kept), 1000)
            # Reads go on; writes go on being refused, and stay clear about it.
            self.assertEqual(self.found(server), self.kept)
            for _ in range(5):
                answer = self.send(server)
                if answer.status != 200:
                    self.check_refusal(answer)
            self.assertEqual(self.found(server), self.kept)
            self.assertEqual(server.get("/api/v1/healthz").status, 200)
            self.assertEqual(server.get("/health").status, 503)
            self.assertEqual(len(server.get("/api/v1/logs/hits", query="fill", step="1h").json["hits"]), 1)

            if crashes:
                # A crash on the full disk. A start on it serves what is there, or says what is the matter.
                server.kill()
                self.start_on_full_disk(server)
                os.unlink(self.ballast)
                if not server.is_running:
                    server.start()
            else:
                # Space comes back: so does ingest, in the same process.
                os.unlink(self.ballast)
            eventually(lambda: self.send(server, count=10).status == 200)
            self.assertEqual(self.found(server), self.kept)
            self.check_end(server)
        finally:
            server.__exit__()

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

    def check_end(self, server):
        code, _ = server.stop()
        self.assertEqual(code, 0)
        server.start()
        self.assertEqual(self.found(server), self.kept)
        server.stop()
        result = run("verify", "--data", self.data, check=False)
        self.assertEqual(result.returncode, 0, result.text + result.complaint)

    def test_full_and_back(self):
        self.run_full()

    def test_full_while_heads_become_blocks(self):
        self.run_full(["--head-seconds-max", "1"])

    def test_crash_on_the_full_disk(self):
        self.run_full(crashes=True)

    def test_full_from_the_start(self):
        with open(os.path.join(self.disk, "rest"), "wb") as file:
            try:
                while file.write(bytes(1 << 16)):
                    file.flush()
            except OSError:
                pass
        server = Server(data=self.data)
        try:
            self.start_on_full_disk(server)
            server.kill()
            self.assertNotIn("Fatal error", server.log)
            os.unlink(self.ballast)
            server.start()
            self.assertEqual(self.send(server, count=10).status, 200)
        finally:
            server.__exit__()


if __name__ == "__main__":
    unittest.main()
