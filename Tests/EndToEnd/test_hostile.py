"""Whatever is sent, the server lives on, and never says that it is the one at fault.

TIMBERLINE_FUZZ_SEED repeats a run; a failure names its seed.
"""

import gzip
import json
import os
import random
import socket
import unittest
import urllib.parse
import zlib

from appliance import ServerCase, run

SEED = int(os.environ.get("TIMBERLINE_FUZZ_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("TIMBERLINE_FUZZ_ROUNDS", "400"))

GOOD_LINES = [
    b'{"date":1763900000.123456,"log":"it broke\\n","stream":"stderr",'
    b'"kubernetes":{"namespace_name":"shop","labels":{"a":"b"}}}',
    b'{"timestamp":"2026-03-18T13:44:27Z","message":"signed in","source":"auth","level":"info",'
    b'"metadata":{"user":"ann","tries":2}}',
    b'[{"message":"a"},{"message":"b","x":[1,2,{"y":null}]}]',
    b'{"message":"\\u00e9\\ud83e\\uddab","n":-1.5e300}',
    b'{"a":true,"b":null,"c":{}}',
]
QUERIES = [
    "error",
    '"two words"',
    "err*",
    "*sub*",
    '="exact"',
    '~"re(g|x)+"',
    "i(Word)",
    "seq(a, b)",
    "field:in(a, b)",
    "contains_all(a, b)",
    "x:range[1, 5)",
    "x:>5",
    "ip:ipv4_range(10.0.0.0/8)",
    "len_range(1, 5)",
    "string_range(a, b)",
    'a:""',
    "a:*",
    "_time:5m",
    '{pod="x", a=~"b|c"}',
    "a or b and not c",
    "(a or b) c",
    "* | fields a, b*",
    "* | sort by (a desc) limit 3 offset 1",
    "* | uniq by (a) with hits",
    "* | top 5 by (a)",
    "* | stats by (_time:1m, a) count() c, sum(b) s, quantile(0.5, b) q, count() if (x:y) z",
    "* | extract 'a=<b> c' from d",
    '* | extract_regexp "(?P<a>[0-9]+)"',
    "* | unpack_json fields (a) result_prefix p",
    "* | unpack_logfmt",
    "* | format '<a> <q:b>' as c",
    "* | replace ('a', 'b') at c limit 2",
    "* | replace_regexp ('a(b)', '$1')",
    "* | math a + b * 2 as c",
    "* | len(a) as b",
    "* | first 2 by (a)",
    "* | sample 3",
    "* | facets 5",
    "* | field_names",
    "* | field_values a",
    "x | stream_context before 2 after 2",
    'similar("some words", 5)',
    "a:in(b | fields c)",
    "a:eq_field(b)",
    "_time:day_range[08:00, 18:00)",
    "options(concurrency=2) x",
    "* | stats histogram(a) h, values(a) v",
]
HOSTILE_QUERIES = [
    "(" * 10_000,
    "!" * 10_000,
    "not " * 5_000,
    "a or " * 5_000 + "a",
    "a " * 20_000,
    '~"' + "(a*)*" * 50 + 'b"',
    '~"(a|aa)+$"',
    '~"a{1000}{1000}"',
    '~"' + "(" * 3000 + '"',
    '~"[' + "a-z" * 3000 + ']"',
    "* " + "| limit 1 " * 3_000,
    "* | stats " + ", ".join(f"count() c{i}" for i in range(3000)),
    "x:in(" + "a," * 20_000 + "a)",
    "* | math " + "(" * 5000 + "1",
    "* | math " + "1+" * 20_000 + "1",
    "* | math 1/0 as a, 0/0 as b, 5 % 0 as c, 2 ^ 99999 as d",
    "_time:9999999999999999999d",
    "_time:[99999999999999999999, 1]",
    "x:range[-inf, inf]",
    "x:>1e999",
    "len_range(18446744073709551615, inf)",
    "* | limit 99999999999999999999",
    "* | sample 0",
    "* | stats by (_time:1ns) count()",
    "* | stats by (_time:0s) count()",
    "* | stats by (x:1e-300) count()",
    "* | stats quantile(2, x)",
    "\x00",
    "\u202e\ud7ff",
    "a\x00b",
    '"unclosed',
    "'",
    "`",
    "{",
    "}",
    "]",
    "[",
    "|",
    ":",
    "=",
    "~",
    "<",
    ">",
    "*:*",
    "a:b:c:d",
    "_time:",
    "_stream:",
    "_stream_id:zz",
    "{}",
    '{a=""}',
    "{=}",
    '{a=~"["}',
    "similar()",
    "* | stats",
    "* | sort by (_time) limit 99999999999",
    "* | top 99999999999 by (a)",
    "x | stream_context before 999999999 after 999999999",
    "* | uniq limit 0",
    "* | extract ''",
    "* | extract '<a><b>'",
    "* | extract '<a'",
    "* | format '<' as x",
    "* | replace ('', 'x')",
    "* | replace_regexp ('', 'x')",
    "* | replace_regexp ('.*', '$9999999999999')",
    "a:in(" * 100 + "x" + ")" * 100,
    "* | fields " + "a*," * 3000 + "b",
    "pattern_match('<N" + "<N>" * 5000 + "')",
]


def mutate(source, data):
    """A few random edits: bits, bytes, cuts, copies, and things that parsers trip over."""
    data = bytearray(data)
    for _ in range(source.randrange(1, 8)):
        place = source.randrange(len(data) + 1)
        kind = source.randrange(6)
        if kind == 0 and data:
            data[place % len(data)] ^= 1 << source.randrange(8)
        elif kind == 1:
            data[place:place] = source.randbytes(source.randrange(1, 9))
        elif kind == 2:
            del data[place : place + source.randrange(1, 20)]
        elif kind == 3:
            start = source.randrange(len(data) + 1)
            data[place:place] = data[start : start + source.randrange(1, 60)]
        elif kind == 4:
            data[place:place] = source.choice(
                [
                    b"\x00",
                    b"\xff\xfe",
                    b'"',
                    b"\\",
                    b"{" * 70,
                    b"[" * 70,
                    b"1e999",
                    b"\\ud800",
                    b"\n",
                    b"\r\n",
                    b"-",
                    b"9" * 40,
                    b"\xf4\x90\x80\x80",
                    b"(",
                    b"|",
                    b"*",
                ]
            )
        else:
            data = data[:place]
    return bytes(data)


class Hostile(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.send(
            [{"message": f"record {i} of {i * 7}", "a": str(i % 5), "b": i, "source": "seed"} for i in range(200)]
        )

    def setUp(self):
        self.random = random.Random(f"{SEED}-{self.id()}")

    def tearDown(self):
        self.assertTrue(self.server.is_running, f"the server died, seed {SEED}: {self.server.log[-3000:]}")
        self.assertEqual(self.server.get("/api/v1/healthz").status, 200)
        self.assertEqual(len(self.server.query("source:=seed")), 200)

    def fine(self, answer, what, allowed=()):
        """No answer is a 500, and none comes from a dead server."""
        self.assertTrue(
            answer.status < 500 or answer.status in allowed,
            f"seed {SEED}: {answer.status} {answer.body[:400]!r} for {what!r}"[:3000],
        )
        if answer.status >= 400:
            self.assertEqual(answer.headers.get("content-type"), "application/problem+json", what)

    def ask(self, method, path, allowed=(), **options):
        try:
            answer = self.server.call(method, path, **options)
        except (OSError, ValueError) as error:
            self.fail(f"seed {SEED}: {error!r} for {str(options)[:2000]}; alive: {self.server.is_running}")
        except Exception as error:  # http.client's own: an answer that was cut off
            self.fail(f"seed {SEED}: {error!r} for {str(options)[:2000]}; alive: {self.server.is_running}")
        self.fine(answer, (path, options), allowed)
        return answer

    def test_bodies(self):
        for _ in range(ROUNDS):
            lines = [self.random.choice(GOOD_LINES) for _ in range(self.random.randrange(1, 6))]
            body = mutate(self.random, b"\n".join(lines))
            if self.random.random() < 0.1:
                body = self.random.randbytes(self.random.randrange(2000))
            headers = {"Content-Type": "application/x-ndjson"}
            packing = self.random.randrange(6)
            if packing == 0:
                body, headers["Content-Encoding"] = mutate(self.random, gzip.compress(body)), "gzip"
            elif packing == 1:
                body, headers["Content-Encoding"] = mutate(self.random, zlib.compress(body)), "deflate"
            elif packing == 2:
                body, headers["Content-Encoding"] = b"\x28\xb5\x2f\xfd" + self.random.randbytes(60), "zstd"
            answer = self.ask("POST", "/api/v1/logs/stream", body=body, headers=headers)
            if answer.status == 200:
                self.assertGreaterEqual(answer.json["processed_count"] + answer.json["rejected_count"], 0)

    def test_queries(self):
        paths = ["query", "hits", "facets", "field_names", "query"]
        for _ in range(ROUNDS):
            text = mutate(self.random, self.random.choice(QUERIES).encode())
            path = f"/api/v1/logs/{self.random.choice(paths)}?limit=5&query={urllib.parse.quote_from_bytes(text)}"
            self.ask("GET", path)

    def test_every_kind_of_query_is_understood(self):
        for text in QUERIES:
            with self.subTest(text):
                answer = self.ask("GET", "/api/v1/logs/query", parameters={"query": text})
                self.assertEqual(answer.status, 200, answer.body)

    def test_queries_made_to_hurt(self):
        for text in HOSTILE_QUERIES:
            with self.subTest(text[:60]):
                form = urllib.parse.urlencode({"query": text, "limit": "5"}, errors="surrogatepass")
                self.ask(
                    "POST",
                    "/api/v1/logs/query",
                    body=form,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    allowed=(504,),
                )

    def test_parameters(self):
        values = [
            "",
            "-1",
            "0",
            "99999999999999999999",
            "1e308",
            "NaN",
            "inf",
            "\x00",
            "%",
            "%zz",
            "ÿ",
            "now-",
            "now-999999999y",
            "1.5",
            "1970",
            "-9223372036854775808",
            "9223372036854775807",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "now+1h",
            "1h" * 2000,
            "true",
            "null",
            "[]",
            "../../etc/passwd",
            "x" * 5000,
        ]
        routes = {
            "/api/v1/logs/query": ["query", "start", "end", "limit", "offset"],
            "/api/v1/logs/hits": ["query", "start", "end", "step", "field"],
            "/api/v1/logs/facets": ["start", "limit"],
            "/api/v1/logs/field_values": ["field", "limit"],
            "/api/v1/logs/context": ["id", "before", "after"],
            "/api/v1/logs/similar": ["id", "query", "start", "end", "limit"],
            "/api/v1/logs": ["namespace", "pod_name", "limit", "start_time", "end_time"],
            "/api/v1/patterns": ["query", "start", "end", "limit", "sort"],
            "/api/v1/analyses": ["limit"],
        }
        for path, names in routes.items():
            for name in names:
                for value in values:
                    with self.subTest(path=path, name=name, value=value[:30]):
                        self.ask("GET", path, parameters={"limit": "5", name: value})

    def test_documents(self):
        good = {
            "/api/v1/logs/search": b'{"query":"some words","limit":5,"start":"now-1h","end":"now","namespace":"x"}',
            "/api/v1/analyses": b'{"namespace":"none","time_range_hours":24,"min_cluster_size":5,"start":"now-1h"}',
        }
        for path, body in good.items():
            for _ in range(ROUNDS // 8):
                self.ask("POST", path, body=mutate(self.random, body), headers={"Content-Type": "application/json"})
        for body in (
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"query":"' + b"x" * 900_000 + b'"}',
            b"\x00",
            b"null",
            b'{"query":"\\ud800"}',
        ):
            for path in good:
                self.ask("POST", path, body=body, headers={"Content-Type": "application/json"})

    def test_raw_requests(self):
        requests = [
            b"\x00" * 100,
            b"GET",
            b"GET /\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"\r\n\r\n\r\n",
            b"GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b'POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"message":"cut',
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\x00\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET http://elsewhere/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /assets/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /assets/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /api/v1/logs/query?query=%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /api/v1/logs/query?" + b"&" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        ]
        good = (
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
            b'Connection: close\r\n\r\n{"message":"m"}'
        )
        requests += [mutate(self.random, good) for _ in range(ROUNDS // 8)] + [
            self.random.randbytes(300) for _ in range(ROUNDS // 20)
        ]
        for request in requests:
            with self.subTest(request[:80]):
                answer = self.server.raw(request, timeout=5)
                status = answer[9:12]
                # 501 and 505 say that what was asked for is not spoken here.
                self.assertNotIn(status, (b"500", b"502", b"503"), f"seed {SEED}")
                self.assertNotIn(b"root:", answer)

    def test_connections_that_end_in_the_middle(self):
        for _ in range(ROUNDS // 8):
            with socket.create_connection((self.server.host, self.server.port), timeout=10) as connection:
                kind = self.random.randrange(3)
                if kind == 0:
                    connection.sendall(
                        b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
                        + self.random.randbytes(self.random.randrange(4000))
                    )
                elif kind == 1:
                    connection.sendall(b"GET /api/v1/logs/query?query=* HTTP/1.1\r\nHost: x\r\n\r\n")
                else:
                    connection.sendall(b"GET /api/v1/logs/tail?query=* HTTP/1.1\r\nHost: x\r\n\r\n")
                    connection.recv(self.random.randrange(1, 200))

    def test_names_and_values_of_every_kind(self):
        records = []
        for i in range(ROUNDS // 2):
            records.append(
                {
                    "message": self.random.randbytes(self.random.randrange(50)).decode("latin-1"),
                    self.random.choice(
                        [
                            "",
                            " ",
                            "a.b..c",
                            "_time2",
                            "é",
                            "\u0000",
                            "x" * 256,
                            "stream",
                            "source",
                            "kubernetes",
                            "level",
                            "a b",
                        ]
                    ): self.random.choice(
                        ["", "x", -1, 1e300, True, [], [[]], {"": {"": ""}}, "\u0000", "\u2028", None]
                    ),
                    "mark": "odd",
                    "number": i,
                }
            )
        answer = self.server.send(records)
        self.accepted(answer, len(records) - answer.json["rejected_count"], rejected=answer.json["rejected_count"])
        rows = self.server.query("mark:=odd")
        self.assertEqual(len(rows), answer.json["processed_count"])
        for row in rows:
            self.assertEqual(row["_msg"], records[int(row["number"])]["message"].removesuffix("\n"))
        for path in ("facets", "field_names", "hits"):
            self.assertEqual(self.server.get(f"/api/v1/logs/{path}", query="mark:=odd").status, 200)
        self.server.stop()
        self.server.start()
        self.assertCountEqual(self.server.query("mark:=odd"), rows)

    def test_names_of_our_own_cannot_be_forged(self):
        """What a record says under a built-in name never takes that name's place, and no name comes twice."""
        self.accepted(
            self.server.send(
                [
                    {
                        "message": "the true message",
                        "date": 1_700_000_000,
                        "_msg": "forged",
                        "_time": "1999-01-01T00:00:00Z",
                        "_stream": "{forged}",
                        "_stream_id": "forged",
                        "_id": "forged",
                        "mark": "forged",
                    }
                ]
            ),
            1,
        )

        def once(pairs):
            names = [name for name, _ in pairs]
            self.assertEqual(len(names), len(set(names)), names)
            return dict(pairs)

        for text in ("mark:=forged", "mark:=forged | fields *", "mark:=forged | sort by (_time)"):
            line = self.server.get("/api/v1/logs/query", query=text).body
            row = json.loads(line, object_pairs_hook=once)
            self.assertEqual(
                (row["_msg"], row["_time"], row["_stream"]), ("the true message", "2023-11-14T22:13:20Z", "{}")
            )
            self.assertNotIn("forged", (row["_stream_id"], row["_id"]))
        for field in ("_msg", "_stream", "_stream_id", "_id"):
            values = self.server.get("/api/v1/logs/field_values", query="mark:=forged", field=field).body
            self.assertNotIn(b"forged", values)

    def test_a_field_called_id_can_be_found(self):
        self.accepted(self.server.send([{"message": "with an id", "id": "order-17", "mark": "id"}]), 1)
        answer = self.server.get("/api/v1/logs/query", query="order-17 or id:order-17")
        self.assertEqual(len(answer.lines), 1)
        self.assertIn(b"order-17", answer.body)

    def test_imported_files(self):
        """Files of every kind, cut up and mixed, packed or not."""
        good = [
            b"2026-03-18T13:44:27.123Z stdout F hello\n2026-03-18T13:44:28Z stdout P part of \n" * 20,
            b'<34>1 2026-03-18T13:44:27Z host app 1 - [a b="c"] message\n<13>Mar 18 13:44:27 host app[7]: old\n' * 20,
            b'level=info ts=2026-03-18T13:44:27Z msg="two words"\n' * 20,
            b"I0318 13:44:27.123456       1 main.go:3] started\n" * 9,
            b'Traceback (most recent call last):\n  File "x.py", line 3, in f\nValueError: no\n' * 9,
            b'{"log":"a\\n","stream":"stdout","time":"2026-03-18T13:44:27Z"}\n' * 9,
            b'1.2.3.4 - - [18/Mar/2026:13:44:27 +0000] "GET / HTTP/1.1" 200 5\n' * 9,
            b"\n".join(GOOD_LINES),
        ]
        for _ in range(ROUNDS // 8):
            content = self.random.choice(good)
            for _ in range(self.random.randrange(1, 20)):
                content = mutate(self.random, content)
            if self.random.random() < 0.2:
                content = mutate(self.random, gzip.compress(content))
            result = run(
                "import", "-", "--quiet", "--source", "fuzz", "--url", self.server.url, input=content, check=False
            )
            self.assertIn(result.returncode, (0, 1), f"seed {SEED}: {result.complaint} of {content[:2000]!r}")
            if result.returncode == 1:
                self.assertIn("damaged", result.complaint, f"seed {SEED}: {content[:2000]!r}")
        rows = self.server.query("source:=fuzz")
        self.server.stop()
        self.server.start()
        self.assertCountEqual(self.server.query("source:=fuzz"), rows)

    def test_many_fields(self):
        for count in (999, 1000, 1001):
            answer = self.server.send([{f"f{i}": i for i in range(count)}])
            self.assertEqual(answer.json["processed_count"], 1 if count <= 1000 else 0)
        self.assertEqual(len(self.server.query("f999:=999")), 1)


if __name__ == "__main__":
    unittest.main()
