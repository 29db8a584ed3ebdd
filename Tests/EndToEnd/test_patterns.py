"""Patterns changed by a person: one made of two, and one taken apart, for good."""

import json
import unittest

from appliance import Server


class Patterns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.start()

    def ask(self, method, path, value=None):
        return self.server.call(
            method, path, body=None if value is None else json.dumps(value),
            headers={"Content-Type": "application/json"},
        )

    def counts(self):
        page = self.server.get("/api/v1/patterns").json
        self.assertEqual(sum(each["count"] for each in page["patterns"]), page["records"])
        return {each["text"]: (each["id"], each["count"]) for each in page["patterns"]}

    def test_merge_and_split_outlive_a_kill(self):
        disk, volume = "disk <*> of array is full", "volume <*> ran out of space"
        self.server.send([{"message": f"disk {n} of array is full"} for n in range(5)])
        self.server.send([{"message": f"volume {n} ran out of space"} for n in range(7)])
        (old, _), (new, _) = self.counts()[disk], self.counts()[volume]

        merged = self.ask("POST", f"/api/v1/patterns/{old}/merge", {"into": new})
        self.assertEqual((merged.status, merged.json["merged_from"]), (200, [old]), merged.body)
        self.assertEqual(self.counts(), {volume: (new, 12)})
        # Who kept the old number finds what became of it.
        self.assertEqual(len(self.server.query(f"pattern:={old}")), 12)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.counts(), {volume: (new, 12)})

        templates = self.ask("GET", f"/api/v1/patterns/{new}").json["templates"]
        taken = next(each["number"] for each in templates if each["text"].startswith("disk"))
        split = self.ask("POST", f"/api/v1/patterns/{new}/split", {"templates": str(taken)})
        self.assertEqual(split.status, 200, split.body)
        self.server.kill()
        self.server.start()
        self.server.send([{"message": f"disk {n} of array is full"} for n in range(3)])
        counts = self.counts()
        self.assertEqual({text: count for text, (_, count) in counts.items()}, {disk: 8, volume: 7})
        self.assertEqual(counts[volume][0], new)

        for path, value, status in [
            (f"{new}/merge", {"into": new}, 400),
            (f"{new}/merge", {"into": 999}, 404),
            ("999/merge", {"into": new}, 404),
            ("x/merge", {"into": new}, 404),
            (f"{new}/split", {"templates": "one"}, 400),
            (f"{new}/split", {"templates": str(taken)}, 404),
            (f"{new}/split", {"templates": "99"}, 404),
        ]:
            with self.subTest(path=path, value=value):
                self.assertEqual(self.ask("POST", f"/api/v1/patterns/{path}", value).status, status)


if __name__ == "__main__":
    unittest.main()
