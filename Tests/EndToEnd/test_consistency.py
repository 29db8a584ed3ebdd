"""A reader sees every acknowledged record once, while records come in, heads become blocks, and blocks are merged."""

import threading
import time
import unittest

from appliance import Server, eventually

SECONDS = 7  # upkeep comes round every five


class WhileItWorks(unittest.TestCase):
    def test_readers_see_all_that_was_acknowledged(self):
        with Server(arguments=["--head-seconds-max", "1"]) as server:
            # Small blocks to merge from the beginning.
            for part in range(6):
                if part:
                    server.stop()
                    server.start()
                server.send(
                    [{"message": f"early {i} of {part}", "source": "s", "uid": f"early-{part}-{i}"} for i in range(100)]
                )
            self.acknowledged = 600
            self.trouble = []
            lock = threading.Lock()
            end = time.monotonic() + SECONDS

            def write(writer):
                batch = 0
                while time.monotonic() < end and not self.trouble:
                    answer = server.send(
                        [
                            {
                                "message": f"batch {batch} took {i}ms",
                                "source": f"s{writer % 2}",
                                "uid": f"{writer}-{batch}-{i}",
                            }
                            for i in range(50)
                        ]
                    )
                    if answer.status != 200:
                        self.trouble.append(answer.body)
                        return
                    with lock:
                        self.acknowledged += 50
                    batch += 1

            def read(kind):
                last = 0
                while time.monotonic() < end and not self.trouble:
                    before = self.acknowledged
                    if kind == 0:
                        row = server.query("* | stats count() as c, count_uniq(uid) as u")[0]
                        count, unique = int(row["c"]), int(row["u"])
                        if count != unique:
                            self.trouble.append(f"{count} records of {unique} names")
                    elif kind == 1:
                        count = sum(
                            series["total"]
                            for series in server.get("/api/v1/logs/hits", query="*", step="1h").json["hits"]
                        )
                    else:
                        values = server.get("/api/v1/logs/field_values", query="*", field="source").json["values"]
                        count = sum(value["hits"] for value in values)
                    if count < before or count < last:
                        self.trouble.append(f"way {kind}: {count} seen, {before} were acknowledged, {last} seen before")
                    last = count

            threads = [threading.Thread(target=write, args=(i,)) for i in range(2)]
            threads += [threading.Thread(target=read, args=(kind,)) for kind in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual(self.trouble, [])
            total = self.acknowledged
            self.assertEqual(int(server.query("* | stats count() as c")[0]["c"]), total)
            # Patterns follow what was taken in.
            eventually(lambda: server.get("/api/v1/patterns", query="*").json["records"] == total)
            server.stop()
            server.start()
            row = server.query("* | stats count() as c, count_uniq(uid) as u")[0]
            self.assertEqual((int(row["c"]), int(row["u"])), (total, total))

    def test_a_record_is_found_the_moment_it_is_acknowledged(self):
        with Server() as server:
            for i in range(100):
                server.send([{"message": f"now {i}", "uid": f"u{i}"}])
                self.assertEqual(len(server.query(f"uid:=u{i}", limit=1)), 1)


if __name__ == "__main__":
    unittest.main()
