"""What keeps one query, one client and one tenant from taking more than their share."""

import shutil
import socket
import tempfile
import time
import unittest
import urllib.parse

from appliance import Follower, Server, ServerCase, eventually, run

# Looks at all of every message, again and again, and finds nothing.
HEAVY = "* | " + "replace_regexp('[0-9a-f ]+[X-Z]',x) | " * 900 + "stats by (_msg) count() c | sort by (c)"


def records(count, source="load"):
    return [
        {
            "message": f"request {i:08x} of {i * 7919 % 999983:x} took {i % 997}ms over {i * 31 % 65521:x} and {i:o}",
            "source": source,
            "n": i,
        }
        for i in range(count)
    ]


def metric(server, name):
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def ask(server, query, key=None, **parameters):
    """A connection on which a query was asked."""
    connection = socket.create_connection((server.host, server.port), timeout=60)
    path = "/api/v1/logs/query?" + urllib.parse.urlencode({"query": query, **parameters})
    credential = f"Authorization: Bearer {key}\r\n" if key else ""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{credential}\r\n".encode())
    return connection


class Governance(ServerCase):
    settings = (
        "--tenant-queries-max", "2", "--tenant-queries-waiting-max", "3", "--query-seconds-max", "3",
        "--query-memory-max", "1GiB", "--stall-seconds-max", "2",
    )  # fmt: skip

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for start in range(0, 60_000, 10_000):
            assert cls.server.send(records(60_000)[start : start + 10_000]).status == 200

    def setUp(self):
        eventually(lambda: metric(self.server, "timberline_queries_running") == 0)

    def test_a_query_that_costs_too_much_stops_at_its_deadline(self):
        for path, query in (
            ("query", HEAVY),
            ("hits", HEAVY),
            ("facets", HEAVY),
            ("query", f"n:in({HEAVY} | fields n) | count()"),
        ):
            with self.subTest(path):
                begin = time.monotonic()
                answer = self.server.get(f"/api/v1/logs/{path}", query=query)
                took = time.monotonic() - begin
                document = self.problem(answer, 504)
                self.assertEqual(document["type"], "/problems/query-timeout")
                self.assertEqual(document["seconds_max"], 3)
                self.assertLess(took, 6)

    def test_closing_the_connection_ends_the_query(self):
        for closes in (socket.socket.close, lambda connection: connection.shutdown(socket.SHUT_WR)):
            connection = ask(self.server, HEAVY)
            eventually(lambda: metric(self.server, "timberline_queries_running") == 1)
            begin = time.monotonic()
            closes(connection)
            eventually(lambda: metric(self.server, "timberline_queries_running") == 0)
            self.assertLess(time.monotonic() - begin, 2)
            connection.close()

    def test_what_comes_on_top_of_a_tenants_queries_waits_or_is_refused(self):
        connections = [ask(self.server, HEAVY) for _ in range(5)]
        try:
            eventually(lambda: metric(self.server, "timberline_queries_running") == 2)
            eventually(lambda: metric(self.server, "timberline_queries_waiting") == 3)
            answer = self.server.get("/api/v1/logs/query", query="*", limit=1)
            document = self.problem(answer, 429)
            self.assertEqual(document["type"], "/problems/too-many-queries")
            self.assertEqual((document["running_max"], document["waiting_max"]), (2, 3))
            self.assertEqual(answer.headers["retry-after"], "1")
            # What is no query goes on.
            self.assertEqual(self.server.send(records(10, "meanwhile")).status, 200)
            self.assertEqual(self.server.get("/api/v1/session").status, 200)
        finally:
            for connection in connections:
                connection.close()
        eventually(lambda: metric(self.server, "timberline_queries_waiting") == 0)
        eventually(lambda: metric(self.server, "timberline_queries_running") == 0)
        self.assertEqual(len(self.server.query("source:=meanwhile")), 10)

    def test_a_client_that_does_not_read_is_cut_off(self):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((self.server.host, self.server.port))
        connection.sendall(b"GET /api/v1/logs/query?query=* HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200", connection.recv(64))
        begin = time.monotonic()
        eventually(lambda: metric(self.server, "timberline_queries_running") == 0)
        self.assertLess(time.monotonic() - begin, 10)
        received = 0
        try:
            while piece := connection.recv(1 << 16):
                received += len(piece)
                tail = piece[-5:]
            self.assertNotEqual(tail, b"0\r\n\r\n", "the answer is whole")
        except OSError:
            pass  # cut off by a reset
        connection.close()

    def test_a_client_that_reads_slowly_but_steadily_is_served(self):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((self.server.host, self.server.port))
        connection.sendall(
            b"GET /api/v1/logs/query?query=*&limit=4000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        begin = time.monotonic()
        while piece := connection.recv(1 << 14):
            received += piece
            if time.monotonic() - begin < 5:
                time.sleep(0.05)
        self.assertTrue(received.endswith(b"0\r\n\r\n"))
        connection.close()

    def test_a_body_that_trickles_is_cut_off(self):
        with socket.create_connection((self.server.host, self.server.port), timeout=30) as connection:
            connection.sendall(
                b"POST /api/v1/logs/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                b"Content-Length: 100000\r\n\r\n"
            )
            begin = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - begin < 20:
                    connection.sendall(b"{")
                    time.sleep(0.1)
            self.assertLess(time.monotonic() - begin, 15)

    def test_explain(self):
        for path, more in (("query", {"limit": 5}), ("hits", {"step": "1m"})):
            with self.subTest(path):
                answer = self.server.get(
                    f"/api/v1/logs/{path}", query='{source="load"} "took" n:>=0', explain="1", **more)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(answer.headers["content-type"], "application/json")
                self.assertIn(b'\n  "blocks": {\n', answer.body)
                document = answer.json
                self.assertEqual(
                    [part["text"] for part in document["filter"]["parts"]],
                    ['{source="load"}', "n:range[0.0, inf]", "took"],
                )
                self.assertIn("streams", document["filter"]["parts"][0]["known"])
                self.assertEqual([step["name"] for step in document["steps"]], ["parse", "open", "plan", "run"])
                blocks = document["blocks"]
                self.assertEqual(
                    sum(blocks["pruned"].values()) + blocks["summarized"] + blocks["opened"] + blocks["not_needed"],
                    blocks["total"],
                )
        explained = self.server.get("/api/v1/logs/query", query="* | stats by (source) count() c", explain="1").json
        self.assertEqual(explained["pipes"], ["stats by (source) count() as c"])
        self.assertFalse(explained["stops_early"])
        self.problem(self.server.get("/api/v1/logs/query", query="*", explain="maybe"), 400)
        self.problem(self.server.get("/api/v1/logs/query", query="(", explain="1"), 400)


class Neighbors(unittest.TestCase):
    def test_a_tenants_flood_does_not_hold_up_the_others(self):
        data = tempfile.mkdtemp(prefix="timberline-test-")
        self.addCleanup(shutil.rmtree, data, True)
        noisy, quiet = (run("tenant", "add", name, "--data", data).text.strip() for name in ("noisy", "quiet"))
        arguments = ["--query-seconds-max", "20", "--query-memory-max", "1GiB"]
        with Server(data=data, dev=False, arguments=arguments) as server:
            for start in range(0, 60_000, 10_000):
                assert server.send(records(60_000)[start : start + 10_000], key=noisy).status == 200
            assert server.send(records(100, "quiet"), key=quiet).status == 200
            # Its own small queries share the threads with its large ones.
            flood = [ask(server, HEAVY, key=noisy) for _ in range(4)]
            eventually(lambda: metric(server, "timberline_queries_running") == 4)
            begin = time.monotonic()
            self.assertEqual(len(server.query("took", key=noisy, limit=5)), 5)
            self.assertLess(time.monotonic() - begin, 3)
            flood += [ask(server, HEAVY, key=noisy) for _ in range(8)]
            try:
                eventually(lambda: metric(server, "timberline_queries_waiting") == 4)
                times = []
                for _ in range(5):
                    begin = time.monotonic()
                    self.assertEqual(len(server.query("took", key=quiet)), 100)
                    times.append(time.monotonic() - begin)
                self.assertEqual(metric(server, "timberline_queries_running"), 8)
                self.assertLess(sorted(times)[2], 2, times)
            finally:
                for connection in flood:
                    connection.close()


class Connections(ServerCase):
    settings = ("--connections-max", "16")

    def test_a_connection_too_many_waits_for_one_to_be_closed(self):
        idle = [socket.create_connection((self.server.host, self.server.port), timeout=20) for _ in range(16)]
        eventually(lambda: all(self.asked(connection) for connection in idle))
        late = socket.create_connection((self.server.host, self.server.port), timeout=20)
        late.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            self.asked(late)
        idle[0].close()
        late.settimeout(20)
        self.assertIn(b"200 OK", late.recv(4096))
        for connection in [late, *idle]:
            connection.close()

    def asked(self, connection):
        connection.sendall(b"GET /api/v1/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return b"200 OK" in connection.recv(4096)


class Tails(ServerCase):
    def test_many_follow_and_hear_the_same(self):
        queries = ["*", "even", 'source:="b"']
        followers = [Follower(self.server, queries[i % 3]) for i in range(60)]
        try:
            for i in range(20):
                self.server.send([{"message": "even" if i % 2 == 0 else "odd", "n": i, "source": "ab"[i % 2]}])
            for i, follower in enumerate(followers):
                follower.read_until(b'"n":"19"' if i % 3 != 1 else b'"n":"18"')
                numbers = [int(record["n"]) for record in follower.records()]
                expected = [list(range(20)), list(range(0, 20, 2)), list(range(1, 20, 2))][i % 3]
                self.assertEqual(numbers, expected)
        finally:
            for follower in followers:
                follower.close()
        eventually(lambda: metric(self.server, "timberline_connections") <= 1)


if __name__ == "__main__":
    unittest.main()
