#!/usr/bin/env python3
"""The benchmark: ingest, size on disk, first answers and start-up of the real binary, over loopback.

  python3 Tests/Benchmarks/bench.py --binary build/timberline [--corpus FILE.ndjson] [--lines 500000] [--tenants 1000]

Without --corpus it makes its own Kubernetes-like records. Ratios are taken in the same run against `zstd -1` on the same bytes,
which is what a machine of this speed can do at best; single times of a shared machine mean little.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))


def make_corpus(path, lines):
    """Records as a shipper sends them: twelve workloads, each with a dozen kinds of lines."""
    source = random.Random(1)
    verbs = ["accepted", "closed", "refused", "retried", "queued", "flushed", "opened", "expired", "merged", "sent"]
    nouns = ["connection", "request", "batch", "session", "segment", "lease", "message", "checkpoint"]
    kinds = [
        (f"{noun} {verb} id={{hex}} peer=10.0.{{small}}.{{small}}:{{port}} took={{number}}ms bytes={{number}}",
         source.choice(["info"] * 6 + ["debug"] * 2 + ["warn", "error"]))
        for noun in nouns for verb in verbs]
    now = time.time() - lines / 100
    with open(path, "w") as file:
        for index in range(lines):
            workload = source.randrange(12)
            text, level = kinds[(workload * 7 + source.randrange(12)) % len(kinds)]
            message = text.format(
                hex=f"{source.getrandbits(48):012x}", small=source.randrange(256), port=source.randrange(1024, 65536),
                number=source.randrange(10_000))
            file.write(json.dumps({
                "date": round(now + index / 100, 6), "log": message, "stream": "stdout", "level": level,
                "kubernetes": {
                    "namespace_name": f"team-{workload % 4}", "pod_name": f"service-{workload}-{source.randrange(3)}",
                    "container_name": f"service-{workload}", "host": f"node-{source.randrange(6)}",
                    "labels": {"app": f"service-{workload}", "tier": "backend"}}}) + "\n")


def bodies(path, lines_per_body=5000):
    batch = []
    with open(path, "rb") as file:
        for line in file:
            batch.append(line)
            if len(batch) == lines_per_body:
                yield b"".join(batch), len(batch)
                batch = []
    if batch:
        yield b"".join(batch), len(batch)


def ingest(server, path, connections=2):
    """Sends the corpus over a few connections; returns wall seconds, lines, and the peak memory seen."""
    todo = list(bodies(path))
    lock = threading.Lock()
    peak = [0]
    failures = []

    def sender():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
        while True:
            with lock:
                if not todo:
                    return
                body, count = todo.pop(0)
            connection.request("POST", "/api/v1/logs/stream", body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            receipt = answer.read()
            if answer.status != 200 or json.loads(receipt)["processed_count"] != count:
                failures.append(receipt[:300])
                return
            peak[0] = max(peak[0], server.resident_bytes())

    begin = time.monotonic()
    threads = [threading.Thread(target=sender) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"bench: a body was not taken: {failures[0]!r}")
    return time.monotonic() - begin, peak[0]


def folder_bytes(path):
    return sum(f.stat().st_blocks * 512 for f in pathlib.Path(path).rglob("*") if f.is_file())


def timed(body):
    begin = time.monotonic()
    body()
    return time.monotonic() - begin


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/timberline")
    parser.add_argument("--corpus")
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--tenants", type=int, default=1000)
    options = parser.parse_args()
    os.environ["TIMBERLINE_BINARY"] = str(pathlib.Path(options.binary).resolve())
    from appliance import Server, run

    with tempfile.TemporaryDirectory(prefix="timberline-bench-") as folder:
        corpus = options.corpus
        if not corpus:
            corpus = os.path.join(folder, "corpus.ndjson")
            make_corpus(corpus, options.lines)
        raw = os.path.getsize(corpus)
        lines = sum(1 for _ in open(corpus, "rb"))
        print(f"corpus: {lines} lines, {raw} bytes")

        usage = os.times()
        subprocess.run(["zstd", "-1", "-T1", "-q", "-f", corpus, "-o", os.path.join(folder, "c.zst")], check=True)
        after = os.times()
        zstd_cpu = after.children_user + after.children_system - usage.children_user - usage.children_system
        zstd_bytes = os.path.getsize(os.path.join(folder, "c.zst"))
        os.unlink(os.path.join(folder, "c.zst"))

        data = os.path.join(folder, "data")
        with Server(data=data) as server:
            seconds, peak = ingest(server, corpus)
            cpu = server.cpu_seconds()
            print(f"ingest: {lines / seconds:,.0f} lines/s durable, {seconds:.2f} s, server CPU {cpu:.2f} s "
                  f"({cpu / lines * 1e6:.2f} s per million), {cpu / zstd_cpu:.1f} x zstd -1's CPU, peak RSS {peak >> 20} MiB")
            server.stop()
        stored = folder_bytes(data)
        print(f"size: {stored} bytes, {100 * stored / raw:.2f} % of raw, {stored / lines:.1f} bytes a record, "
              f"{stored / zstd_bytes:.2f} x zstd -1")

        start = time.monotonic()
        with Server(data=data) as server:
            ready = time.monotonic() - start
            first = timed(lambda: server.query("*", limit=100))
            print(f"start: {1000 * ready:.0f} ms to listening, {1000 * first:.1f} ms to the first 100 records after it")
            queries = [
                ("newest 100", lambda: server.query("*", limit=100)),
                ("word, newest 100", lambda: server.query("error", limit=100)),
                ("absent needle", lambda: server.query("0123456789abcdef0123456789abcdef", limit=100)),
                ("count by severity", lambda: server.query("* | stats by (severity) count() as n")),
                ("hits per minute", lambda: server.get("/api/v1/logs/hits", query="*", step="1m", field="severity")),
                ("facets", lambda: server.get("/api/v1/logs/facets", query="*")),
                ("patterns", lambda: server.get("/api/v1/patterns", query="*")),
                ("regexp count", lambda: server.query('~"(timed out|refused).*[0-9]{4}" | count()')),
            ]
            for name, query in queries:
                query()
                cpu = server.cpu_seconds()
                wall = median([timed(query) for _ in range(5)])
                print(f"query: {name}: {1000 * wall:.1f} ms wall, {1000 * (server.cpu_seconds() - cpu) / 5:.0f} ms CPU")
            print(f"idle RSS with everything open: {server.resident_bytes() >> 20} MiB")
            server.stop()

        data = os.path.join(folder, "many")
        make_tenants(data, options.tenants)
        start = time.monotonic()
        with Server(data=data) as server:
            server.call("GET", "/api/v1/healthz")
            print(f"start with {options.tenants} tenants: {1000 * (time.monotonic() - start):.0f} ms to the first answer")
            server.stop()


def make_tenants(data, count):
    """Tenants with a file each: copies of one that holds records."""
    from appliance import Server
    with Server(data=data) as server:
        server.send([{"message": f"line {index}"} for index in range(100)])
        server.stop()
    source = pathlib.Path(data) / "tenants" / "default"
    import shutil
    import sqlite3
    control = sqlite3.connect(os.path.join(data, "control.sqlite"))
    for index in range(count):
        name = f"t{index:05d}"
        shutil.copytree(source, source.parent / name)
        control.execute("INSERT INTO tenant (id, name, created_at) VALUES (?, ?, 0)", (name, name))
    control.commit()
    control.close()


if __name__ == "__main__":
    main()
