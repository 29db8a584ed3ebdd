"""Random records and random queries against a slow and simple reading of the language.

The head, blocks and merged blocks must all say the same as it does.

TIMBERLINE_ORACLE_SEED repeats a run; a failure names its seed.
"""

import collections
import json
import os
import random
import re
import time
import unittest
import urllib.parse

from appliance import Server, eventually

SEED = int(os.environ.get("TIMBERLINE_ORACLE_SEED", random.SystemRandom().randrange(1 << 32)))
QUERY_COUNT = int(os.environ.get("TIMBERLINE_ORACLE_QUERIES", "120"))
BASE = int(time.time()) // 3600 * 3600 - 7200
WINDOW = {"start": str(BASE), "end": str(BASE + 4000)}

WORDS = [
    "connection",
    "refused",
    "timeout",
    "user",
    "ann",
    "bob",
    "disk",
    "full",
    "Error",
    "error",
    "retry",
    "GET",
    "größe",
    "日本",
    "x",
    "api_key",
    "A-17",
]


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Records:
    """Records of many shapes: few and many kinds of lines, constant, rare, numeric and free fields."""

    def __init__(self, source, count):
        self.records = []
        for index in range(count):
            record = {
                "timestamp": BASE * 1000 + index * 1000 + source.randrange(1000),
                "message": self.message(source),
                "n": index,
            }
            record["source"] = source.choice(["web", "db", "queue", "web", "web"])
            if source.random() < 0.7:
                record["level"] = source.choice(["info", "warn", "error", "debug", "INFO"])
            if source.random() < 0.5:
                record["status"] = source.choice([200, 200, 201, 404, 500, "200", "none", 1.5, -3])
            if source.random() < 0.3:
                record["ip"] = f"10.{source.randrange(3)}.{source.randrange(256)}.{source.randrange(256)}"
            if source.random() < 0.3:
                record["free"] = " ".join(source.choices(WORDS, k=source.randrange(4)))
            if source.random() < 0.01:
                record[f"rare{source.randrange(40)}"] = source.choice(WORDS)
            if source.random() < 0.2:
                record["uuid"] = "-".join(f"{source.getrandbits(4 * n):0{n}x}" for n in (8, 4, 4, 4, 12))
            self.records.append(record)

    def message(self, source):
        kind = source.randrange(9)
        if kind == 0:
            return " ".join(source.choices(WORDS, k=source.randrange(8)))
        if kind == 1:
            address = f"10.0.{source.randrange(9)}.{source.randrange(256)}:{source.randrange(1000, 9999)}"
            return f"connection from {address} refused after {source.randrange(500)}ms"
        if kind == 2:
            return (
                f"user {source.choice(['ann', 'bob', 'u%d' % source.randrange(50)])} took {source.random() * 10:.2f}s"
            )
        if kind == 3:
            return (
                f"GET /api/v1/items/{source.randrange(300)}?q={source.choice(WORDS)} {source.choice([200, 404, 500])}"
            )
        if kind == 4:
            return f"wrote {source.getrandbits(64):016x} to /var/lib/data/{source.randrange(20)}.log"
        if kind == 5:
            return json.dumps({"order": source.randrange(100), "user": source.choice(["ann", "bob"])})
        if kind == 6:
            thread = source.choice(["main", f"worker-{source.randrange(9)}"])
            return f"[{thread}] Error: disk {source.choice('abc')} is {source.randrange(101)}% full"
        if kind == 7:
            return "heartbeat"
        return "".join(
            chr(source.choice([32, 46, 97, 98, 48, 49, 95, 45, 58, 233, 0x65E5, 10, 9]))
            for _ in range(source.randrange(30))
        ).rstrip("\n")


def is_word(character):
    return character == "_" or character.isalnum()


def has_phrase(text, phrase, prefix=False):
    """Whether `phrase` stands in `text` with no word character of its own kind right before or behind it."""
    if phrase == "":
        return text == ""
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        before = start == 0 or not (is_word(text[start - 1]) and is_word(phrase[0]))
        behind = prefix or end == len(text) or not (is_word(text[end]) and is_word(phrase[-1]))
        if before and behind:
            return True
        start = text.find(phrase, start + 1)
    return False


def number(text):
    return float(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


class Oracle:
    """Makes a filter's text together with a function that says which records it finds."""

    def __init__(self, source, records):
        self.source, self.records = source, records

    @staticmethod
    def value(record, field):
        value = record.get("message" if field == "_msg" else field, "")
        return value if isinstance(value, str) else json.dumps(value)

    def piece(self, text):
        """Some part of a text, often one of whole words."""
        source = self.source
        if not text:
            return source.choice(WORDS)
        if source.random() < 0.6:
            words = re.findall(r"\w+", text) or [text]
            return source.choice(words)
        start = source.randrange(len(text))
        return text[start : start + source.randrange(1, 14)]

    def sample(self):
        field = self.source.choice(
            ["_msg", "_msg", "_msg", "level", "status", "source", "free", "ip", "uuid", "n", "absent"]
        )
        return field, self.piece(self.value(self.source.choice(self.records), field))

    def test(self):
        field, text = self.sample()
        value = lambda record: self.value(record, field)
        quoted = json.dumps(text, ensure_ascii=False)
        name = "" if field == "_msg" else f"{field}:"
        kind = self.source.randrange(13)
        if kind in (0, 1):
            return f"{name}{quoted}", lambda r: has_phrase(value(r), text)
        if kind == 2:
            return f"{name}{quoted}*", lambda r: has_phrase(value(r), text, prefix=True)
        if kind == 3:
            return f"{name}*{quoted}*", lambda r: text in value(r)
        if kind == 4:
            whole = self.value(self.source.choice(self.records), field)
            return f"{field}:={json.dumps(whole, ensure_ascii=False)}", lambda r: value(r) == whole
        if kind == 5:
            return f"{field}:={quoted}*", lambda r: value(r).startswith(text)
        if kind == 6:
            pattern = re.escape(text).replace("\\ ", " ").replace("\\\n", "\\n").replace("\\\t", "\\t")
            return f"{name}~{json.dumps(pattern, ensure_ascii=False)}", lambda r: text in value(r)
        if kind == 7:
            return f"{field}:i({quoted})", lambda r: has_phrase(value(r).lower(), text.lower())
        if kind == 8:
            values = {self.value(self.source.choice(self.records), field) for _ in range(3)}
            return (
                f"{field}:in({', '.join(json.dumps(v, ensure_ascii=False) for v in values)})",
                lambda r: value(r) in values,
            )
        if kind == 9:
            return f"{field}:*", lambda r: value(r) != ""
        if kind == 10:
            return f'{field}:""', lambda r: value(r) == ""
        if kind == 11:
            field = self.source.choice(["status", "n"])
            low = self.source.choice([-5, 0, 200, 201, 300, 404, 1000])
            high = low + self.source.choice([0, 1, 200, 1000])

            def within(record):
                found = number(self.value(record, field))
                return found is not None and low <= found <= high

            return f"{field}:range[{low}, {high}]", within
        low, high = sorted(self.source.sample(range(0, 40), 2))
        return f"{field}:len_range({low}, {high})", lambda r: low <= len(value(r)) <= high

    def filter(self, depth=0):
        kind = self.source.randrange(8) if depth < 3 else 0
        if kind <= 3:
            return self.test()
        left, is_left = self.filter(depth + 1)
        if kind == 4:
            return f"!({left})", lambda r: not is_left(r)
        right, is_right = self.filter(depth + 1)
        if kind in (5, 6):
            return f"({left} or {right})", lambda r: is_left(r) or is_right(r)
        return f"({left} {right})", lambda r: is_left(r) and is_right(r)


class AgainstAnOracle(unittest.TestCase):
    def setUp(self):
        source = random.Random(SEED)
        self.records = Records(source, 2500).records
        oracle = Oracle(source, self.records)
        self.queries = [oracle.filter() for _ in range(QUERY_COUNT)]

    def ask(self, server, state):
        wrong = []
        for text, holds in self.queries:
            answer = server.call(
                "POST",
                "/api/v1/logs/query",
                {**WINDOW},
                body=urllib.parse.urlencode({"query": f"{text} | fields n"}),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            self.assertEqual(answer.status, 200, f"seed {SEED}, {state}: {text!r}: {answer.body[:300]!r}")
            found = sorted(int(row["n"]) for row in answer.lines)
            expected = [record["n"] for record in self.records if holds(record)]
            if found != expected:
                extra, missing = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
                example = self.records[(extra or missing or [0])[0]]
                wrong.append(
                    f"{text}\n    too many {extra[:5]} of {len(extra)}, "
                    f"missing {missing[:5]} of {len(missing)}, e.g. {example}"
                )
                continue
            count = server.query(f"{text} | stats count() as c", **WINDOW)[0]["c"]
            if int(count) != len(expected):
                wrong.append(f"{text}\n    counts {count}, has {len(expected)}")
            newest = [int(row["n"]) for row in server.query(f"{text}", limit=7, **WINDOW)]
            if newest != expected[::-1][:7]:
                wrong.append(f"{text}\n    newest {newest}, not {expected[::-1][:7]}")
        if wrong:
            self.fail(f"seed {SEED}, {state}: {len(wrong)} of {len(self.queries)} queries\n" + "\n".join(wrong[:8]))

    def count(self, server, state):
        """Aggregates over the same filters: by pipes, by the histogram, by facets and field values."""
        value = Oracle.value
        for text, holds in self.queries[::4]:
            with self.subTest(seed=SEED, state=state, query=text):
                found = [record for record in self.records if holds(record)]

                groups = collections.defaultdict(list)
                for record in found:
                    groups[(value(record, "source"), value(record, "level"))].append(record)
                expected = []
                for (source, level), members in groups.items():
                    numbers = [member["n"] for member in members]
                    row = {
                        "source": source,
                        "level": level,
                        "c": str(len(members)),
                        "s": str(sum(numbers)),
                        "lo": str(min(numbers)),
                        "hi": str(max(numbers)),
                        "u": str(len({value(member, "status") for member in members} - {""})),
                        "e": str(sum(value(member, "free") == "" for member in members)),
                    }
                    expected.append({name: item for name, item in row.items() if item != ""})
                rows = server.query(
                    f"{text} | stats by (source, level) count() c, sum(n) s, min(n) lo, max(n) hi, "
                    "count_uniq(status) u, count_empty(free) e",
                    **WINDOW,
                )
                self.assertCountEqual(
                    [{name: item for name, item in row.items() if item != ""} for row in rows], expected
                )

                for step, seconds in (("1m", 60), ("5m", 300), ("7s", 7)):
                    buckets = collections.Counter(record["timestamp"] // 1000 // seconds * seconds for record in found)
                    hits = server.get("/api/v1/logs/hits", query=text, step=step, **WINDOW).json["hits"]
                    counted = dict(zip(hits[0]["timestamps"], hits[0]["values"])) if hits else {}
                    self.assertEqual(counted, {stamp(time): count for time, count in buckets.items()}, step)
                    rows = server.query(f"{text} | stats by (_time:{step}) count() c", **WINDOW)
                    self.assertEqual({row["_time"]: int(row["c"]) for row in rows}, counted, step)

                by_level = collections.Counter(value(record, "level") for record in found)
                hits = server.get("/api/v1/logs/hits", query=text, step="1h", field="level", **WINDOW).json["hits"]
                self.assertEqual({series["fields"]["level"]: series["total"] for series in hits}, dict(by_level))
                del by_level[""]
                values = server.get("/api/v1/logs/field_values", query=text, field="level", **WINDOW).json["values"]
                self.assertEqual({entry["value"]: entry["hits"] for entry in values}, dict(by_level))
                facets = {
                    facet["field_name"]: facet
                    for facet in server.get("/api/v1/logs/facets", query=text, **WINDOW).json["facets"]
                }
                listed = (
                    {entry["field_value"]: entry["hits"] for entry in facets["level"]["values"]} if by_level else {}
                )
                self.assertEqual(listed, dict(by_level))
                rows = server.query(f"{text} level:* | uniq by (level) with hits", **WINDOW)
                self.assertEqual({row["level"]: int(row["hits"]) for row in rows}, dict(by_level))

                names = collections.Counter(
                    name
                    for record in found
                    for name in record
                    if name not in ("timestamp", "message") and value(record, name) != ""
                )
                answer = server.get("/api/v1/logs/field_names", query=text, **WINDOW).json["values"]
                counted = {entry["value"]: entry["hits"] for entry in answer}
                for name, count in names.items():
                    if name != "free":  # sent empty by some
                        self.assertEqual(counted.get(name), count, name)

                rows = server.query(f"{text} | sort by (source, n desc) offset 3 limit 5 | fields n", **WINDOW)
                ordered = sorted(found, key=lambda record: (record["source"], -record["n"]))
                self.assertEqual([int(row["n"]) for row in rows], [record["n"] for record in ordered[3:8]])

    def compute(self, server, state):
        """Functions of `stats` over a field of numbers, text and nothing, and the order of such values."""
        value = Oracle.value

        def order(text):
            found = number(text)
            return (0, 0, "") if text == "" else (1, found, "") if found is not None else (2, 0, text)

        for text, holds in self.queries[::5]:
            with self.subTest(seed=SEED, state=state, query=text):
                found = [record for record in self.records if holds(record)]
                statuses = [value(record, "status") for record in found]
                ordered = sorted(statuses, key=order)
                given = [status for status in ordered if status != ""]
                numbers = [number(status) for status in given if number(status) is not None]
                at = lambda values, part: values[min(int(part * len(values)), len(values) - 1)] if values else ""
                rows = server.query(
                    f"{text} | stats sum(status) s, avg(status) a, count(status) c, count(status, level) cl, "
                    "count_empty(status) e, min(status) lo, max(status) hi, median(status) m, quantile(0.9, status) q, "
                    "min(status) if (status:*) lo2, median(status) if (status:*) m2, sum(status) if (status:=none) z, "
                    "uniq_values(status) u, uniq_values(status) limit 2 u2, values(status) v, "
                    "count_uniq(status, level) cu, count_uniq(n) limit 5 c5, row_min(n, n) first, row_max(n, n) last, "
                    "row_any(absent) any, json_values(n) sort by (n desc) limit 3 j, sum_len(status) l, rate() r, "
                    "rate_sum(n) rs, sum(n, n) twice, sum(absent) none",
                    **WINDOW,
                )
                self.assertEqual(len(rows), 1)
                row = collections.defaultdict(str, rows[0])
                if numbers:
                    self.assertAlmostEqual(float(row["s"]), sum(numbers))
                    self.assertAlmostEqual(float(row["a"]), sum(numbers) / len(numbers))
                else:
                    self.assertEqual((row["s"], row["a"]), ("NaN", "NaN"))
                self.assertEqual((row["z"], row["none"]), ("NaN", "NaN"))
                self.assertEqual(int(row["c"]), len(given))
                self.assertEqual(int(row["e"]), len(found) - len(given))
                pairs = {(value(record, "status"), value(record, "level")) for record in found} - {("", "")}
                both = sum(value(record, "status") + value(record, "level") != "" for record in found)
                self.assertEqual((int(row["cl"]), int(row["cu"])), (both, len(pairs)))
                self.assertEqual((row["lo"], row["hi"]), (at(ordered, 0), at(ordered, 1)))
                self.assertEqual((row["m"], row["q"]), (at(ordered, 0.5), at(ordered, 0.9)))
                self.assertEqual((row["lo2"], row["m2"]), (at(given, 0), at(given, 0.5)))
                distinct = sorted(set(given), key=order)
                self.assertEqual(json.loads(row["u"]), distinct)
                few = json.loads(row["u2"])
                self.assertEqual((len(few), few), (min(2, len(distinct)), sorted(few, key=order)))
                self.assertLessEqual(set(few), set(distinct))
                self.assertCountEqual(json.loads(row["v"]), statuses)
                counted = [record["n"] for record in found]
                self.assertEqual(int(row["c5"]), min(5, len(counted)))
                self.assertEqual(json.loads(row["first"]), {"n": str(min(counted))} if counted else {})
                self.assertEqual(json.loads(row["last"]), {"n": str(max(counted))} if counted else {})
                self.assertEqual(json.loads(row["any"]), {})
                self.assertEqual(json.loads(row["j"]), [{"n": str(n)} for n in counted[::-1][:3]])
                self.assertEqual(int(row["l"]), sum(map(len, statuses)))
                self.assertAlmostEqual(float(row["r"]), len(found) / 4000)
                if counted:
                    self.assertAlmostEqual(float(row["rs"]), sum(counted) / 4000)
                    self.assertEqual(float(row["twice"]), 2 * sum(counted))

                for words, sign in (("", 1), (" desc", -1)):
                    rows = server.query(f"{text} | sort by (status{words}, n) | fields n", **WINDOW)
                    expected = sorted(found, key=lambda record: record["n"])
                    expected.sort(key=lambda record: order(value(record, "status")), reverse=sign < 0)
                    self.assertEqual([int(row["n"]) for row in rows], [record["n"] for record in expected], words)

    def test_head_blocks_and_merged_blocks(self):
        with Server(arguments=["--head-seconds-max", "3600"]) as server:
            self.assertEqual(server.send(self.records).json["processed_count"], len(self.records))
            self.ask(server, "head")
            self.count(server, "head")
            self.compute(server, "head")
            server.stop()
            server.start()
            self.ask(server, "blocks")
            self.count(server, "blocks")
            self.compute(server, "blocks")
        with Server(arguments=["--head-seconds-max", "1"]) as server:
            order = list(self.records)
            random.Random(SEED).shuffle(order)
            for start in range(0, len(order), 500):
                if not server.is_running:
                    server.start()
                self.assertEqual(server.send(order[start : start + 500]).json["processed_count"], 500)
                server.stop()
            server.start()
            blocks = lambda: server.get("/api/v1/logs/hits", query="*", **WINDOW).json["statistics"]["blocks"]
            before = blocks()
            server.send([{"message": "filler", "source": "filler"}])
            eventually(lambda: blocks() < before)
            self.ask(server, "merged blocks")
            self.count(server, "merged blocks")
            self.compute(server, "merged blocks")


if __name__ == "__main__":
    unittest.main()
