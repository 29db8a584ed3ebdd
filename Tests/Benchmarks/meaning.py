"""Search by meaning in a tenant of many patterns: what a question costs, and what opening the index takes.

Environment, for smaller runs: BENCH_PATTERNS (default 100000: the pattern miner keeps so many apart).
"""

import http.client
import json
import os
import random
import time

from measure import Asker, cpu_seconds

PATTERNS = int(os.environ.get("BENCH_PATTERNS", "100000"))

SUBJECTS = """database connection payment request session certificate disk volume cache queue worker scheduler replica
leader snapshot backup index token user account order invoice message broker partition node container pod image registry
proxy upstream gateway socket file lock transaction query table row record stream batch job task thread process memory
buffer page signal timer clock config secret key policy quota limit metric alert probe health route header cookie""".split()
EVENTS = """refused failed expired restarted exceeded dropped lost recovered timed-out rejected accepted started stopped
created deleted updated renewed rotated flushed evicted promoted demoted retried cancelled completed blocked throttled
denied granted mounted unmounted attached detached resolved corrupted verified skipped paused resumed scaled drained""".split()
REASONS = """permission space memory network quota configuration certificate version checksum timeout capacity conflict
maintenance shutdown upgrade failover rollback overload latency replication encryption authentication compression""".split()
QUERIES = ["database connection problems", "disk is full", "cannot log in", "out of memory", "certificate no longer valid",
           "the network is slow", "work was lost", "a backup that failed", "payment was denied", "leader election",
           "request took too long", "corrupted file", "service restarted", "too many requests", "secret key rotation",
           "replica fell behind"]


def messages(count):
    """Distinct sentences without a variable part, so unlike each other that each stays a pattern of its own."""
    chance = random.Random(11)
    words = SUBJECTS + EVENTS + REASONS
    seen = set()
    while len(seen) < count:
        text = chance.choice(words) + "".join(
            chance.choice((" ", ", ", ": ", " - ", "; ", " / ")) + chance.choice(words) for _ in range(chance.randint(5, 11)))
        if text not in seen:
            seen.add(text)
            yield text


def send(server, count):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
    start, lines, sent = int(time.time()) - 7200, [], 0
    for text in messages(count):
        level = ("info", "info", "info", "warning", "error")[sent % 5]
        lines.append(json.dumps({"timestamp": start + sent // 20, "level": level, "message": text, "source": f"s{sent % 8}"}))
        sent += 1
        if len(lines) == 5000 or sent == count:
            connection.request("POST", "/api/v1/logs/stream", "\n".join(lines).encode(),
                               {"Content-Type": "application/x-ndjson"})
            receipt = json.loads(connection.getresponse().read())
            if receipt["processed_count"] != len(lines):
                raise SystemExit(f"bench: a body was not taken: {receipt}")
            lines = []
    return start


def post(asker, **members):
    asker.connection.request("POST", "/api/v1/logs/search", json.dumps(members),
                             {**asker.headers, "Content-Type": "application/json"})
    answer = asker.connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"bench: {members}: {answer.status} {body[:300]!r}")
    return json.loads(body)


def meaning(_, folder, report):
    """`path` is not used: the corpus's lines are of too few patterns."""
    from appliance import Server
    data = os.path.join(folder, "meaning")
    with Server(data=data) as server:
        begin = time.monotonic()
        start = send(server, PATTERNS)
        asker = Asker(server)
        found = asker.document("/api/v1/patterns", limit=1)["total"]
        report.figure(f"{found:,} patterns made and indexed: s", f"{time.monotonic() - begin:.1f}")
        server.stop(300)

    with Server(data=data) as server:
        asker = Asker(server)
        pid = server.process.pid
        begin, cpu = time.monotonic(), cpu_seconds(pid)
        post(asker, query=QUERIES[0], limit=20)
        report.figure("first question after a start: s of CPU", f"{cpu_seconds(pid) - cpu:.2f}", "",
                      f"{time.monotonic() - begin:.2f} s")
        record = asker.rows("severity:error", limit=1)[0]
        window = {"start": str(start + 600), "end": str(start + 900)}

        def figure(name, aim, question):
            for query in QUERIES:
                question(query)
            times, before, rounds = [], cpu_seconds(pid), 4
            for _ in range(rounds):
                for query in QUERIES:
                    begin = time.monotonic()
                    question(query)
                    times.append(1000 * (time.monotonic() - begin))
            times.sort()
            cost = 1000 * (cpu_seconds(pid) - before) / len(times)
            report.figure(f"{name}: p95 ms", f"{times[len(times) * 95 // 100]:.1f}", aim,
                          f"median {times[len(times) // 2]:.1f} ms, CPU {cost:.1f} ms")

        figure("search by meaning, 20 hits", "5", lambda query: post(asker, query=query, limit=20))
        figure("the same in five minutes of them, errors only", "",
               lambda query: post(asker, query=query, limit=20, filter="severity:error", **window))
        figure("`similar(…)` in a query, newest 20", "",
               lambda query: asker.rows(f'similar("{query}", 20)', limit=20))
        figure("records similar to a record, 20 hits", "",
               lambda _: asker.document("/api/v1/logs/similar", id=record["_id"], limit=20))
