"""One byte changed anywhere in a tenant's file: no crash, no wrong answer, and what is left answers.

TIMBERLINE_DAMAGE_FLIPS says how many places are tried (default 30), TIMBERLINE_DAMAGE_SEED repeats a run; a failure
names its seed.
"""

import http.client
import os
import random
import shutil
import tempfile
import time
import unittest

from appliance import Server, run

FLIPS = int(os.environ.get("TIMBERLINE_DAMAGE_FLIPS", "30"))
SEED = int(os.environ.get("TIMBERLINE_DAMAGE_SEED", random.SystemRandom().randrange(1 << 32)))


def last_commit(path):
    """Where the last commit of a log begins (sqlite.org/fileformat2.html, section 4)."""
    with open(path, "rb") as file:
        log = file.read()
    size = 24 + int.from_bytes(log[8:12], "big")
    ends = [32]
    for start in range(32, len(log) - size + 1, size):
        if log[start + 8:start + 16] != log[16:24]:
            break
        if any(log[start + 4:start + 8]):
            ends.append(start + size)
    return ends[-2] if len(ends) > 1 else 0


class Damage(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="timberline-damage-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.sound = os.path.join(self.home, "sound")
        now = int(time.time())
        with Server(data=self.sound) as server:
            for part in range(3):
                if part:
                    server.start()
                source = random.Random(part)
                server.send(
                    [
                        {
                            "timestamp": now - 3000 + i,
                            "message": f"part {part} served {source.randrange(10**6)} in {source.randrange(999)}ms",
                            "source": f"s{part}",
                            "level": source.choice(["info", "error"]),
                            "uid": f"{part}-{i}",
                            "token": f"{source.getrandbits(64):x}",
                        }
                        for i in range(1500)
                    ]
                )
                if part < 2:
                    server.stop()
            self.rows = {row["uid"]: row for row in server.query("*")}
            self.assertEqual(len(self.rows), 4500)
            # The last part stays in segments.
            server.kill()

    def test_a_byte_anywhere(self):
        source = random.Random(SEED)
        damaged = os.path.join(self.home, "damaged")
        silent = 0
        for flip in range(FLIPS):
            shutil.rmtree(damaged, ignore_errors=True)
            shutil.copytree(self.sound, damaged)
            folder = os.path.join(damaged, "tenants", "default")
            # The file, or the log beside it.
            sizes = {
                name: os.path.getsize(os.path.join(folder, name))
                for name in os.listdir(folder)
                if not name.endswith("-shm")
            }
            name = source.choices(list(sizes), weights=sizes.values())[0]
            place = source.randrange(sizes[name])
            with open(os.path.join(folder, name), "r+b") as file:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ (1 << source.randrange(8))]))
            with self.subTest(seed=SEED, flip=flip, file=name, place=place):
                # What is lost of a log's last commit is not to be told from what never was.
                is_last = name.endswith("-wal") and place >= last_commit(os.path.join(self.sound, "tenants", "default", name))
                silent += self.look(damaged, must_be_noticed=not is_last)
        print(f"\n{FLIPS} places: {silent} where nothing was amiss", end=" ")

    def ask(self, server, text):
        """Where a request meets damage that nobody knew of, the next one is answered from the rest."""
        answer = None
        try:
            answer = server.get("/api/v1/logs/query", query=text)
        except http.client.IncompleteRead:
            pass  # met after the first rows were on their way
        self.assertTrue(server.is_running, server.log[-3000:])
        return answer if answer and answer.status == 200 else server.get("/api/v1/logs/query", query=text)

    def look(self, folder, must_be_noticed):
        """Whether all was there after all."""
        with Server(data=folder) as server:
            whole = True
            for text in ("*", '"part 1"', "level:error", "token:*"):
                answer = self.ask(server, text)
                if answer.status != 200:
                    self.assertEqual(answer.json["type"], "/problems/damaged-data", answer.body)
                    whole = False
                    continue
                lines = answer.lines
                uids = [row["uid"] for row in lines]
                self.assertEqual(len(uids), len(set(uids)), "records came twice")
                for row in lines:
                    self.assertEqual(row, self.rows[row["uid"]], "a record was changed")
                if text == "*":
                    whole = len(lines) == len(self.rows)
            for path in ("hits", "facets", "field_names"):
                self.assertIn(server.get(f"/api/v1/logs/{path}", query="*").status, (200, 500))
            self.assertIn(server.get("/api/v1/patterns", query="*").status, (200, 500))
            self.assertTrue(server.is_running, server.log[-3000:])
            code, _ = server.stop()
            self.assertEqual(code, 0, server.log[-3000:])
        result = run("verify", "--data", folder, check=False)
        self.assertIn(result.returncode, (0, 1), result.complaint[-3000:])
        if must_be_noticed and not whole:
            self.assertEqual(result.returncode, 1, "records are missing and nothing says so\n" + result.text)
        return whole


if __name__ == "__main__":
    unittest.main()
