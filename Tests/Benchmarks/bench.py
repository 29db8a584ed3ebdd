#!/usr/bin/env python3
"""The benchmark of the engine: the real binary over loopback, its answers checked against a plain scan of the same file.

  python3 Tests/Benchmarks/bench.py [engine] [tenants] [growth] [meaning] [--corpus FILE.ndjson] [--write docs/benchmarks.md]

Without --corpus it makes its own Kubernetes-like records. Single times of a shared machine mean little: CPU seconds are what
counts, and the ratio to `zstd -1` of the same bytes in the same run says how fast the machine is.
"""

import argparse
import http.client
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

import corpus as corpora
from measure import Asker, cpu_seconds, folder_bytes, memory, timed, zstd
from plain_scan import MESSAGE_TESTS, PlainScan


class Report:
    """Lines for people as they come, and a table at the end."""

    def __init__(self):
        self.rows = []

    def figure(self, work, reached, aim="", wall=""):
        self.rows.append((work, reached, aim, wall))
        print(f"{work}: {reached}" + (f" ({wall} wall)" if wall else "") + (f", to reach: {aim}" if aim else ""), flush=True)

    def table(self):
        lines = ["| work | reached | to reach | wall |", "|---|---|---|---|"]
        return "\n".join(lines + [f"| {' | '.join(row)} |" for row in self.rows]) + "\n"


def ingest(server, path, connections=2):
    """Sends the corpus; returns wall seconds. The bodies are read before the clock starts."""
    todo = list(corpora.bodies(path))
    todo.reverse()
    lock = threading.Lock()
    failures = []

    def sender():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
        while True:
            with lock:
                if not todo or failures:
                    return
                body, count = todo.pop()
            connection.request("POST", "/api/v1/logs/stream", body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            receipt = answer.read()
            if answer.status != 200 or json.loads(receipt)["processed_count"] != count:
                failures.append(receipt[:300])

    begin = time.monotonic()
    threads = [threading.Thread(target=sender) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"bench: a body was not taken: {failures[0]!r}")
    return time.monotonic() - begin


def settle(server, quiet_seconds=2):
    """Waits until the background work (sealing, merging) is over: the process has used no CPU time worth naming."""
    pid = server.process.pid
    while True:
        before = cpu_seconds(pid)
        time.sleep(quiet_seconds)
        if cpu_seconds(pid) - before < 0.02 * quiet_seconds:
            return


def check(name, actual, expected):
    if actual != expected:
        raise SystemExit(f"bench: {name}: the answer is not that of a plain scan: {str(actual)[:300]} != {str(expected)[:300]}")


def milliseconds(text):
    """RFC 3339 as the corpus's milliseconds."""
    import datetime
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def check_newest(name, rows, expected):
    """The last records, where equal times may stand in any order and the oldest of equal times be any of them."""
    actual = sorted((milliseconds(row["_time"]), row["_msg"]) for row in rows)
    check(name + " (times)", [row[0] for row in actual], [row[0] for row in expected])
    oldest = expected[0][0]
    check(name, [row for row in actual if row[0] > oldest], [row for row in expected if row[0] > oldest])


def engine(path, folder, report):
    from appliance import Server
    print("plain scan of the corpus ...", flush=True)
    plain = PlainScan(path)
    raw = os.path.getsize(path)
    zstd_cpu, zstd_bytes = zstd(path, os.path.join(folder, "corpus.zst"))
    print(f"corpus: {plain.records} records, {raw} bytes; zstd -1: {zstd_cpu:.2f} CPU s, {zstd_bytes} bytes", flush=True)
    millions = plain.records / 1e6

    data = os.path.join(folder, "data")
    with Server(data=data) as server:
        seconds = ingest(server, path)
        settle(server)
        cpu = cpu_seconds(server.process.pid)
        report.figure("ingest: server CPU s per million records, sealing and merging in",
                      f"{cpu / millions:.2f} ({cpu / zstd_cpu:.1f} × zstd -1)", "<= 3.5")
        report.figure("ingest: records a second, each body durable before its answer", f"{plain.records / seconds:,.0f}",
                      ">= 200,000")
        report.figure("ingest: memory at most", f"{memory(server.process.pid, 'VmHWM') >> 20} MiB", "<= 240")
        server.stop()
    stored = folder_bytes(data)
    report.figure("disk: bytes a record, settled and closed",
                  f"{stored / plain.records:.1f} (1/{raw / stored:.0f} of raw, {stored / zstd_bytes:.2f} × zstd -1)", "<= 16")

    begin = time.monotonic()
    with Server(data=data) as server:
        asker = Asker(server)
        first = asker.rows("*", limit=100)
        report.figure("start to first answer", f"{1000 * (time.monotonic() - begin):.0f} ms", "<= 90")
        check_newest("newest 100", first, plain.newest)
        settle(server)
        report.figure("memory: idle, all records open", f"{memory(server.process.pid) >> 20} MiB", "<= 60")
        ask(server, asker, plain, report)
        settle(server)
        report.figure("memory: idle, after all questions", f"{memory(server.process.pid) >> 20} MiB")
        server.stop()


def ask(server, asker, plain, report):
    """Each question: its answer checked, then its median CPU milliseconds."""

    def figure(name, aim, question):
        cpu, wall = timed(server, question)
        report.figure(name + ": CPU ms", f"{cpu:.2f}", aim, f"{wall:.1f} ms")

    def newest(name, aim, query, expected):
        check_newest(name, asker.rows(query, limit=100), expected)
        figure(name, aim, lambda: asker.get("/api/v1/logs/query", query=query, limit=100))

    def count(name, aim, query, expected):
        rows = asker.rows(query + " | count() as n")
        check(name, int(rows[0]["n"]), expected)
        figure(name, aim, lambda: asker.get("/api/v1/logs/query", query=query + " | count() as n"))

    def hits(name, aim, query, expected):
        def question():
            return asker.get("/api/v1/logs/hits", query=query, step="1m", field="severity")
        actual = {}
        for series in json.loads(question())["hits"]:
            for moment, value in zip(series["timestamps"], series["values"]):
                minute = milliseconds(moment) // 60_000
                actual[minute] = actual.get(minute, 0) + value
        check(name, actual, dict(expected))
        figure(name, aim, question)

    phrase = json.dumps(plain.phrase)
    newest("newest 100", "<= 5", "*", plain.newest)
    newest("newest 100 of one pod", "<= 3", '{kubernetes.pod_name="%s"}' % plain.pod, plain.newest_of_pod)
    if plain.needle:
        check("needle", len(asker.rows(f'"{plain.needle}"', limit=100)), plain.counts["needle"])
        figure("32-digit needle", "<= 2.5", lambda: asker.get("/api/v1/logs/query", query=f'"{plain.needle}"', limit=100))
    by_namespace = "level:=ERROR | stats by (kubernetes.namespace_name) count() as n"
    check("ERROR by namespace", {row["kubernetes.namespace_name"]: int(row["n"]) for row in asker.rows(by_namespace)},
          dict(plain.errors_by_namespace))
    figure("ERROR by namespace", "<= 3", lambda: asker.get("/api/v1/logs/query", query=by_namespace))
    newest("phrase in 1 %: newest 100", "<= 5", phrase, plain.newest_phrase)
    count("phrase in 1 %: count", "<= 10", phrase, plain.counts["phrase"])
    hits("hits a minute: phrase", "<= 15", phrase, plain.phrase_minutes)
    hits("hits a minute: everything", "<= 15", "*", plain.minutes)
    aims = dict(zip(MESSAGE_TESTS, ("<= 60", "<= 60", "<= 60", "<= 300", "<= 200", "<= 400", "<= 60", "<= 80")))
    for name, (query, _) in MESSAGE_TESTS.items():
        count(f"{name} `{query}`: count".replace("|", "\\|"), aims[name], query, plain.counts[name])

    top = asker.document("/api/v1/patterns", query="*", limit=10)
    check("patterns", top["records"], plain.records)
    figure("top 10 patterns", "<= 30", lambda: asker.get("/api/v1/patterns", query="*", limit=10))
    facets = {f["field_name"]: f["values"] for f in asker.document("/api/v1/logs/facets", query="*", limit=10)["facets"]}
    check("facets", {v["field_value"]: v["hits"] for v in facets["level"]}, dict(plain.levels))
    figure("facets", "<= 25", lambda: asker.get("/api/v1/logs/facets", query="*", limit=10))


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
            break
    commit = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, commit {commit}"


def write(path, part, text):
    """Puts a part's figures between its marks in a page, in place of the last ones."""
    page = pathlib.Path(path).read_text()
    begin, end = f"<!-- bench {part} -->\n", f"<!-- /bench {part} -->"
    if begin not in page or end not in page:
        raise SystemExit(f"bench: {path} has no place for {part}: {begin.strip()} … {end}")
    head, rest = page.split(begin, 1)
    pathlib.Path(path).write_text(head + begin + text + end + rest.split(end, 1)[1])


def main():
    import meaning
    import scale
    parts = {"engine": engine, "tenants": scale.tenants, "growth": scale.growth, "meaning": meaning.meaning}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["engine"], help="engine (default), tenants, growth, meaning")
    parser.add_argument("--binary", default=str(HERE.parents[1] / "build" / "timberline"))
    parser.add_argument("--corpus", help="NDJSON in Fluent Bit's shape")
    parser.add_argument("--lines", type=int, default=500_000, help="of the benchmark's own corpus")
    parser.add_argument("--write", help="a page with marks for each part, whose figures are replaced")
    options = parser.parse_args()
    for part in options.parts:
        if part not in parts:
            parser.error(f"no part is called {part!r}: there are {', '.join(parts)}")
    os.environ["TIMBERLINE_BINARY"] = str(pathlib.Path(options.binary).resolve())

    with tempfile.TemporaryDirectory(prefix="timberline-bench-") as folder:
        path = options.corpus
        if not path:
            path = os.path.join(folder, "corpus.ndjson")
            corpora.make_corpus(path, options.lines)
        for part in options.parts:
            report = Report()
            parts[part](path, folder, report)
            if options.write:
                write(options.write, part, f"{machine()}\n\n{report.table()}")


if __name__ == "__main__":
    main()
