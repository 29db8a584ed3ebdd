"""The calls that scripts of Timberline's predecessor make keep working."""

import time
import unittest

from appliance import ServerCase, eventually

NOW = int(time.time())
MEMBERS = {"id", "timestamp", "namespace", "pod_name", "container_name", "log", "severity", "node_name", "labels"}


def shipped(index, pod, namespace, text, level="info"):
    return {
        "date": NOW - 600 + index,
        "log": text + "\n",
        "stream": "stdout",
        "level": level,
        "kubernetes": {
            "namespace_name": namespace,
            "pod_name": pod,
            "container_name": "main",
            "host": "node-7",
            "labels": {"app": pod.split("-")[0], "tier": "back"},
        },
    }


class Predecessor(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        records = [shipped(i, f"cart-{i % 2}", "shop", f"served cart {i * 7919} in {i}ms") for i in range(40)]
        records += [
            shipped(100 + i, "db-0", "data", f"could not write to disk: no space left on device /var/lib/{i}", "error")
            for i in range(12)
        ]
        records += [
            shipped(200 + i, "login-0", "shop", f"password of user u{i} was not accepted", "warn") for i in range(8)
        ]
        answer = cls.server.send(records)
        assert answer.json["processed_count"] == 60, answer.body

    def test_list(self):
        answer = self.server.get("/api/v1/logs")
        self.assertEqual(answer.status, 200)
        rows = answer.json
        self.assertEqual(len(rows), 60)
        for row in rows:
            self.assertLessEqual(MEMBERS, set(row))
        newest = rows[0]
        self.assertEqual(newest["log"], "password of user u7 was not accepted")
        self.assertEqual(newest["timestamp"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 600 + 207)))
        self.assertEqual(
            (newest["namespace"], newest["pod_name"], newest["container_name"]), ("shop", "login-0", "main")
        )
        self.assertEqual((newest["node_name"], newest["severity"]), ("node-7", "warning"))
        self.assertEqual(newest["labels"], {"app": "login", "tier": "back"})
        self.assertEqual([row["timestamp"] for row in rows], sorted((row["timestamp"] for row in rows), reverse=True))

    def test_list_narrowed(self):
        self.assertEqual(len(self.server.get("/api/v1/logs", namespace="data").json), 12)
        self.assertEqual(len(self.server.get("/api/v1/logs", namespace="shop", pod_name="cart-0").json), 20)
        self.assertEqual(len(self.server.get("/api/v1/logs", namespace="none").json), 0)
        self.assertEqual(len(self.server.get("/api/v1/logs", limit=7).json), 7)
        iso = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        self.assertEqual(
            len(self.server.get("/api/v1/logs", start_time=iso(NOW - 500), end_time=iso(NOW - 450)).json), 12
        )
        self.assertEqual(len(self.server.get("/api/v1/logs", namespace='shop" or "data').json), 0)
        for parameters in [{"limit": "0"}, {"limit": "x"}, {"start_time": "soon"}]:
            self.problem(self.server.get("/api/v1/logs", **parameters), 400)

    def search(self, **body):
        answer = self.server.post("/api/v1/logs/search", body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_search_by_meaning(self):
        rows = eventually(lambda: self.search(query="disk is full", limit=5))
        rows = eventually(
            lambda: [row for row in self.search(query="disk is full", limit=5) if "no space left" in row["log"]]
        )
        row = rows[0]
        self.assertLessEqual(MEMBERS | {"score", "duplicate_count"}, set(row))
        self.assertEqual(row["duplicate_count"], 12)
        self.assertEqual(row["namespace"], "data")
        self.assertTrue(0 < row["score"] <= 1)

    def test_search_finds_the_word_itself(self):
        rows = eventually(lambda: self.search(query="password", limit=3))
        self.assertIn("password", rows[0]["log"])
        self.assertIn(rows[0]["match"], ("word", "both"))
        self.assertEqual(rows[0]["duplicate_count"], 8)

    def test_search_narrowed(self):
        eventually(lambda: self.search(query="password"))
        for row in self.search(query="disk password cart", namespace="shop", limit=20):
            self.assertEqual(row["namespace"], "shop")
        self.assertLessEqual(len(self.search(query="served cart", limit=1)), 1)
        scores = [row["score"] for row in self.search(query="user could not sign in", limit=10)]
        self.assertTrue(all(0 <= score <= 1 for score in scores), scores)

    def test_search_with_bad_bodies(self):
        for body in [
            {},
            {"query": ""},
            {"query": "  "},
            {"query": 7},
            {"query": "x", "limit": 0},
            {"query": "x", "limit": "many"},
            [1],
            "text",
        ]:
            with self.subTest(body):
                self.problem(self.server.post("/api/v1/logs/search", body), 400)
        answer = self.server.call(
            "POST", "/api/v1/logs/search", body=b"{not json", headers={"Content-Type": "application/json"}
        )
        self.problem(answer, 400)

    def run_analysis(self, **body):
        answer = self.server.post("/api/v1/analyses", body)
        self.assertEqual(answer.status, 201, answer.body)
        created = answer.json
        self.assertIn(created["status"], ("pending", "running", "completed"))
        path = f"/api/v1/analyses/{created['id']}"
        return eventually(
            lambda: (lambda d: d if d["status"] in ("completed", "failed") else None)(self.server.get(path).json), 60
        )

    def test_analysis_from_start_to_end(self):
        document = self.run_analysis(namespace=None, time_range_hours=24, min_cluster_size=2)
        self.assertEqual(document["status"], "completed", document)
        self.assertIsNone(document["error"])
        self.assertEqual(document["record_count"], 60)
        self.assertGreaterEqual(document["cluster_count"], 2)
        self.assertEqual(document["cluster_count"], len(document["clusters"]))
        self.assertTrue(0 < document["severity_score"] <= 10)
        self.assertTrue(document["summary"])
        for cluster in document["clusters"]:
            self.assertLessEqual({"cluster_id", "label", "size", "sample_logs", "severity"}, set(cluster))
            self.assertGreaterEqual(cluster["size"], 2)
            self.assertTrue(cluster["sample_logs"])
        disk = [
            cluster for cluster in document["clusters"] if any("no space left" in log for log in cluster["sample_logs"])
        ]
        self.assertEqual(disk[0]["size"], 12)

        listed = self.server.get("/api/v1/analyses").json
        self.assertIn(document["id"], [entry["id"] for entry in listed])
        stamps = [entry["created_at"] for entry in listed]
        self.assertEqual(stamps, sorted(stamps, reverse=True))

        path = f"/api/v1/analyses/{document['id']}"
        answer = self.server.call("DELETE", path)
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertTrue(self.problem(self.server.get(path), 404)["detail"])
        self.problem(self.server.call("DELETE", path), 404)

    def test_analysis_of_one_namespace(self):
        document = self.run_analysis(namespace="data", time_range_hours=1, min_cluster_size=1)
        self.assertEqual(
            (document["status"], document["record_count"], document["namespace"]), ("completed", 12, "data")
        )

    def test_analysis_of_nothing(self):
        document = self.run_analysis(namespace="none", time_range_hours=1)
        self.assertEqual((document["status"], document["cluster_count"], document["clusters"]), ("completed", 0, []))
        self.assertEqual(document["severity_score"], 0)

    def test_analyses_survive_a_restart(self):
        document = self.run_analysis(namespace="shop", time_range_hours=2)
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.get(f"/api/v1/analyses/{document['id']}").json, document)

    def test_bounds_of_an_analysis(self):
        for body in [
            {"time_range_hours": 0},
            {"time_range_hours": 169},
            {"time_range_hours": -1},
            {"time_range_hours": 1.5},
            {"time_range_hours": "24"},
            {"min_cluster_size": 0},
            {"min_cluster_size": 101},
            {"namespace": 7},
            {"namespace": ["a"]},
            {"start": "whenever"},
            {"start": "now", "end": "now-1h"},
            ["not", "an", "object"],
        ]:
            with self.subTest(body):
                self.assertTrue(self.problem(self.server.post("/api/v1/analyses", body), 400)["detail"])
        for hours in (1, 168):
            self.assertEqual(
                self.server.post("/api/v1/analyses", {"time_range_hours": hours, "min_cluster_size": 100}).status, 201
            )

    def test_unknown_analysis(self):
        for name in ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "nothing", "a%20b", "..", "%00", "x" * 500):
            with self.subTest(name):
                answer = self.server.get(f"/api/v1/analyses/{name}")
                if name == "..":
                    self.assertIn(answer.status, (200, 301, 404))
                else:
                    self.assertIn("detail", self.problem(answer, 404))


if __name__ == "__main__":
    unittest.main()
