"""The crash harness: a real server, several writers, kill -9 at random moments, restart, and a look at what is there.

Promised: every acknowledged record is there exactly once; a request that got no answer is there whole or not at all;
and the vector index, saved bit by bit beside the records, finds what was acknowledged by its meaning.

TIMBERLINE_CRASH_CYCLES says how often (default 6), TIMBERLINE_CRASH_SEED repeats a run's moments. A failure names its
seed.
"""

import collections
import http.client
import json
import os
import random
import re
import shutil
import tempfile
import threading
import time
import unittest

from appliance import Server, run

CYCLES = int(os.environ.get("TIMBERLINE_CRASH_CYCLES", "6"))
SEED = int(os.environ.get("TIMBERLINE_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
WRITERS = 4


# Of which sentences are made that are patterns of their own.
WORDS = """database connection payment session certificate volume cache queue worker scheduler replica leader snapshot
backup token account order message broker partition gateway socket transaction buffer page secret policy quota probe
refused failed expired restarted exceeded dropped lost recovered rejected created deleted renewed rotated evicted promoted
cancelled blocked denied mounted corrupted verified paused permission maintenance shutdown upgrade overload encryption""".split()


def words(text):
    return set(re.findall(r"\w+", text))


class Writer(threading.Thread):
    """Sends batches of records with names of their own until the server is gone."""

    def __init__(self, server, cycle, number):
        super().__init__(daemon=True)
        self.address = (server.host, server.port)
        self.cycle, self.number = cycle, number
        self.random = random.Random(f"{SEED}-{cycle}-{number}")
        self.sizes = {}
        self.sentences = {}
        self.acknowledged = set()
        self.failure = None

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        batch = 0
        try:
            while True:
                size = self.random.choice([1, 2, 7, 50, 200, 1000])
                name = f"{self.number}.{batch}"
                body = "".join(self.record(name, index) for index in range(size)).encode()
                self.sizes[name] = size
                self.sentences[name] = json.loads(body.split(b"\n", 1)[0])["message"]
                batch += 1
                try:
                    connection.request("POST", "/api/v1/logs/stream", body, {"Content-Type": "application/x-ndjson"})
                    response = connection.getresponse()
                    answer = response.read()
                except (OSError, http.client.HTTPException):
                    return
                if response.status == 200 and json.loads(answer)["processed_count"] == size:
                    self.acknowledged.add(name)
                elif response.status != 503:
                    self.failure = f"{response.status} {answer[:300]!r}"
                    return
        finally:
            connection.close()

    def record(self, name, index):
        shape = 4 if index == 0 else self.random.randrange(4)
        message = [
            f"request {self.random.randrange(10**6)} of 10.0.{self.random.randrange(256)}.7 took "
            f"{self.random.randrange(5000)}ms",
            f"wrote {self.random.getrandbits(64):016x} to /var/lib/{self.random.randrange(99)}",
            "heartbeat",
            f"user {self.random.choice(['ann', 'bob', 'eve'])} signed in",
            self.random.choice([" ", ", ", ": ", " - "]).join(self.random.sample(WORDS, self.random.randrange(5, 10))),
        ][shape]
        return (
            json.dumps(
                {
                    "timestamp": int(time.time() * 1000),
                    "message": message,
                    "source": f"writer-{self.number}",
                    "cycle": self.cycle,
                    "uid": f"{name}.{index}",
                    "filler": "x" * self.random.randrange(40),
                }
            )
            + "\n"
        )


class Crash(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="timberline-crash-")
        self.addCleanup(shutil.rmtree, self.data, True)
        # Heads become blocks early, so that kills hit flushes and merges as well.
        self.server = Server(data=self.data, arguments=["--head-seconds-max", "1"])
        self.addCleanup(self.server.__exit__)
        self.random = random.Random(SEED)
        # Records of each cycle after its crash, which no later crash may change.
        self.settled = {}
        # Some of what was acknowledged, over all cycles.
        self.sentences = []

    def test_kill_at_any_moment(self):
        for cycle in range(CYCLES):
            self.server.start()
            self.look_back()
            writers = [Writer(self.server, cycle, number) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            self.end(cycle)
            for writer in writers:
                writer.join(60)
                self.assertIsNone(writer.failure, f"seed {SEED}, cycle {cycle}")
            if self.random.random() < 0.3:
                self.kill_while_starting()
            self.server.start()
            self.check(cycle, writers)
            self.server.kill()
        # From a killed folder, and once more after a good end.
        self.verify()
        self.server.start()
        self.look_back()
        code, _ = self.server.stop()
        self.assertEqual(code, 0)
        self.verify()
        self.server.start()
        self.look_back()
        self.look_for_meaning(self.sentences)
        page = self.server.get("/api/v1/patterns", query="*").json
        self.assertEqual(page["records"], sum(self.settled.values()), f"seed {SEED}")

    def end(self, cycle):
        """The moment of the kill: soon, in the middle of upkeep, or in the middle of a good end."""
        kind = cycle % 3
        if kind == 0:
            time.sleep(self.random.uniform(0.05, 1.5))
        elif kind == 1:
            # Upkeep comes round every five seconds.
            time.sleep(self.random.uniform(4.9, 5.6))
        else:
            time.sleep(self.random.uniform(0.3, 1.2))
            self.server.process.terminate()
            time.sleep(self.random.uniform(0, 0.25))
        self.server.kill()

    def kill_while_starting(self):
        for _ in range(self.random.randrange(1, 4)):
            self.server.launch()
            time.sleep(self.random.uniform(0, 0.4))
            self.server.kill()

    def check(self, cycle, writers):
        found = collections.Counter(row["uid"] for row in self.server.query(f"cycle:={cycle} | fields uid"))
        twice = [uid for uid, count in found.items() if count > 1]
        self.assertEqual(twice[:5], [], f"seed {SEED}, cycle {cycle}: records came twice")
        batches = collections.Counter(uid.rsplit(".", 1)[0] for uid in found)
        acknowledged = 0
        for writer in writers:
            for name, size in writer.sizes.items():
                if name in writer.acknowledged:
                    self.assertEqual(
                        batches[name], size, f"seed {SEED}, cycle {cycle}: acknowledged batch {name} is not whole"
                    )
                    acknowledged += size
                else:
                    self.assertIn(
                        batches[name], (0, size), f"seed {SEED}, cycle {cycle}: batch {name} is there in part"
                    )
        self.assertGreater(acknowledged, 0, "nothing was acknowledged")
        known = {name for writer in writers for name in writer.sizes}
        self.assertLessEqual(set(batches), known)
        self.settled[cycle] = len(found)
        acknowledged = [writer.sentences[name] for writer in writers for name in sorted(writer.acknowledged)]
        self.sentences += self.random.sample(acknowledged, min(5, len(acknowledged)))
        self.look_for_meaning(self.sentences[-5:])

    def look_for_meaning(self, sentences):
        for sentence in sentences:
            hits = self.server.post("/api/v1/logs/search", {"query": sentence, "limit": 5}).json
            exact = [hit["pattern"] for hit in hits if hit["word_rank"] and words(hit["log"]) >= words(sentence)]
            self.assertTrue(exact, f"seed {SEED}: {sentence!r}: {hits[:3]}")
            text = self.server.get("/api/v1/patterns", query=f"pattern:={exact[0]}").json["patterns"][0]["text"]
            near = self.server.post("/api/v1/logs/search", {"query": text.replace("<*>", ""), "limit": 20}).json
            found = [hit["pattern"] for hit in near if hit["meaning_rank"]]
            self.assertIn(exact[0], found, f"seed {SEED}: {text!r}: {near[:3]}")

    def look_back(self):
        """No crash changes what an earlier one left."""
        rows = self.server.query("* | stats by (cycle) count() as records")
        self.assertEqual({int(row["cycle"]): int(row["records"]) for row in rows}, self.settled, f"seed {SEED}")

    def verify(self):
        result = run("verify", "--data", self.data, check=False)
        self.assertEqual(result.returncode, 0, f"seed {SEED}\n{result.text}{result.complaint}")
        self.assertIn(f"{sum(self.settled.values())} records", result.text)


if __name__ == "__main__":
    unittest.main()
