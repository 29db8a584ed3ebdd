"""What may be sent to `POST /api/v1/logs/stream`, and what becomes of it (docs/reference/ingest.md)."""

import datetime
import gzip
import json
import shutil
import subprocess
import time
import unittest
import zlib

from appliance import Server, ServerCase

PATH = "/api/v1/logs/stream"
NDJSON = {"Content-Type": "application/x-ndjson"}


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Shapes(ServerCase):
    """The forms of a record, and that values come back under the names and values sent."""

    def one(self, mark):
        """The only record whose field `mark` has this value."""
        rows = self.server.query(f"mark:={mark}")
        self.assertEqual(len(rows), 1, f"{mark}: {rows}")
        return rows[0]

    def test_fluent_bit(self):
        seconds = int(time.time()) - 60
        self.accepted(
            self.server.send(
                [
                    {
                        "date": float(f"{seconds}.25"),
                        "log": "it broke\n",
                        "stream": "stderr",
                        "mark": "fluent-bit",
                        "kubernetes": {
                            "namespace_name": "shop",
                            "pod_name": "api-0",
                            "container_name": "api",
                            "host": "node-1",
                            "pod_id": "6b1f",
                            "labels": {"app": "api", "app.kubernetes.io/name": "api"},
                        },
                    }
                ]
            ),
            1,
        )
        row = self.one("fluent-bit")
        self.assertEqual(row["_time"], rfc3339(seconds)[:-1] + ".25Z")
        self.assertEqual(row["_msg"], "it broke")
        self.assertEqual(
            row["_stream"],
            '{kubernetes.container_name="api",kubernetes.namespace_name="shop",'
            'kubernetes.pod_name="api-0",stream="stderr"}',
        )
        for name, value in {
            "stream": "stderr",
            "kubernetes.namespace_name": "shop",
            "kubernetes.pod_name": "api-0",
            "kubernetes.container_name": "api",
            "kubernetes.host": "node-1",
            "kubernetes.pod_id": "6b1f",
            "kubernetes.labels.app": "api",
            "kubernetes.labels.app.kubernetes.io/name": "api",
        }.items():
            self.assertEqual(row[name], value, name)
        self.assertNotIn("log", row)
        self.assertNotIn("date", row)
        self.assertRegex(row["_id"], r"^[0-9a-f]{16}-[0-9a-f]+-[0-9a-f]{8}$")
        self.assertTrue(row["_stream_id"])

    def test_direct_form(self):
        self.accepted(
            self.server.send(
                [
                    {
                        "timestamp": int(time.time()),
                        "message": "signed in",
                        "source": "auth",
                        "level": "info",
                        "mark": "direct",
                        "metadata": {
                            "user": "ann",
                            "tries": 2,
                            "ok": True,
                            "tags": ["a", "b c"],
                            "deep": {"er": 1.50},
                            "none": None,
                        },
                    }
                ]
            ),
            1,
        )
        row = self.one("direct")
        self.assertEqual(row["_msg"], "signed in")
        self.assertEqual(row["_stream"], '{source="auth"}')
        self.assertEqual(row["level"], "info")
        self.assertEqual(row["severity"], "info")
        self.assertEqual(row["metadata.user"], "ann")
        self.assertEqual(row["metadata.tries"], "2")
        self.assertEqual(row["metadata.ok"], "true")
        self.assertEqual(row["metadata.tags"], '["a","b c"]')
        self.assertEqual(row["metadata.deep.er"], "1.5")
        self.assertNotIn("metadata.none", row)

    def test_numbers_keep_their_digits(self):
        body = b'{"message":"n","mark":"digits","a":1.50,"b":1e3,"c":123456789012345678901234567890,"d":-0.0}\n'
        self.accepted(self.server.call("POST", PATH, body=body, headers=NDJSON), 1)
        row = self.one("digits")
        self.assertEqual([row[name] for name in "abcd"], ["1.50", "1e3", "123456789012345678901234567890", "-0.0"])

    def test_text_of_every_kind_comes_back(self):
        texts = {
            "quotes": 'say "hi" \\ back',
            "control": "tab\there\u0001end",
            "lines": "a\nb\r\nc",
            "wide": "größe 日本語 🦫",
            "spaces": "  two  spaces  ",
            "slot": "\u00ff\u00fe <*> %d {} ${x}",
            "null": "a\u0000b",
            "long": "x" * 100_000,
            "empty": "",
            "json": '{"a":[1,2,{"b":null}]}',
            "html": "<b>&amp;</b>",
        }
        self.accepted(
            self.server.send([{"message": text, "copy": text, "mark": f"text-{name}"} for name, text in texts.items()]),
            len(texts),
        )
        for name, text in texts.items():
            row = self.one(f"text-{name}")
            self.assertEqual(row["_msg"], text, name)
            self.assertEqual(row.get("copy", ""), text, name)

    def test_escapes_and_surrogates(self):
        body = (
            rb'{"message":"\u00e9\ud83e\uddab\/\b\f","mark":"escapes"}'
            + b"\n"
            + rb'{"message":"half \ud83e end","mark":"half"}'
        )
        self.accepted(self.server.call("POST", PATH, body=body, headers=NDJSON), 2)
        self.assertEqual(self.one("escapes")["_msg"], "é🦫/\b\f")
        self.assertEqual(self.one("half")["_msg"], "half \ufffd end")

    def test_array_object_and_objects_in_a_row(self):
        for name, body, count in [
            ("array", b'[{"message":"a","mark":"array"},{"message":"b","mark":"array"}]', 2),
            ("pretty", b'{\n  "message": "a",\n  "mark": "pretty"\n}', 1),
            ("joined", b'{"message":"a","mark":"joined"}{"message":"b","mark":"joined"}', 2),
            ("crlf", b'\xef\xbb\xbf{"message":"a","mark":"crlf"}\r\n\r\n{"message":"b","mark":"crlf"}', 2),
        ]:
            with self.subTest(name):
                answer = self.server.call("POST", PATH, body=body, headers={"Content-Type": "application/json"})
                self.accepted(answer, count)
                self.assertEqual(len(self.server.query(f"mark:={name}")), count)

    def test_message_fields(self):
        self.accepted(
            self.server.send(
                [
                    {"log": "of log", "message": "stays", "mark": "m1"},
                    {"msg": "of msg", "mark": "m2"},
                    {"_msg": "of _msg", "mark": "m3"},
                    {"mark": "m4"},
                    {"message": 42, "mark": "m5"},
                ]
            ),
            5,
        )
        self.assertEqual((self.one("m1")["_msg"], self.one("m1")["message"]), ("of log", "stays"))
        self.assertEqual(self.one("m2")["_msg"], "of msg")
        self.assertEqual(self.one("m3")["_msg"], "of _msg")
        self.assertEqual(self.one("m4")["_msg"], "")
        self.assertEqual(self.one("m5")["_msg"], "42")

    def test_times(self):
        seconds = int(time.time()) - 3600
        plain = rfc3339(seconds)
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        cases = [
            (seconds, plain),
            (f"{seconds}", plain),
            (seconds * 1000 + 7, plain[:-1] + ".007Z"),
            (seconds * 10**6 + 7, plain[:-1] + ".000007Z"),
            (seconds * 10**9 + 7, plain[:-1] + ".000000007Z"),
            (plain, plain),
            (plain[:-1] + ".120Z", plain[:-1] + ".12Z"),
            (plain[:-1] + ".123456789+00:00", plain[:-1] + ".123456789Z"),
            ((moment + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"), plain),
            (moment.strftime("%Y-%m-%d %H:%M:%S,500"), plain[:-1] + ".5Z"),
            (moment.strftime("%Y/%m/%d %H:%M:%S"), plain),
            (moment.strftime("%Y%m%dT%H%M%SZ"), plain),
            (moment.strftime("%d/%b/%Y:%H:%M:%S +0000"), plain),
            (moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), plain),
            (moment.strftime("%a %b %d %H:%M:%S %Y"), plain),
            (moment.strftime("%b %d %H:%M:%S"), plain),
        ]
        names = ["date", "timestamp", "time", "@timestamp", "_time", "ts"]
        self.accepted(
            self.server.send(
                [
                    {names[i % len(names)]: sent, "message": "t", "mark": f"time-{i}"}
                    for i, (sent, _) in enumerate(cases)
                ]
            ),
            len(cases),
        )
        for i, (sent, expected) in enumerate(cases):
            self.assertEqual(self.one(f"time-{i}")["_time"], expected, f"sent {sent!r}")

    def test_fractions_are_exact(self):
        body = b'{"date":%d.123456789,"message":"f","mark":"fraction"}' % (int(time.time()) - 5)
        self.accepted(self.server.call("POST", PATH, body=body, headers=NDJSON), 1)
        self.assertTrue(self.one("fraction")["_time"].endswith(".123456789Z"))

    def test_severity(self):
        cases = [
            ({"level": "WARN", "message": "m"}, "warning"),
            ({"level": "Fatal", "message": "m"}, "critical"),
            ({"severity": "ERROR", "message": "m"}, "error"),
            ({"lvl": "dbg", "message": "m"}, "debug"),
            ({"level": 30, "message": "m"}, "info"),
            ({"level": "notice", "message": "m"}, "info"),
            ({"levelname": "TRACE", "message": "m"}, "trace"),
            ({"metadata": {"level": "error"}, "message": "m"}, "error"),
            ({"message": "[error] no such file"}, "error"),
            ({"message": "level=warn msg=slow"}, "warning"),
            ({"message": "panic: out of range"}, "critical"),
            ({"message": "request timed out"}, "warning"),
            ({"message": "0 errors found"}, "unknown"),
            ({"message": "hello"}, "unknown"),
        ]
        self.accepted(
            self.server.send([{**record, "mark": f"severity-{i}"} for i, (record, _) in enumerate(cases)]), len(cases)
        )
        for i, (record, expected) in enumerate(cases):
            row = self.one(f"severity-{i}")
            self.assertEqual(row["severity"], expected, record)
            if "level" in record:
                self.assertEqual(row["level"], str(record["level"]))


class Receipts(ServerCase):
    settings = (
        "--body-bytes-max",
        "64KiB",
        "--compressed-body-bytes-max",
        "32KiB",
        "--line-bytes-max",
        "4KiB",
        "--fields-max",
        "20",
    )

    def post(self, body, headers=None, **parameters):
        return self.server.call("POST", PATH, parameters, body=body, headers={**NDJSON, **(headers or {})})

    def test_bad_lines_beside_good_ones(self):
        lines = [
            b'{"message":"good 1","mark":"beside"}',
            b'{"message" "no colon"}',
            b'{"message":"good 2","mark":"beside"}',
            b"not json at all",
            b'{"message":"unclosed',
            b'{"message":"good 3","mark":"beside"}',
            b"{}",
            b'{"message":"x"} tail',
            b'{"a":tru}',
            b'{"a":01}',
            b'{"timestamp":"never","message":"x"}',
            b"[1,2]",
            b'{"message":"good 4","mark":"beside"}',
        ]
        receipt = self.accepted(self.post(b"\n".join(lines)), 4, rejected=9)
        self.assertEqual([error["line"] for error in receipt["errors"]], [2, 4, 5, 7, 8, 9, 10, 11, 12])
        for error in receipt["errors"]:
            self.assertTrue(error["reason"])
            self.assertNotIn("no colon", error["reason"])
            self.assertNotIn("never", error["reason"])
        self.assertEqual(
            sorted(row["_msg"] for row in self.server.query("mark:=beside")), ["good 1", "good 2", "good 3", "good 4"]
        )

    def test_only_the_first_twenty_errors(self):
        receipt = self.accepted(self.post(b"\n".join([b"bad"] * 37 + [b'{"message":"last"}'])), 1, rejected=37)
        self.assertEqual([error["line"] for error in receipt["errors"]], list(range(1, 21)))

    def test_empty_bodies(self):
        for body in [b"", b"\n", b"\r\n \n", b"[]"]:
            with self.subTest(body):
                self.accepted(self.post(body), 0)

    def test_body_too_large_as_sent(self):
        problem = self.problem(self.post(b'{"message":"%s"}\n' % (b"x" * 900) * 40), 413)
        self.assertEqual(problem["type"], "/problems/body-too-large")
        self.assertEqual(problem["bytes_max"], 32 << 10)

    def test_body_too_large_unpacked(self):
        body = gzip.compress(b'{"message":"%s"}\n' % (b"x" * 900) * 100)
        self.assertLess(len(body), 32 << 10)
        problem = self.problem(self.post(body, {"Content-Encoding": "gzip"}), 413)
        self.assertEqual(problem["bytes_max"], 64 << 10)

    def test_a_bomb_is_not_unpacked(self):
        bomb = zlib.compress(b"0" * (20 << 20), 9)
        self.assertLess(len(bomb), 32 << 10)
        self.problem(self.post(bomb, {"Content-Encoding": "deflate"}), 413)

    def test_long_line(self):
        receipt = self.accepted(
            self.post(
                b'{"message":"a","mark":"long"}\n{"message":"%s"}\n{"message":"b","mark":"long"}' % (b"x" * 5000)
            ),
            2,
            rejected=1,
        )
        self.assertEqual(receipt["errors"][0]["line"], 2)
        self.assertIn("4096", receipt["errors"][0]["reason"])
        self.assertEqual(len(self.server.query("mark:=long")), 2)

    def test_too_many_fields(self):
        record = json.dumps({f"f{i}": i for i in range(30)}).encode()
        receipt = self.accepted(self.post(record + b'\n{"message":"few"}'), 1, rejected=1)
        self.assertIn("20", receipt["errors"][0]["reason"])

    def test_too_deep(self):
        receipt = self.accepted(self.post(b'{"a":' * 100 + b"1" + b"}" * 100 + b'\n{"message":"flat"}'), 1, rejected=1)
        self.assertEqual(receipt["errors"][0]["line"], 1)

    def test_name_too_long(self):
        self.accepted(self.post(json.dumps({"n" * 257: 1}).encode() + b'\n{"message":"short"}'), 1, rejected=1)

    def test_types(self):
        for kind in ["application/x-ndjson", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]:
            self.accepted(self.post(b'{"message":"typed"}', {"Content-Type": kind}), 1)
        for kind in ["text/html", "multipart/form-data; boundary=x", "application/x-protobuf", "image/png"]:
            self.problem(self.post(b'{"message":"typed"}', {"Content-Type": kind}), 415)

    def test_unknown_encoding(self):
        for encoding in ["br", "compress", "gzip, gzip", "nonsense"]:
            self.problem(self.post(b'{"message":"m"}', {"Content-Encoding": encoding}), 415)

    def test_damaged_encodings_take_nothing(self):
        good = b'{"message":"damaged","mark":"damaged"}\n' * 50
        for encoding, body in [
            ("gzip", b"not gzip"),
            ("deflate", b"\x78\x9cgarbage"),
            ("zstd", b"not zstd"),
            ("gzip", gzip.compress(good)[:-12]),
            ("deflate", zlib.compress(good)[:-6]),
        ]:
            with self.subTest(encoding=encoding, body=body[:10]):
                self.problem(self.post(body, {"Content-Encoding": encoding}), 400)
        self.assertEqual(self.server.query("mark:=damaged"), [])

    def test_wrong_method(self):
        self.assertIn(self.server.get(PATH).status, (404, 405))


class Encodings(ServerCase):
    body = b"".join(b'{"message":"packed line %d","mark":"%%b"}\n' % i for i in range(500))

    def packed(self, name, pack, encoding):
        body = pack(self.body.replace(b"%b", name.encode()))
        answer = self.server.call("POST", PATH, body=body, headers={**NDJSON, "Content-Encoding": encoding})
        self.accepted(answer, 500)
        self.assertEqual(len(self.server.query(f"mark:={name}")), 500)

    def test_gzip(self):
        self.packed("gzip", gzip.compress, "gzip")
        self.packed("x-gzip", gzip.compress, "X-GZip")

    def test_gzip_members(self):
        self.packed("members", lambda body: gzip.compress(body[:5000]) + gzip.compress(body[5000:]), "gzip")

    def test_deflate(self):
        def bare(body):
            packer = zlib.compressobj(wbits=-15)
            return packer.compress(body) + packer.flush()

        self.packed("zlib", zlib.compress, "deflate")
        self.packed("bare", bare, "deflate")

    @unittest.skipUnless(shutil.which("zstd"), "the zstd command is not installed")
    def test_zstd(self):
        def zstd(body):
            return subprocess.run(["zstd", "-q", "-c"], input=body, capture_output=True, check=True).stdout

        self.packed("zstd", zstd, "zstd")
        self.packed("frames", lambda body: zstd(body[:5000]) + zstd(body[5000:]), "zstd")

    def test_identity(self):
        self.packed("identity", bytes, "identity")

    def test_chunked_transfer(self):
        body = self.body.replace(b"%b", b"chunked")
        pieces = [body[i : i + 1000] for i in range(0, len(body), 1000)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        answer = self.server.raw(
            b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        )
        self.assertIn(b" 200 ", answer.split(b"\r\n")[0])
        self.assertEqual(len(self.server.query("mark:=chunked")), 500)


class Ages(ServerCase):
    settings = ("--retention", "30d")

    def send(self, records, **parameters):
        return self.server.send(records, parameters=parameters)

    def test_ahead_and_old(self):
        now = int(time.time())
        receipt = self.accepted(
            self.send(
                [
                    {"timestamp": now + 3000, "message": "a little ahead", "mark": "age"},
                    {"timestamp": now + 4000, "message": "ahead"},
                    {"timestamp": now - 11 * 31_557_600, "message": "very old"},
                    {"timestamp": now - 31 * 86_400, "message": "past the retention"},
                    {"timestamp": now - 29 * 86_400, "message": "within the retention", "mark": "age"},
                ]
            ),
            2,
            rejected=3,
        )
        self.assertEqual([error["line"] for error in receipt["errors"]], [2, 3, 4])
        self.assertIn("1 hour ahead", receipt["errors"][0]["reason"])
        self.assertIn("10 years back", receipt["errors"][1]["reason"])
        self.assertIn("retention", receipt["errors"][2]["reason"])
        self.assertEqual(
            [row["_msg"] for row in self.server.query("mark:=age", limit=10)],
            ["a little ahead", "within the retention"],
        )

    def test_any_age_keeps_to_the_retention(self):
        now = int(time.time())
        self.accepted(self.send([{"timestamp": now - 40 * 86_400, "message": "old"}], any_age=1), 0, rejected=1)


class AnyAge(ServerCase):
    def test_without_retention(self):
        old = {"timestamp": 946_684_800, "message": "of 2000", "mark": "of-2000"}
        self.accepted(self.server.send([old]), 0, rejected=1)
        self.accepted(self.server.send([old], parameters={"any_age": "1"}), 1)
        self.assertEqual(self.server.query("mark:=of-2000")[0]["_time"], "2000-01-01T00:00:00Z")

    def test_default_limits(self):
        for size, count in [((1 << 20) - 200, 1), ((1 << 20) + 200, 0)]:
            body = b'{"message":"%s"}' % (b"y" * size)
            self.accepted(self.server.call("POST", PATH, body=body, headers=NDJSON), count, rejected=1 - count)
        self.assertEqual(len(self.server.query("*", limit=5)[0]["_msg"]), (1 << 20) - 200)


class Durability(unittest.TestCase):
    def test_what_was_acknowledged_is_there_after_kill(self):
        with Server() as server:
            for i in range(20):
                self.assertEqual(server.send([{"message": f"kept {i}"}]).json["processed_count"], 1)
            server.kill()
            server.start()
            self.assertEqual(len(server.query("kept")), 20)


if __name__ == "__main__":
    unittest.main()
