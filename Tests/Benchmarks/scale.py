"""How the engine's costs grow: with the number of tenants, and with what one tenant holds.

Environment, for smaller runs: BENCH_TENANTS (active tenants, default 1000), BENCH_TENANT_FILES (tenants in all, default
10000), BENCH_GROWTH_RECORDS (records of the grown tenant, default 20000000).
"""

import datetime
import hashlib
import hmac
import http.client
import itertools
import json
import os
import re
import sqlite3
import threading
import time

import corpus as corpora
from measure import Asker, cpu_seconds, folder_bytes, memory, timed

ACTIVE = int(os.environ.get("BENCH_TENANTS", "1000"))
FILES = int(os.environ.get("BENCH_TENANT_FILES", "10000"))
RECORDS = int(os.environ.get("BENCH_GROWTH_RECORDS", "20000000"))


# --- Many tenants

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def add_tenants(data, count):
    """Tenants `t0`… with a key each, written as `timberline tenant add` would write them, in a second instead of ten minutes."""
    from appliance import run
    run("tenant", "add", "template", "--data", data)
    keys = []
    with sqlite3.connect(os.path.join(data, "control.sqlite")) as control:
        pepper = control.execute("SELECT value FROM setting WHERE name = 'secret.token-pepper'").fetchone()[0]
        scopes, = control.execute("SELECT scopes FROM api_key LIMIT 1").fetchone()
        for number in range(count):
            tenant, key_id, secret = f"t{number}", f"{number:010d}", hashlib.sha256(b"%d" % number).hexdigest()[:32]
            rest, digits = crc32c((key_id + secret).encode()), []
            for _ in range(6):
                rest, digit = divmod(rest, 62)
                digits.insert(0, ALPHABET[digit])
            keys.append(f"tlk_{key_id}{secret}{bytes(digits).decode()}")
            control.execute("INSERT INTO tenant VALUES (?, ?, 0)", (tenant, tenant))
            control.execute(
                "INSERT INTO api_key (id, tenant_id, key_id, key_hash, name, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?, 0)",
                (key_id, tenant, key_id, hmac.digest(pepper, secret.encode(), "sha256"), "bench", scopes))
    control.close()
    return keys


def send_all(server, work, connections=16):
    """`work`: (key, body, record count) each. Returns wall seconds and the answers' seconds, sorted."""
    lock, failures, times = threading.Lock(), [], []
    work = iter(work)

    def sender():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
        while not failures:
            with lock:
                item = next(work, None)
            if item is None:
                return
            key, body, count = item
            begin = time.monotonic()
            connection.request("POST", "/api/v1/logs/stream", body,
                               {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            receipt = answer.read()
            times.append(time.monotonic() - begin)
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
    return time.monotonic() - begin, sorted(times)


def tenants(path, folder, report):
    """Ingest spread over many tenants against the same by one, and many more that are opened once each."""
    from appliance import Server
    rounds = 4
    bodies = list(itertools.islice(corpora.bodies(path, 500), ACTIVE * rounds))
    records = sum(count for _, count in bodies)
    data = os.path.join(folder, "tenants")
    keys = add_tenants(data, FILES)

    with Server(data=data, dev=False) as server:
        pid = server.process.pid
        first, count = bodies[0]
        begin = cpu_seconds(pid)
        wall, times = send_all(server, ((key, first, count) for key in keys[:ACTIVE]))
        report.figure(f"{ACTIVE:,} tenants made, {count} records each: server CPU ms a tenant",
                      f"{1000 * (cpu_seconds(pid) - begin) / ACTIVE:.1f}", "", f"{1000 * wall / ACTIVE:.1f} ms")

        def rate(name, owner):
            before = cpu_seconds(pid)
            wall, times = send_all(
                server, ((owner(index), body, count) for index, (body, count) in enumerate(bodies)))
            cpu = (cpu_seconds(pid) - before) / records * 1e6
            print(f"  {name}: {records / wall:,.0f} records/s, {cpu:.2f} CPU s per million, "
                  f"slowest 1 % of answers {1000 * times[len(times) * 99 // 100]:.0f} ms", flush=True)
            return records / wall, cpu

        one, one_cpu = rate("one tenant, bodies of 500", lambda index: keys[ACTIVE])
        many, many_cpu = rate(f"{ACTIVE:,} tenants, bodies of 500", lambda index: keys[index % ACTIVE])
        report.figure(f"ingest over {ACTIVE:,} tenants: records a second, against one tenant's",
                      f"{many:,.0f} of {one:,.0f} ({100 * many / one:.0f} %)", ">= 60 %")
        report.figure(f"ingest over {ACTIVE:,} tenants: server CPU s per million records, against one tenant's",
                      f"{many_cpu:.2f} of {one_cpu:.2f}")

        # One tenant whose bodies are large must not hold the others up.
        stop = threading.Event()

        def flood():
            large = b"".join(body for body, _ in bodies[:40])
            connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
            while not stop.is_set():
                connection.request("POST", "/api/v1/logs/stream", large,
                                   {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {keys[ACTIVE]}"})
                connection.getresponse().read()
        small = b"".join(first.splitlines(keepends=True)[:10])
        _, quiet = send_all(server, ((key, small, 10) for key in keys[:ACTIVE]), connections=2)
        flooding = threading.Thread(target=flood)
        flooding.start()
        _, loud = send_all(server, ((key, small, 10) for key in keys[:ACTIVE]), connections=2)
        stop.set()
        flooding.join()
        middle = len(quiet) // 2
        report.figure("answer to 10 records while another tenant floods, against a quiet server",
                      f"{1000 * loud[middle]:.1f} ms of {1000 * quiet[middle]:.1f} ms (median)")

        begin = cpu_seconds(pid)
        wall, times = send_all(server, ((key, small, 10) for key in keys[ACTIVE + 1:]), connections=4)
        report.figure(f"{FILES - ACTIVE - 1:,} more tenants, each made and written to once: ms each",
                      f"{1000 * (cpu_seconds(pid) - begin) / (FILES - ACTIVE - 1):.1f} CPU", "",
                      f"{1000 * wall / (FILES - ACTIVE - 1):.1f} ms")
        report.figure(f"{FILES:,} tenants: memory at most", f"{memory(pid, 'VmHWM') >> 20} MiB", "< 1024")
        server.stop(300)

    with Server(data=data, dev=False) as server:
        asker = Asker(server)
        times = []
        for key in keys[::max(1, FILES // 200)]:
            asker.headers["Authorization"] = f"Bearer {key}"
            begin = time.monotonic()
            rows = asker.rows("*", limit=1)
            times.append(time.monotonic() - begin)
            if len(rows) != 1:
                raise SystemExit("bench: a tenant has lost its records")
        times.sort()
        report.figure("a closed tenant's first answer, median", f"{1000 * times[len(times) // 2]:.1f} ms")
        server.stop(120)
    report.figure("disk: a tenant of 10 records", f"{folder_bytes(os.path.join(data, 'tenants', f't{FILES - 1}')) >> 10} KiB")


# --- One tenant that grows

DATE = re.compile(rb'"date": ?(\d+\.?\d*)')


def moved(path, rounds):
    """The corpus again and again as bodies, each round later than the one before by what the corpus spans."""
    with open(path, "rb") as file:
        first = float(DATE.search(file.readline()).group(1))
        file.seek(-65536, os.SEEK_END) if os.path.getsize(path) > 65536 else file.seek(0)
        last = max(float(found.group(1)) for found in map(DATE.search, file.readlines()[1:]) if found)
    span = int(last - first) + 1
    # So that the last round ends before now: records of the future are not taken.
    shift = min(0, int(time.time()) - 600 - int(first) - span * max(rounds))
    for number in rounds:
        offset = shift + span * number

        def later(found):
            return b'"date": %.3f' % (float(found.group(1)) + offset)
        for body, count in corpora.bodies(path):
            yield (DATE.sub(later, body) if offset else body), count


def grow(server, path, rounds):
    """Sends rounds of the corpus over two connections."""
    source, lock, failures = moved(path, rounds), threading.Lock(), []

    def sender():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
        while not failures:
            with lock:
                item = next(source, None)
            if item is None:
                return
            connection.request("POST", "/api/v1/logs/stream", item[0], {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            receipt = answer.read()
            if answer.status != 200 or json.loads(receipt)["processed_count"] != item[1]:
                failures.append(receipt[:300])

    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"bench: a body was not taken: {failures[0]!r}")


def growth(path, folder, report):
    """The cost of a question as a tenant grows tenfold, its size a record, and how long it takes to open."""
    from appliance import Server
    from bench import settle
    with open(path, "rb") as file:
        once = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 24), b""))
    rounds = max(2, RECORDS // once)
    steps = sorted({1, max(1, rounds // 4), max(1, rounds // 2), rounds})
    meta = path + ".meta.json"
    needle = json.load(open(meta))["needle"] if os.path.exists(meta) else None
    data = os.path.join(folder, "growth")
    costs = {}
    sent = 0
    for step in steps:
        with Server(data=data) as server:
            grow(server, path, range(sent, step))
            sent = step
            settle(server)
            server.stop(120)
        size = folder_bytes(data)
        begin = time.monotonic()
        with Server(data=data) as server:
            listening = time.monotonic()
            asker = Asker(server)
            asker.rows("*", limit=100)
            opened = 1000 * (time.monotonic() - listening)
            started = 1000 * (time.monotonic() - begin)
            total = int(asker.rows("* | count() as n")[0]["n"])
            if total != once * step:
                raise SystemExit(f"bench: {total} records are there of {once * step}")
            questions = {
                "newest 100": dict(query="*", limit=100),
                "a needle that is nowhere": dict(query='"5f0c2e9ab7d14683a1b2c3d4e5f60718"', limit=100),
                "newest 100 of a stream": dict(query='{kubernetes.namespace_name!=""}', limit=100),
            }
            if needle:
                questions["a needle that each round has once"] = dict(query=f'"{needle}"', limit=100)
            for name, question in questions.items():
                cpu, wall = timed(server, lambda: asker.get("/api/v1/logs/query", **question))
                costs.setdefault(name, []).append(cpu)
                report.figure(f"{total:,} records: {name}: CPU ms", f"{cpu:.2f}", "", f"{wall:.1f} ms")
            report.figure(f"{total:,} records: disk bytes a record", f"{size / total:.1f}")
            report.figure(f"{total:,} records: opening the tenant, first answer in it", f"{opened:.0f} ms", "< 200",
                          f"{started:.0f} ms from the start")
            report.figure(f"{total:,} records: memory", f"{memory(server.process.pid) >> 20} MiB")
            server.stop(120)
    for name, values in costs.items():
        report.figure(f"{steps[-1] // steps[0]} times the records: {name} costs", f"{values[-1] / values[0]:.1f} times",
                      f"< {steps[-1] // steps[0]}")
