"""Two tenants side by side: nothing of one is ever shown to the other, and nobody gets in without a key."""

import json
import os
import shutil
import tempfile
import unittest

from appliance import ROOT, Follower, Server, eventually, run

CANARY = "zebracanary"
ROUTES = [
    ("GET", "/api/v1/session", None),
    ("POST", "/api/v1/logs/stream", {"message": "x"}),
    ("GET", "/api/v1/logs/query", None),
    ("POST", "/api/v1/logs/query", None),
    ("GET", "/api/v1/logs/hits", None),
    ("GET", "/api/v1/logs/facets", None),
    ("GET", "/api/v1/logs/field_names", None),
    ("GET", "/api/v1/logs/field_values?field=source", None),
    ("GET", "/api/v1/logs/context?id=0000000000000000-0-00000000", None),
    ("GET", "/api/v1/logs/similar?id=0000000000000000-0-00000000", None),
    ("GET", "/api/v1/logs/tail", None),
    ("GET", "/api/v1/logs", None),
    ("POST", "/api/v1/logs/search", {"query": "x"}),
    ("GET", "/api/v1/patterns", None),
    ("GET", "/api/v1/patterns/abc", None),
    ("POST", "/api/v1/patterns/abc/merge", {"into": 1}),
    ("POST", "/api/v1/patterns/abc/split", {"templates": "1"}),
    ("GET", "/api/v1/analyses", None),
    ("POST", "/api/v1/analyses", {}),
    ("GET", "/api/v1/analyses/abc", None),
    ("DELETE", "/api/v1/analyses/abc", None),
    ("GET", "/api/v1/analyses/abc/events", None),
    ("GET", "/api/v1/analyses/abc/report", None),
    ("GET", "/api/v1/analyses/abc/prompt", None),
    ("POST", "/api/v1/analyses/abc/cancel", None),
    ("GET", "/api/v1/anomalies", None),
    ("GET", "/api/v1/incidents", None),
    ("GET", "/api/v1/incidents/abc", None),
    ("POST", "/api/v1/incidents/abc/status", {"status": "muted"}),
    ("GET", "/api/v1/incidents/abc/prompt", None),
    ("POST", "/api/v1/incidents/abc/narrative", None),
    ("GET", "/api/v1/insights/stream", None),
    ("GET", "/api/v1/suppressions", None),
    ("POST", "/api/v1/suppressions", {"end": "2099-01-01T00:00:00Z"}),
    ("DELETE", "/api/v1/suppressions/abc", None),
    ("GET", "/api/v1/feedback", None),
    ("PUT", "/api/v1/feedback", {"workload": "a", "verdict": "none"}),
    (
        "POST",
        "/api/v1/comparisons",
        {"before_start": "now-2h", "before_end": "now-1h", "after_start": "now-1h", "after_end": "now"},
    ),
    ("GET", "/api/v1/settings/reports", None),
    ("PUT", "/api/v1/settings/reports", {"schedule": "off"}),
    ("POST", "/api/v1/settings/reports/test", {}),
    ("GET", "/api/v1/settings/language-model", None),
    ("PUT", "/api/v1/settings/language-model", {}),
    ("DELETE", "/api/v1/settings/language-model", None),
]


class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="timberline-test-")
        cls.addClassCleanup(shutil.rmtree, cls.data, True)
        cls.keys = {name: run("tenant", "add", name, "--data", cls.data).text.strip() for name in ("acme", "birch")}
        cls.server = Server(data=cls.data, dev=False)
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.start()
        cls.server.key = False
        for name, mark in (("acme", CANARY), ("birch", "plain")):
            answer = cls.server.send(
                [
                    {
                        "message": f"{mark} number {i} of {mark}-{i}x",
                        "source": f"{mark}-source",
                        "level": "error",
                        f"{mark}_field": f"{mark}-value",
                        "kubernetes": {"namespace_name": f"{mark}-ns", "pod_name": f"{mark}-pod"},
                    }
                    for i in range(30)
                ],
                key=cls.keys[name],
            )
            assert answer.json["processed_count"] == 30, answer.body

    def get(self, path, who="birch", **parameters):
        return self.server.get(path, key=self.keys[who], **parameters)

    def test_keys(self):
        for key in self.keys.values():
            self.assertRegex(key, r"^tlk_[0-9A-Za-z]{48}$")
        for name, key in self.keys.items():
            session = self.server.get("/api/v1/session", key=key).json
            self.assertEqual((session["mode"], session["tenant"]["id"]), ("key", name))

    def test_each_sees_its_own(self):
        self.assertEqual(len(self.server.query(CANARY, key=self.keys["acme"])), 30)
        self.assertEqual(len(self.server.query("plain", key=self.keys["birch"])), 30)
        self.assertEqual(len(self.server.query("*", key=self.keys["birch"])), 30)

    def test_the_other_sees_nothing(self):
        """Every route that reads, with every way to name the canary, answers without it."""
        acme = self.server.query(CANARY, key=self.keys["acme"])[0]
        # Until both indexes know their records.
        for name in self.keys:
            eventually(lambda: self.get("/api/v1/patterns", who=name).json["patterns"])
            eventually(lambda: self.server.post("/api/v1/logs/search", {"query": "number"}, key=self.keys[name]).json)
        analysis = self.server.post("/api/v1/analyses", {"min_cluster_size": 1}, key=self.keys["acme"]).json["id"]
        done = lambda: self.get(f"/api/v1/analyses/{analysis}", who="acme").json["status"] == "completed"
        eventually(done)
        self.assertIn(CANARY, json.dumps(self.get(f"/api/v1/analyses/{analysis}", who="acme").json))

        queries = [
            "*",
            CANARY,
            f"*{CANARY}*",
            f'{{source="{CANARY}-source"}}',
            f"source:={CANARY}-source",
            f"{CANARY}_field:*",
            f'~"{CANARY}"',
            f"_stream_id:{acme['_stream_id']}",
            f"_id:={acme['_id']}",
            "not plain",
            f'similar("{CANARY} number")',
        ]
        for query in queries:
            for path, parameters in [
                ("/api/v1/logs/query", {}),
                ("/api/v1/logs/query", {"limit": 100}),
                ("/api/v1/logs/hits", {"field": "source"}),
                ("/api/v1/logs/facets", {}),
                ("/api/v1/logs/field_names", {}),
                ("/api/v1/logs/field_values", {"field": "source"}),
                ("/api/v1/logs/field_values", {"field": f"{CANARY}_field"}),
                ("/api/v1/patterns", {}),
            ]:
                with self.subTest(query=query, path=path):
                    answer = self.get(path, query=query, **parameters)
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertNotIn(CANARY.encode(), answer.body.lower())
        for path, parameters in [
            ("/api/v1/logs", {}),
            ("/api/v1/logs", {"namespace": f"{CANARY}-ns"}),
            ("/api/v1/logs", {"pod_name": f"{CANARY}-pod"}),
            ("/api/v1/analyses", {}),
            ("/api/v1/session", {}),
        ]:
            answer = self.get(path, **parameters)
            self.assertEqual(answer.status, 200)
            self.assertNotIn(CANARY.encode(), answer.body.lower())
        for body in ({"query": f"{CANARY} number", "limit": 100}, {"query": "number", "namespace": f"{CANARY}-ns"}):
            answer = self.server.post("/api/v1/logs/search", body, key=self.keys["birch"])
            self.assertEqual(answer.status, 200)
            self.assertNotIn(CANARY.encode(), answer.body.lower())

        # Names of single things: as if they were not there.
        answer = self.get("/api/v1/logs/context", id=acme["_id"])
        self.assertEqual(answer.status, 404)
        self.assertEqual(self.get(f"/api/v1/analyses/{analysis}").status, 404)
        self.assertEqual(self.server.call("DELETE", f"/api/v1/analyses/{analysis}", key=self.keys["birch"]).status, 404)
        self.assertTrue(done())

        own = self.server.post("/api/v1/analyses", {"min_cluster_size": 1}, key=self.keys["birch"]).json["id"]
        document = eventually(
            lambda: (lambda d: d if d["status"] == "completed" else None)(self.get(f"/api/v1/analyses/{own}").json)
        )
        self.assertNotIn(CANARY, json.dumps(document))
        self.assertEqual(document["record_count"], len(self.server.query("*", key=self.keys["birch"])))

    def test_tail(self):
        follower = Follower(self.server, key=self.keys["birch"])
        self.addCleanup(follower.close)
        self.server.send([{"message": f"{CANARY} live", "source": "live"}], key=self.keys["acme"])
        self.server.send([{"message": "plain live", "source": "live"}], key=self.keys["birch"])
        follower.read_until(b"plain live")
        self.assertNotIn(CANARY.encode(), follower.received)

    def test_only_keys_open_the_door(self):
        key = self.keys["acme"]
        wrong_secret = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]
        headers = [
            None,
            "Bearer",
            "Bearer ",
            key,
            f"Basic {key}",
            f"Token {key}",
            "Bearer tlk_",
            f"Bearer {wrong_secret}",
            f"Bearer {key}x",
            f"Bearer {key[:-1]}",
            f"Bearer {key} {key}",
            f"Bearer tlk_{'a' * 48}",
            f"Bearer {'x' * 5000}",
            "Bearer " + key.upper(),
            "Bearer \tnull",
        ]
        for method, path, body in ROUTES:
            for header in headers if path.endswith("/query") else headers[:1] + headers[7:8]:
                with self.subTest(method=method, path=path, header=header):
                    sent = {"Content-Type": "application/json"}
                    if header is not None:
                        sent["Authorization"] = header
                    answer = self.server.call(
                        method, path, body=None if body is None else json.dumps(body), headers=sent, key=False
                    )
                    self.assertEqual(answer.status, 401, answer.body[:200])
                    self.assertIn("Bearer", answer.headers["www-authenticate"])
                    self.assertEqual(answer.headers["content-type"], "application/problem+json")
                    self.assertEqual(answer.json["status"], 401)
                    self.assertNotIn(key[10:].encode(), answer.body)

    def test_the_scheme_in_any_case(self):
        for scheme in ("bearer", "BEARER"):
            answer = self.server.call(
                "GET", "/api/v1/session", headers={"Authorization": f"{scheme} {self.keys['acme']}"}, key=False
            )
            self.assertEqual(answer.status, 200)

    def test_open_to_everybody(self):
        for path in (
            "/health",
            "/api/v1/health",
            "/api/v1/healthz",
            "/api/v1/ready",
            "/metrics",
            "/api/v1/openapi.json",
            "/",
        ):
            answer = self.server.get(path, key=False)
            self.assertEqual(answer.status, 200, path)
            self.assertNotIn(CANARY.encode(), answer.body)
            self.assertNotIn(b"acme", answer.body, path)

    def test_every_tenant_route_is_asked_here(self):
        document = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
        described = set()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "post", "delete", "put", "patch") and operation.get("security") != []:
                    described.add((method.upper(), path))
        asked = {(method, path.split("?")[0].replace("/abc", "/{id}")) for method, path, _ in ROUTES}
        self.assertEqual(described, asked)

    def test_files_are_apart_and_private(self):
        for name in self.keys:
            path = f"{self.data}/tenants/{name}/tenant.sqlite"
            self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
        self.assertEqual(os.stat(self.data).st_mode & 0o077, 0)
        for file in (f"{self.data}/tenants/birch/tenant.sqlite", f"{self.data}/tenants/birch/tenant.sqlite-wal"):
            if os.path.exists(file):
                with open(file, "rb") as content:
                    self.assertNotIn(CANARY.encode(), content.read())


if __name__ == "__main__":
    unittest.main()
