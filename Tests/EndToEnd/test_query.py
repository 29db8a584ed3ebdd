"""Queries whose answers are known. Everything is asked of the head, of blocks, and of merged blocks."""

import json
import time
import unittest
import urllib.parse

from appliance import Follower, Server, ServerCase, eventually

BASE = int(time.time()) // 3600 * 3600 - 7200
STEP = 10
WINDOW = {"start": str(BASE), "end": str(BASE + 1000)}


def kubernetes(pod, container="api", namespace="shop", host="node-1"):
    return {
        "stream": "stdout",
        "kubernetes": {
            "namespace_name": namespace,
            "pod_name": pod,
            "container_name": container,
            "host": host,
            "labels": {"app": container},
        },
    }


RECORDS = [
    {**kubernetes("api-0"), "log": "Connection to 10.0.3.17:5432 timed out after 3000ms", "level": "error"},
    {**kubernetes("api-1"), "log": "connection refused by upstream payments", "level": "warn"},
    {**kubernetes("api-0"), "log": "user ann signed in from 192.168.1.10", "level": "info"},
    {
        **kubernetes("worker-0", "worker", "jobs", "node-2"),
        "log": "Error: disk quota exceeded for user bob",
        "level": "error",
    },
    {
        "message": "signed in",
        "source": "auth",
        "level": "info",
        "metadata": {"user": "ann", "took": "150ms", "size": "12KiB", "ip": "10.1.2.3", "code": 200, "score": 1.5},
    },
    {
        "message": "sign in failed",
        "source": "auth",
        "level": "warn",
        "metadata": {"user": "bob", "took": "1.5s", "size": "3MiB", "ip": "10.1.9.9", "code": 401, "score": -2},
    },
    {"message": '{"order":"A-17","total":99.5,"paid":true}', "source": "billing", "kind": "json"},
    {"message": 'order=A-18 total=12 status="not paid"', "source": "billing", "kind": "logfmt"},
    {"source": "billing", "note": "only fields"},
    {"message": "größe überschritten — 日本語 テスト", "source": "intl", "kind": "wide"},
    {
        "message": "GET /api/v1/users/42?x=1 HTTP/1.1 200 17ms",
        "source": "web",
        "path": "/api/v1/users/42",
        "status": 200,
    },
    {
        "message": "GET /api/v1/users/43?x=1 HTTP/1.1 500 1700ms",
        "source": "web",
        "path": "/api/v1/users/43",
        "status": 500,
    },
    {"message": "POST /api/v1/orders HTTP/1.1 201 45ms", "source": "web", "path": "/api/v1/orders", "status": 201},
    {"message": "retry 1 of 3 failed: socket closed", "source": "queue", "level": "debug", "a": "same", "b": "same"},
    {"message": "retry 2 of 3 failed: socket closed", "source": "queue", "level": "debug", "a": "left", "b": "right"},
    {"message": "job 7f3a9c12-0b4e-4f6a-9d2b-1c2d3e4f5a6b finished in 12.5s", "source": "queue", "level": "info"},
]
for index, record in enumerate(RECORDS):
    record["timestamp" if "message" in record or "note" in record else "date"] = BASE + index * STEP
    record["n"] = index

# Query → which records.
FILTERS = [
    # Words, phrases, prefixes, substrings
    ("*", set(range(16))),
    ("", set(range(16))),
    ("signed", {2, 4}),
    ("Signed", set()),
    ('"signed in"', {2, 4}),
    ('"sign in"', {5}),
    ("sign", {5}),
    ("sign*", {2, 4, 5}),
    ("conn*", {1}),
    ("Conn*", {0}),
    ("*onnectio*", {0, 1}),
    ("3000ms", {0}),
    ("3000", set()),
    ('"10.0.3.17"', {0}),
    ('"10.0.3.17:5432"', {0}),
    ('"timed out"*', {0}),
    ("überschritten", {9}),
    ('"日本語"', {9}),
    ("日本語", {9}),
    ("größe", {9}),
    ('"7f3a9c12-0b4e-4f6a-9d2b-1c2d3e4f5a6b"', {15}),
    ("7f3a9c12", {15}),
    ("*3a9c*", {15}),
    ("12.5s", {15}),
    ('"/api/v1/users/42"', {10}),
    ("*users/4*", {10, 11}),
    # Exact and multi-exact
    ('="signed in"', {4}),
    ('="signed"', set()),
    ('="sign"*', {4, 5}),
    ("metadata.user:=ann", {4}),
    ("metadata.user:=an", set()),
    ("source:in(auth, web)", {4, 5, 10, 11, 12}),
    ('_msg:in("signed in", "sign in failed")', {4, 5}),
    ("source:in()", set()),
    # Regular expressions
    ('~"conn.*(refused|timed)"', {1}),
    ('~"(?i)conn.*(refused|timed)"', {0, 1}),
    ('~"^sign"', {4, 5}),
    ('~"[0-9]+ms$"', {0, 10, 11, 12}),
    ('path:~"users/4[0-9]$"', {10, 11}),
    # Without case
    ("i(CONNECTION)", {0, 1}),
    ('i("Signed IN")', {2, 4}),
    ("i(conn*)", {0, 1}),
    ("i(GRÖSSE)", set()),
    ("i(GRÖßE)", {9}),
    # Sequences, sets
    ('seq("retry", "closed")', {13, 14}),
    ('seq("closed", "retry")', set()),
    ("contains_all(user, ann)", {2}),
    ("contains_any(ann, bob)", {2, 3}),
    ("metadata.user:contains_any(ann, bob)", {4, 5}),
    # Numbers, durations, sizes, addresses
    ("status:>200", {11, 12}),
    ("status:>=200", {10, 11, 12}),
    ("status:<=201", {10, 12}),
    ("status:range[200, 201]", {10, 12}),
    ("status:range(200, 500)", {12}),
    ("status:range(200, 500]", {11, 12}),
    ("metadata.took:>1s", {5}),
    ("metadata.took:<200ms", {4}),
    ("metadata.size:>1MiB", {5}),
    ("metadata.size:<20KiB", {4}),
    ("metadata.score:<0", {5}),
    ("metadata.score:range[1.2, 2]", {4}),
    ("metadata.ip:ipv4_range(10.1.0.0/16)", {4, 5}),
    ("metadata.ip:ipv4_range(10.1.2.0, 10.1.2.255)", {4}),
    ("metadata.ip:ipv4_range(10.1.9.9)", {5}),
    # Lengths, strings
    ("_msg:len_range(0, 0)", {8}),
    ("_msg:len_range(9, 14)", {4, 5}),
    ("_msg:len_range(29, 29)", {9}),
    ("source:string_range(a, c)", {4, 5, 6, 7, 8}),
    ("metadata.user:>ann", {5}),
    # Empty and any value
    ('_msg:""', {8}),
    ("note:*", {8}),
    ('kind:"" source:billing', {8}),
    ("metadata.user:*", {4, 5}),
    ('source:"" pod:*', {0, 1, 2, 3}),
    # Fields with each other
    ("a:eq_field(b)", {13} | set(range(13)) | {15}),
    ("a:* a:eq_field(b)", {13}),
    ("a:lt_field(b)", {14}),
    ("a:* a:le_field(b)", {13, 14}),
    # Streams and short names
    ('{kubernetes.pod_name="api-0"}', {0, 2}),
    ('{pod="api-0"}', {0, 2}),
    ('{source="auth"}', {4, 5}),
    ('{source!="auth"} source:*', set(range(6, 16))),
    ('{source=~"au.*|we."}', {4, 5, 10, 11, 12}),
    ('{source=~"au"}', set()),
    ('{source!~"auth|billing|queue|intl|web|"}', set()),
    ('{source in ("auth","web")}', {4, 5, 10, 11, 12}),
    ('{pod="api-0" or pod="api-1"}', {0, 1, 2}),
    ('{pod="api-0",container="api"}', {0, 2}),
    ('_stream:{source="web"}', {10, 11, 12}),
    ("namespace:shop", {0, 1, 2}),
    ("namespace:=jobs", {3}),
    ("pod:api*", {0, 1, 2}),
    ("container:=worker", {3}),
    ("host:=node-2", {3}),
    ("service:=worker", {3}),
    # Severity
    ("severity:=debug", {13, 14}),
    ("level:warn", {1, 5}),
    ("level:error", {0, 3}),
    # And, or, not, parentheses
    ("signed or refused", {1, 2, 4}),
    ("signed in", {2, 4}),
    ("signed AND ann", {2}),
    ("signed !ann", {4}),
    ("signed -ann", {4}),
    ("signed not ann", {4}),
    ("failed (socket or sign)", {5, 13, 14}),
    ("source:auth and not (level:warn or level:error)", {4}),
    ("!(source:* or pod:*)", set()),
    ("source:(auth or web)", {4, 5, 10, 11, 12}),
    ("source:!auth source:*", set(range(6, 16))),
    ('level:(error or "warn") !pod:*', {5}),
    # Time
    (f"_time:>={BASE + 140}", {14, 15}),
    (f"_time:<{BASE + 20}", {0, 1}),
    (f"_time:[{BASE + 10}, {BASE + 30}]", {1, 2, 3}),
    (f"_time:[{BASE + 10}, {BASE + 30})", {1, 2}),
    ("_time:5h", set(range(16))),
    ("_time:1m", set()),
    # Built in
    ("n:in(3, 5)", {3, 5}),
    ("n:range[4, 6]", {4, 5, 6}),
    ("template:*", set(range(16)) - {8}),
]

# Query → rows, in any order unless the query sorts.
PIPES = [
    ("source:auth | fields n, source", [{"n": "4", "source": "auth"}, {"n": "5", "source": "auth"}]),
    (
        "n:=4 | fields metadata.*, n",
        [
            {
                "metadata.user": "ann",
                "metadata.took": "150ms",
                "metadata.size": "12KiB",
                "metadata.ip": "10.1.2.3",
                "metadata.code": "200",
                "metadata.score": "1.5",
                "n": "4",
            }
        ],
    ),
    ("n:=13 | fields a, b, n | delete b", [{"a": "same", "n": "13"}]),
    ("n:=13 | fields a | copy a as c", [{"a": "same", "c": "same"}]),
    ("n:=13 | fields a | rename a as c", [{"c": "same"}]),
    ("n:range[0, 5] | filter source:auth | fields n", [{"n": "4"}, {"n": "5"}]),
    ("n:range[0, 5] | where level:warn | fields n", [{"n": "1"}, {"n": "5"}]),
    ("* | sort by (n desc) limit 3 | fields n", [{"n": "15"}, {"n": "14"}, {"n": "13"}]),
    ("* | sort by (n) offset 2 limit 2 | fields n", [{"n": "2"}, {"n": "3"}]),
    (
        "source:web | sort by (status desc, n) | fields status",
        [{"status": "500"}, {"status": "201"}, {"status": "200"}],
    ),
    ("* | sort by (n) | limit 1 | fields n", [{"n": "0"}]),
    ("* | sort by (n) | offset 15 | fields n", [{"n": "15"}]),
    (
        "source:* | uniq by (source) | sort by (source)",
        [{"source": name} for name in ["auth", "billing", "intl", "queue", "web"]],
    ),
    (
        "source:* | uniq by (source) with hits | sort by (source)",
        [
            {"source": name, "hits": hits}
            for name, hits in [("auth", "2"), ("billing", "3"), ("intl", "1"), ("queue", "3"), ("web", "3")]
        ],
    ),
    ("source:* | top 1 by (source) hits as h | fields h", [{"h": "3"}]),
    ("* | stats count() as all", [{"all": "16"}]),
    ("* | count() all", [{"all": "16"}]),
    ("nothing_at_all | count() as none", [{"none": "0"}]),
    (
        "source:* | stats by (source) count() as c | sort by (source) | limit 2",
        [{"source": "auth", "c": "2"}, {"source": "billing", "c": "3"}],
    ),
    (
        "source:web | stats sum(status) s, avg(status) a, min(status) lo, max(status) hi, median(status) m, "
        "count_uniq(status) u",
        [{"s": "901", "a": "300.3333333333333", "lo": "200", "hi": "500", "m": "201", "u": "3"}],
    ),
    ("source:web | stats quantile(0.99, status) q", [{"q": "500"}]),
    ("* | stats count_empty(source) e", [{"e": "4"}]),
    ("source:web | sort by (n) | stats uniq_values(status) v", [{"v": '["200","201","500"]'}]),
    ("source:web | stats values(status) v | len(v) as l | fields l", [{"l": "19"}]),
    ("* | stats count() if (source:auth) a, count() if (pod:*) p", [{"a": "2", "p": "4"}]),
    ("source:web | stats row_max(status, n) r", [{"r": '{"n":"11"}'}]),
    ("source:web | stats row_min(status, n) r", [{"r": '{"n":"10"}'}]),
    ("* | stats by (_time:1m) count() c | sort by (_time) | fields c", [{"c": "6"}, {"c": "6"}, {"c": "4"}]),
    (
        "source:web | stats by (status:100) count() c | sort by (status)",
        [{"status": "200", "c": "2"}, {"status": "500", "c": "1"}],
    ),
    ("metadata.ip:* | stats by (metadata.ip:/16) count() c", [{"metadata.ip": "10.1.0.0", "c": "2"}]),
    ("source:auth | extract '<verb> in' from _msg | sort by (n) | fields verb", [{"verb": "signed"}, {"verb": "sign"}]),
    (
        'source:web | extract_regexp "HTTP/1.1 (?P<code>[0-9]+) (?P<ms>[0-9]+)ms" | sort by (n) | fields code, ms',
        [{"code": "200", "ms": "17"}, {"code": "500", "ms": "1700"}, {"code": "201", "ms": "45"}],
    ),
    ("kind:json | unpack_json | fields order, total, paid", [{"order": "A-17", "total": "99.5", "paid": "true"}]),
    ("kind:json | unpack_json fields (order) result_prefix j_ | fields j_order", [{"j_order": "A-17"}]),
    (
        "kind:logfmt | unpack_logfmt | fields order, total, status",
        [{"order": "A-18", "total": "12", "status": "not paid"}],
    ),
    ('n:=4 | format "<metadata.user>@<source>" as who | fields who', [{"who": "ann@auth"}]),
    ('n:=13 | replace ("socket", "pipe") | fields _msg', [{"_msg": "retry 1 of 3 failed: pipe closed"}]),
    ('n:=13 | replace_regexp ("[0-9]+", "N") | fields _msg', [{"_msg": "retry N of N failed: socket closed"}]),
    ("source:web | math status * 2 + 1 as x | sort by (n) | fields x", [{"x": "401"}, {"x": "1001"}, {"x": "403"}]),
    ("n:=4 | len(_msg) as l | fields l", [{"l": "9"}]),
    ("* | first 1 by (n) | fields n", [{"n": "0"}]),
    ("* | last 1 by (n) | fields n", [{"n": "15"}]),
    ("source:auth | field_names | filter name:=metadata.ip", [{"name": "metadata.ip", "hits": "2"}]),
    ("source:* | field_values source | filter source:=web", [{"source": "web", "hits": "3"}]),
    ("source:web | facets 1 | filter field_name:=path | fields hits", [{"hits": "1"}]),
    ("n:=13 | stream_context before 1 after 1 | sort by (n) | fields n", [{"n": "13"}, {"n": "14"}]),
    ("n:=14 | stream_context before 1 after 1 | sort by (n) | fields n", [{"n": "13"}, {"n": "14"}, {"n": "15"}]),
    ("metadata.user:in(source:auth level:warn | fields metadata.user) | fields n", [{"n": "5"}]),
    ("* | sample 1 | count() c", [{"c": "16"}]),
]

SORTS = ("| sort", "| first", "| last")


class Answers:
    """Tests of one state of the records; `server` holds them."""

    def rows(self, text, **parameters):
        return self.server.query(text, **{**WINDOW, **parameters})

    def test_filters(self):
        for text, expected in FILTERS:
            with self.subTest(text):
                rows = self.rows(text)
                self.assertEqual({int(row["n"]) for row in rows}, expected)
                self.assertEqual(len(rows), len(expected), "a record came twice")

    def test_filters_count_as_they_find(self):
        for text, expected in FILTERS:
            with self.subTest(text):
                answer = self.server.get("/api/v1/logs/hits", query=text, step="1h", **WINDOW)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(sum(series["total"] for series in answer.json["hits"]), len(expected))

    def test_pipes(self):
        for text, expected in PIPES:
            with self.subTest(text):
                rows = self.rows(text)
                if any(word in text for word in SORTS):
                    self.assertEqual(rows, expected)
                else:
                    self.assertCountEqual(rows, expected)

    def test_records_are_as_sent(self):
        rows = {int(row["n"]): row for row in self.rows("*")}
        for index, record in enumerate(RECORDS):
            row = rows[index]
            self.assertEqual(row["_msg"], record.get("log", record.get("message", "")))
            for name in ("source", "level", "kind", "note", "path", "status", "a", "b", "stream"):
                if name in record:
                    self.assertEqual(row[name], str(record[name]))
            for group in ("kubernetes", "metadata"):
                for name, value in record.get(group, {}).items():
                    if not isinstance(value, dict):
                        self.assertEqual(row[f"{group}.{name}"], str(value))
            self.assertIn(row["severity"], ("trace", "debug", "info", "warning", "error", "critical", "unknown"))

    def test_newest_first_with_limit_and_offset(self):
        for limit in (1, 5, 16, 100):
            numbers = [int(row["n"]) for row in self.rows("*", limit=limit)]
            self.assertEqual(numbers, list(range(15, -1, -1))[:limit])
        self.assertEqual([int(row["n"]) for row in self.rows("*", limit=3, offset=4)], [11, 10, 9])
        self.assertEqual(self.rows("*", limit=3, offset=16), [])
        self.assertEqual([int(row["n"]) for row in self.rows("source:web", limit=2)], [12, 11])
        self.assertEqual(len(self.rows("*", limit=0)), 0)

    def test_time_ranges(self):
        def numbers(**parameters):
            return sorted(int(row["n"]) for row in self.server.query("n:*", **parameters))

        iso = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        for start, end in [
            (str(BASE + 20), str(BASE + 40)),
            (iso(BASE + 20), iso(BASE + 40)),
            (str((BASE + 20) * 1000), str((BASE + 40) * 1000)),
            (str((BASE + 20) * 10**9), str((BASE + 40) * 10**9)),
            (f"{BASE + 19.5}", f"{BASE + 39.5}"),
        ]:
            self.assertEqual(numbers(start=start, end=end), [2, 3], (start, end))
        self.assertEqual(numbers(start=str(BASE + 150), end=str(BASE + 1000)), [15])
        self.assertEqual(numbers(end=str(BASE)), [])
        self.assertEqual(numbers(start="now-5h"), list(range(16)))
        self.assertEqual(numbers(start="5h", end="now"), list(range(16)))
        self.assertEqual(numbers(start="now-1m"), [])

    def test_hits(self):
        answer = self.server.get("/api/v1/logs/hits", query="*", step="1m", field="level", **WINDOW).json
        totals = {series["fields"]["level"]: series["total"] for series in answer["hits"]}
        self.assertEqual(totals, {"error": 2, "warn": 2, "info": 3, "debug": 2, "": 7})
        for series in answer["hits"]:
            self.assertEqual(sum(series["values"]), series["total"])
            self.assertEqual(len(series["values"]), len(series["timestamps"]))
            self.assertTrue(all(stamp.endswith(":00Z") for stamp in series["timestamps"]))
            self.assertEqual(series["timestamps"], sorted(series["timestamps"]))
        plain = self.server.get("/api/v1/logs/hits", query="*", step="1m", **WINDOW).json["hits"]
        self.assertEqual([series["values"] for series in plain], [[6, 6, 4]])
        fine = self.server.get("/api/v1/logs/hits", query="source:web", step="10s", **WINDOW).json["hits"]
        self.assertEqual([series["values"] for series in fine], [[1, 1, 1]])
        self.assertEqual(answer["statistics"]["matched"], 16)
        self.assertGreaterEqual(answer["statistics"]["total"], 16)
        severity = self.server.get("/api/v1/logs/hits", query="n:*", step="1m", field="severity", **WINDOW).json["hits"]
        self.assertEqual(sum(series["total"] for series in severity), 16)

    def test_facets(self):
        facets = {
            facet["field_name"]: {value["field_value"]: value["hits"] for value in facet["values"]}
            for facet in self.server.get("/api/v1/logs/facets", query="*", limit=20, **WINDOW).json["facets"]
        }
        self.assertEqual(facets["source"], {"auth": 2, "billing": 3, "intl": 1, "web": 3, "queue": 3})
        self.assertEqual(facets["level"], {"error": 2, "warn": 2, "info": 3, "debug": 2})
        self.assertEqual(sum(facets["severity"].values()), 16)
        narrowed = self.server.get("/api/v1/logs/facets", query="source:web", limit=1, **WINDOW).json["facets"]
        for facet in narrowed:
            self.assertEqual(len(facet["values"]), 1)

    def test_field_names_and_values(self):
        names = {
            v["value"]: v["hits"]
            for v in self.server.get("/api/v1/logs/field_names", query="source:auth", **WINDOW).json["values"]
        }
        for name in ("metadata.user", "metadata.ip", "source", "level", "n", "_msg", "_time", "_stream", "severity"):
            self.assertEqual(names[name], 2, name)
        self.assertNotIn("note", names)
        values = self.server.get("/api/v1/logs/field_values", query="*", field="source", **WINDOW).json["values"]
        self.assertEqual(
            {v["value"]: v["hits"] for v in values}, {"auth": 2, "billing": 3, "intl": 1, "web": 3, "queue": 3}
        )
        values = self.server.get("/api/v1/logs/field_values", query="*", field="source", limit=2, **WINDOW).json[
            "values"
        ]
        self.assertEqual([v["hits"] for v in values], [3, 3])
        values = self.server.get("/api/v1/logs/field_values", query="*", field="pod", **WINDOW).json["values"]
        self.assertEqual({v["value"]: v["hits"] for v in values}, {"api-0": 2, "api-1": 1, "worker-0": 1})
        self.assertEqual(self.server.get("/api/v1/logs/field_values", query="*").status, 400)

    def test_context(self):
        row = self.rows("n:=14")[0]
        answer = self.server.get("/api/v1/logs/context", id=row["_id"], before=1, after=5).json
        self.assertEqual([int(record["n"]) for record in answer["records"]], [13, 14, 15])
        self.assertEqual(answer["records"][answer["anchor"]]["_id"], row["_id"])
        answer = self.server.get("/api/v1/logs/context", id=row["_id"], before=0, after=0).json
        self.assertEqual((len(answer["records"]), answer["anchor"]), (1, 0))
        self.assertEqual(self.server.get("/api/v1/logs/context", id="nonsense").status, 400)
        unknown = row["_id"][:-1] + ("0" if row["_id"][-1] != "0" else "1")
        self.assertEqual(self.server.get("/api/v1/logs/context", id=unknown).status, 404)

    def test_patterns(self):
        page = eventually(
            lambda: (lambda p: p if p["records"] == 16 else None)(
                self.server.get("/api/v1/patterns", query="*", **WINDOW).json
            )
        )
        self.assertEqual(sum(pattern["count"] for pattern in page["patterns"]), 16)
        retry = [pattern for pattern in page["patterns"] if pattern["text"].startswith("retry")]
        self.assertEqual([pattern["count"] for pattern in retry], [2])
        rows = self.rows(f"pattern:={retry[0]['id']}")
        self.assertEqual({int(row["n"]) for row in rows}, {13, 14})


class InTheHead(Answers, ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        answer = cls.server.send(RECORDS)
        assert answer.json["processed_count"] == len(RECORDS), answer.body


class InBlocks(Answers, unittest.TestCase):
    """After SIGTERM, which makes blocks of the head."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.start()
        cls.server.send(RECORDS)
        code, _ = cls.server.stop()
        assert code == 0, code
        cls.server.start()


class InBlocksAndHead(Answers, unittest.TestCase):
    """Half of them packed, half not; sent out of order."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.start()
        cls.server.send(RECORDS[1::2])
        cls.server.stop()
        cls.server.start()
        cls.server.send(RECORDS[0::2])


class InMergedBlocks(Answers, unittest.TestCase):
    """Many small blocks that the server has merged."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(arguments=["--head-seconds-max", "1"])
        cls.addClassCleanup(cls.server.__exit__)
        for part in range(8):
            cls.server.start()
            cls.server.send(RECORDS[part::8])
            cls.server.stop()
        cls.server.start()
        before = cls.block_count()
        # Upkeep looks at tenants whose head is due.
        cls.server.send([{"message": "filler", "source": "filler"}])
        eventually(lambda: cls.block_count() < before)

    @classmethod
    def block_count(cls):
        answer = cls.server.get("/api/v1/logs/hits", query="*", **WINDOW).json
        return answer["statistics"]["blocks"]


class Requests(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.send(RECORDS)

    def test_a_query_that_cannot_be_understood(self):
        for text, column in [
            ("error (", 8),
            ("error )", 7),
            ("a:in(b", 7),
            ('~"["', None),
            ("* | nonsense", 5),
            ("* | stats nope()", 11),
            ("status:range[1", None),
            ("_time:never", None),
            ("a or", 5),
            ("| |", None),
            ("* | sort by (", None),
        ]:
            with self.subTest(text):
                for path in ("query", "hits", "facets", "field_names"):
                    problem = self.problem(self.server.get(f"/api/v1/logs/{path}", query=text), 400)
                    self.assertIsInstance(problem.get("column"), int)
                    self.assertTrue(1 <= problem["column"] <= len(text) + 1, problem)
                    if column:
                        self.assertEqual(problem["column"], column, problem)

    def test_columns_count_characters(self):
        self.assertEqual(
            self.problem(self.server.get("/api/v1/logs/query", query='"größe 🦫" | nonsense'), 400)["column"], 13
        )

    def test_it_says_what_was_expected(self):
        self.assertIn(
            "stats", self.problem(self.server.get("/api/v1/logs/query", query="* | stat count()"), 400)["expected"]
        )

    def test_bad_parameters(self):
        for path, parameters in [
            ("query", {"limit": "-1"}),
            ("query", {"limit": "many"}),
            ("query", {"start": "yesterday-ish"}),
            ("query", {"offset": "x"}),
            ("query", {"start": "now", "end": "now-1h"}),
            ("hits", {"step": "0"}),
            ("hits", {"step": "fast"}),
            ("facets", {"limit": "0"}),
            ("context", {}),
            ("context", {"id": "x"}),
            ("field_values", {"query": "*"}),
        ]:
            with self.subTest(path=path, parameters=parameters):
                self.problem(self.server.get(f"/api/v1/logs/{path}", **parameters), 400)

    def test_posted_forms(self):
        text = "source:auth | fields n | sort by (n)"
        answer = self.server.call(
            "POST",
            "/api/v1/logs/query",
            body=urllib.parse.urlencode({"query": text, **WINDOW}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        self.assertEqual(answer.lines, [{"n": "4"}, {"n": "5"}])
        answer = self.server.call(
            "POST",
            "/api/v1/logs/query?query=nothing_like_it",
            body=urllib.parse.urlencode({"query": "source:auth"}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        self.assertEqual(len(answer.lines), 2)

    def test_answers_are_json_lines(self):
        answer = self.server.get("/api/v1/logs/query", query="n:*", limit=3)
        self.assertEqual(answer.headers["content-type"], "application/x-ndjson")
        for line in answer.body.decode().splitlines():
            self.assertEqual(list(json.loads(line))[:4], ["_time", "_msg", "_stream", "_stream_id"])

    def test_unknown_addresses(self):
        self.problem(self.server.get("/api/v1/nothing"), 404)
        self.problem(self.server.get("/api/v2/logs"), 404)
        page = self.server.get("/search")
        self.assertEqual(page.status, 200)
        self.assertIn("text/html", page.headers["content-type"])

    def test_meaning_filter(self):
        rows = eventually(lambda: self.server.query('similar("storage space is used up", 3)', **WINDOW))
        self.assertIn(3, {int(row["n"]) for row in rows})


class Similar(ServerCase):
    def test_similar(self):
        lines = [
            (1, "error", "connection to 10.0.0.7:5432 refused after 3 attempts"),
            (2, "error", "connection to the database was refused"),
            (3, "info", "connection to the database was opened"),
            (4, "error", "connection to the database was refused"),
        ]
        self.server.send(
            [{"timestamp": BASE + t, "level": level, "message": m, "source": "db"} for t, level, m in lines]
        )
        window = WINDOW
        row = self.server.query("attempts", **window)[0]
        hits = self.server.get("/api/v1/logs/similar", id=row["_id"], **window).json
        self.assertEqual(hits[0]["log"], lines[1][2])
        self.assertEqual(hits[0]["duplicate_count"], 2)
        newest = self.server.query("refused database", limit=1, **window)[0]
        self.assertEqual((hits[0]["id"], hits[0]["timestamp"]), (newest["_id"], newest["_time"]))
        self.assertEqual([hit["meaning_rank"] for hit in hits], list(range(1, len(hits) + 1)))
        self.assertNotIn(row["_id"], [hit["id"] for hit in hits])
        hits = self.server.get("/api/v1/logs/similar", id=row["_id"], query="severity:info", limit=1, **window).json
        self.assertEqual([hit["log"] for hit in hits], [lines[2][2]])
        self.assertEqual(self.server.get("/api/v1/logs/similar", id="nonsense").status, 400)
        self.assertEqual(self.server.get("/api/v1/logs/similar", id=row["_id"], query="a (").status, 400)
        unknown = row["_id"][:-1] + ("0" if row["_id"][-1] != "0" else "1")
        self.assertEqual(self.server.get("/api/v1/logs/similar", id=unknown).status, 404)


class Tail(ServerCase):
    def follow(self, query="*"):
        follower = Follower(self.server, query)
        self.addCleanup(follower.close)
        return follower

    def test_a_record_appears_live(self):
        follower = self.follow()
        self.assertIn(b" 200 ", follower.received)
        self.assertIn(b"text/event-stream", follower.received)
        self.server.send([{"message": "live one", "source": "live", "level": "warn", "k": "v"}])
        follower.read_until(b"live one")
        row = follower.records()[0]
        self.assertEqual((row["_msg"], row["k"], row["severity"]), ("live one", "v", "warning"))
        self.assertEqual(row["_id"], self.server.query('"live one"')[0]["_id"])

    def test_only_what_matches(self):
        follower = self.follow('{source="live-b"} !skip')
        self.server.send([{"message": "other", "source": "live-a"}, {"message": "skip me", "source": "live-b"}])
        self.server.send([{"message": "take this", "source": "live-b"}, {"message": "last", "source": "live-b"}])
        follower.read_until(b"last")
        self.assertEqual([row["_msg"] for row in follower.records()], ["take this", "last"])

    def test_nothing_old(self):
        self.server.send([{"message": "before the tail", "source": "old"}])
        follower = self.follow('{source="old"}')
        self.server.send([{"message": "after", "source": "old"}])
        follower.read_until(b"after")
        self.assertEqual([row["_msg"] for row in follower.records()], ["after"])

    def test_two_followers(self):
        first, second = self.follow("twice"), self.follow("twice")
        self.server.send([{"message": f"twice {i}"} for i in range(50)])
        for follower in (first, second):
            follower.read_until(b"twice 49")
            eventually(lambda: len(follower.records()) == 50)

    def test_a_query_that_cannot_be_understood(self):
        self.problem(self.server.get("/api/v1/logs/tail", query="error ("), 400)
        self.problem(self.server.get("/api/v1/logs/tail", query="* | stats count()"), 400)


if __name__ == "__main__":
    unittest.main()
