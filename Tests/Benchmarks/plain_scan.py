"""What the answers must be: one pass over the corpus with Python's own JSON and regular expressions."""

import collections
import json
import pathlib
import re

#: name -> (LogsQL filter, the test of a message). A word is bounded by what is no letter, digit or underscore.
MESSAGE_TESTS = {
    "substring": ('_msg:~"xcept"', re.compile(r"xcept")),
    "absent substring": ('_msg:~"qzxqzx"', re.compile(r"qzxqzx")),
    "prefix": ("conne*", re.compile(r"\bconne")),
    "regexp blk": ('_msg:~"blk_-?[0-9]*77[0-9]*8 "', re.compile(r"blk_-?[0-9]*77[0-9]*8 ")),
    "regexp words": (
        '_msg:~"(timed out|refused|unreachable).*[0-9]{4}"', re.compile(r"(timed out|refused|unreachable).*[0-9]{4}")),
    "regexp words, any case": (
        '_msg:~"(?i)(timed? ?out|refused|unreachable).*[0-9]{4}"',
        re.compile(r"(?i)(timed? ?out|refused|unreachable).*[0-9]{4}")),
    "word, any case": ("i(TIMEOUT)", re.compile(r"(?i)\btimeout\b")),
    "substring, any case": ('_msg:~"(?i)timeOut"', re.compile(r"(?i)timeout")),
}


class PlainScan:
    """Counts and rows of every query of the benchmark."""

    def __init__(self, path, newest=100):
        meta = pathlib.Path(path + ".meta.json")
        planted = json.loads(meta.read_text()) if meta.exists() else {}
        self.phrase = planted.get("phrase", "connection reset")
        self.needle = planted.get("needle")
        phrase = re.compile(rf"\b{re.escape(self.phrase)}\b")
        self.records = 0
        self.counts = collections.Counter()
        self.levels = collections.Counter()
        self.errors_by_namespace = collections.Counter()
        self.minutes = collections.Counter()
        self.phrase_minutes = collections.Counter()
        by_pod = collections.defaultdict(lambda: collections.deque(maxlen=newest))
        pods = collections.Counter()
        last, last_phrase = collections.deque(maxlen=newest), collections.deque(maxlen=newest)
        with open(path, "rb") as file:
            for line in file:
                record = json.loads(line)
                message, kubernetes = record["log"], record["kubernetes"]
                row = (round(record["date"] * 1000), message)
                self.records += 1
                self.levels[record["level"]] += 1
                self.minutes[row[0] // 60_000] += 1
                if record["level"] == "ERROR":
                    self.errors_by_namespace[kubernetes["namespace_name"]] += 1
                pods[kubernetes["pod_name"]] += 1
                by_pod[kubernetes["pod_name"]].append(row)
                last.append(row)
                for name, (_, test) in MESSAGE_TESTS.items():
                    if test.search(message):
                        self.counts[name] += 1
                if phrase.search(message):
                    self.counts["phrase"] += 1
                    self.phrase_minutes[row[0] // 60_000] += 1
                    last_phrase.append(row)
                if self.needle and self.needle in message:
                    self.counts["needle"] += 1
        self.pod = pods.most_common(1)[0][0]
        self.newest, self.newest_phrase, self.newest_of_pod = sorted(last), sorted(last_phrase), sorted(by_pod[self.pod])
