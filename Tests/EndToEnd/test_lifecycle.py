"""How the server starts, what it refuses, and how it ends."""

import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from appliance import BINARY, ROOT, Server, ServerCase, environment, eventually, run


class Folder(unittest.TestCase):
    """Tests with a data folder of their own."""

    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="timberline-test-")
        self.addCleanup(shutil.rmtree, self.data, True)

    def server(self, **options):
        server = Server(data=self.data, **options)
        self.addCleanup(server.__exit__)
        return server

    def refused(self, *arguments, code=None, env=None):
        """Runs a command that must fail at once; returns its complaint."""
        result = run(*arguments, check=False, timeout=30, env={**environment(), **(env or {})})
        if code is None:
            self.assertNotEqual(result.returncode, 0, result.text)
        else:
            self.assertEqual(result.returncode, code, result.complaint)
        self.assertNotIn("Fatal error", result.complaint)
        return result.complaint


class Ending(Folder):
    def test_sigterm_ends_well(self):
        for sign in (signal.SIGTERM, signal.SIGINT):
            server = self.server().start()
            server.send([{"message": f"before the end {i}"} for i in range(100)])
            begin = time.monotonic()
            server.process.send_signal(sign)
            self.assertEqual(server.process.wait(15), 0, server.log[-2000:])
            self.assertLess(time.monotonic() - begin, 10)
            server._close()
        self.assertFalse(os.path.exists(os.path.join(self.data, "server.url")))
        self.assertEqual(len(self.server().start().query('"before the end"')), 200)

    def test_sigterm_under_load(self):
        """Whoever was answered 200 while it drains is kept; it ends in time though senders go on."""
        server = self.server().start()
        stopping = threading.Event()
        kept, lock = set(), threading.Lock()

        def send(writer):
            number = 0
            while True:
                ids = [f"{writer}-{number}-{i}" for i in range(50)]
                number += 1
                try:
                    answer = server.send([{"message": f"drained {name}", "uid": name} for name in ids])
                except OSError:
                    return
                except Exception:  # http.client's own errors of a connection that ends
                    return
                if answer.status == 200:
                    with lock:
                        kept.update(ids)
                elif stopping.is_set():
                    return

        threads = [threading.Thread(target=send, args=(writer,)) for writer in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(kept) > 1000)
        stopping.set()
        process = server.process
        begin = time.monotonic()
        process.terminate()
        self.assertEqual(process.wait(15), 0, server.log[-2000:])
        self.assertLess(time.monotonic() - begin, 10)
        for thread in threads:
            thread.join(20)
        server._close()
        found = [row["uid"] for row in self.server().start().query("drained | fields uid")]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(kept, set(found))

    def test_sigterm_with_a_follower_and_an_idle_connection(self):
        server = self.server().start()
        tail = socket.create_connection((server.host, server.port), timeout=20)
        idle = socket.create_connection((server.host, server.port), timeout=20)
        half = socket.create_connection((server.host, server.port), timeout=20)
        for connection in (tail, idle, half):
            self.addCleanup(connection.close)
        tail.sendall(b"GET /api/v1/logs/tail?query=* HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"200", tail.recv(4096))
        idle.sendall(b"GET /api/v1/healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"200", idle.recv(4096))
        half.sendall(b'POST /api/v1/logs/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"mess')
        code, seconds = server.stop()
        self.assertEqual(code, 0, server.log[-2000:])
        self.assertLess(seconds, 10)


class Starting(Folder):
    def test_second_start_on_the_same_folder(self):
        server = self.server().start()
        complaint = self.refused("serve", "--data", self.data, "--listen", "127.0.0.1:0", "--dev")
        self.assertIn(self.data, complaint)
        self.assertIn("in use", complaint)
        self.assertIn(str(server.process.pid), complaint)
        self.assertEqual(server.get("/api/v1/healthz").status, 200)

    def test_after_kill_the_folder_is_free(self):
        server = self.server().start()
        server.kill()
        server.start()
        self.assertEqual(server.get("/api/v1/healthz").status, 200)

    def test_files_of_a_newer_version(self):
        server = self.server().start()
        server.send([{"message": "of now"}])
        server.stop()

        def set_version(path, version):
            with sqlite3.connect(os.path.join(self.data, path)) as database:
                before = database.execute("PRAGMA user_version").fetchone()[0]
                database.execute(f"PRAGMA user_version = {version}")
            database.close()
            return before

        before = set_version("tenants/default/tenant.sqlite", 99)
        server.start()
        answer = server.get("/api/v1/logs/query", query="*")
        self.assertEqual((answer.status, answer.json["type"]), (500, "/problems/newer-format"))
        self.assertEqual(server.send([{"message": "not taken"}]).status, 500)
        server.stop()
        set_version("tenants/default/tenant.sqlite", before)
        before = set_version("control.sqlite", 99)
        complaint = self.refused("serve", "--data", self.data, "--listen", "127.0.0.1:0", "--dev", code=1)
        self.assertIn("newer", complaint)
        set_version("control.sqlite", before)
        self.assertEqual(len(server.start().query("*")), 1)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            complaint = self.refused("serve", "--data", self.data, "--listen", f"127.0.0.1:{port}", "--dev")
            self.assertIn(str(port), complaint)

    def test_folder_that_cannot_be_made(self):
        path = os.path.join(self.data, "file")
        pathlib.Path(path).write_text("not a folder")
        complaint = self.refused("serve", "--data", path + "/deeper", "--listen", "127.0.0.1:0", "--dev", code=1)
        self.assertIn("deeper", complaint)

    def test_dev_is_for_loopback_only(self):
        for address in ("0.0.0.0:0", ":0", "192.168.1.1:0", "[::]:0", "example.com:0"):
            complaint = self.refused("serve", "--data", self.data, "--listen", address, "--dev", code=78)
            self.assertIn("--dev", complaint)
            self.assertIn("loopback", complaint)

    def test_unknown_and_bad_settings_name_themselves(self):
        def written(name, text):
            file = os.path.join(self.data, name)
            pathlib.Path(file).write_text(text)
            return ("serve", "--config", file, "--data", self.data, "--listen", "127.0.0.1:0", "--dev")

        plain = ("serve", "--data", self.data, "--listen", "127.0.0.1:0", "--dev")
        for arguments, env, words in [
            (plain, {"TIMBERLINE_RETENTON": "30d"}, ["TIMBERLINE_RETENTON", "retention"]),
            (plain, {"TIMBERLINE_RETENTION": "soon"}, ["TIMBERLINE_RETENTION", "soon"]),
            (plain, {"TIMBERLINE_LOG_LEVEL": "loud"}, ["TIMBERLINE_LOG_LEVEL", "loud", "debug"]),
            (plain, {"TIMBERLINE_ADMIN_API_KEY": "tlk_secretsecret"}, ["TIMBERLINE_ADMIN_API_KEY"]),
            (plain + ("--body-bytes-max", "lots"), {}, ["--body-bytes-max", "lots"]),
            (plain + ("--query-seconds-max", "0"), {}, ["--query-seconds-max", "0"]),
            (plain[:-1] + ("--listen", "nowhere"), {}, ["--listen", "nowhere"]),
            (written("one", "retention = 30d\nretenshun = 1d\n"), {}, ["/one:2", "retenshun"]),
            (written("two", "# a comment\n\nfields_max = many\n"), {}, ["/two:3", "fields_max", "many"]),
            (written("three", "no equals sign\n"), {}, ["/three:1"]),
            (written("four", "retention = 1d\nretention = 2d\n"), {}, ["/four:2", "retention"]),
            (("serve", "--config", self.data + "/absent"), {}, ["absent"]),
        ]:
            with self.subTest(arguments=arguments[5:], env=env):
                complaint = self.refused(*arguments, code=78, env=env)
                for word in words:
                    self.assertIn(word, complaint)
                self.assertNotIn("secretsecret", complaint)

    def test_unknown_flag(self):
        self.assertIn("--retenshun", self.refused("serve", "--retenshun", "1d", code=64))

    def test_flags_over_variables_over_file(self):
        file = os.path.join(self.data, "conf")
        pathlib.Path(file).write_text('fields_max = 11\nline_bytes_max = "2KiB"\nretention = 3d\n')
        env = {
            **environment(),
            "TIMBERLINE_FIELDS_MAX": "22",
            "TIMBERLINE_LINE_BYTES_MAX": "4KiB",
            "TIMBERLINE_CONFIG": file,
        }
        text = run("config", "--fields-max", "33", env=env).text
        values = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
        self.assertEqual(values["fields_max"], ["33", "--fields-max"])
        self.assertEqual(values["line_bytes_max"], ["4KiB", "TIMBERLINE_LINE_BYTES_MAX"])
        self.assertEqual(values["retention"][0], "3d")
        self.assertTrue(values["retention"][1].startswith(file))

    def test_first_key_is_shown_once(self):
        server = self.server(dev=False).start()
        self.assertIsNotNone(server.key)
        self.assertEqual(server.output.count(server.key.encode()), 1)
        self.assertNotIn(server.key, server.log)
        self.assertEqual(server.get("/api/v1/session").json["tenant"]["id"], "default")
        key = server.key
        server.stop()
        server.key = None
        server.start()
        self.assertIsNone(server.key)
        self.assertNotIn(b"tlk_", server.output)
        self.assertEqual(server.get("/api/v1/session", key=key).status, 200)
        self.assertEqual(server.get("/api/v1/session").status, 401)
        server.stop()
        for folder, _, files in os.walk(self.data):
            for name in files:
                self.assertNotIn(key.encode()[14:46], pathlib.Path(folder, name).read_bytes(), name)

    def test_given_key(self):
        key = run("tenant", "key", "default", "--data", self.data).text.strip()
        other = tempfile.mkdtemp(prefix="timberline-test-")
        self.addCleanup(shutil.rmtree, other, True)
        server = Server(data=other, dev=False, env={"TIMBERLINE_ADMIN_API_KEY": key})
        self.addCleanup(server.__exit__)
        server.start()
        self.assertNotIn(key.encode(), server.output)
        self.assertEqual(server.get("/api/v1/session", key=key).status, 200)


class Answers(ServerCase):
    def test_health(self):
        for path in ("/health", "/api/v1/health"):
            answer = self.server.get(path)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json["status"], "healthy")
            self.assertTrue(answer.json["checks"])
        self.assertEqual(self.server.get("/api/v1/healthz").body.strip(), b"OK")
        self.assertEqual(self.server.get("/api/v1/ready").status, 200)

    def test_metrics(self):
        def values():
            text = self.server.get("/metrics").body.decode()
            self.assertIn("# TYPE timberline_ingest_records_total counter", text)
            found = {}
            for line in text.splitlines():
                if line and not line.startswith("#"):
                    name, _, value = line.rpartition(" ")
                    found[name] = float(value)
            return found

        before = values()["timberline_ingest_records_total"]
        self.server.send([{"message": "counted"}] * 5)
        self.assertEqual(values()["timberline_ingest_records_total"], before + 5)
        self.assertTrue(any(name.startswith("timberline_http_requests_total") for name in values()))
        self.assertIn("text/plain", self.server.get("/metrics").headers["content-type"])

    def test_openapi(self):
        document = self.server.get("/api/v1/openapi.json").json
        self.assertTrue(document["openapi"].startswith("3."))
        self.assertEqual(document, json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text()))

    def test_session_of_a_developer(self):
        session = self.server.get("/api/v1/session").json
        self.assertEqual((session["mode"], session["tenant"]["id"]), ("dev", "default"))

    def test_headers(self):
        for path in ("/", "/api/v1/session", "/api/v1/nothing"):
            headers = self.server.get(path).headers
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertNotIn("server", self.server.get("/").headers)

    def test_pages(self):
        for path in ("/", "/search", "/patterns", "/analyses/abc"):
            answer = self.server.get(path)
            self.assertEqual(answer.status, 200)
            self.assertIn(b"<html", answer.body.lower())
        packed = self.server.call("GET", "/", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(packed.status, 200)
        again = self.server.call("GET", "/", headers={"If-None-Match": packed.headers.get("etag", "")})
        self.assertIn(again.status, (200, 304))

    def test_keep_alive(self):
        connection = self.server.connection()
        self.addCleanup(connection.close)
        for _ in range(20):
            connection.request("GET", "/api/v1/healthz")
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 200)


class OneFile(Folder):
    def test_it_runs_alone_in_an_empty_folder(self):
        home = tempfile.mkdtemp(prefix="timberline-alone-")
        self.addCleanup(shutil.rmtree, home, True)
        binary = shutil.copy(BINARY, os.path.join(home, "timberline"))
        process = subprocess.Popen(
            [binary, "serve", "--dev", "--listen", "127.0.0.1:0"],
            cwd=home,
            env={"PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn(b"listens on http://127.0.0.1:", process.stdout.readline())
        self.assertEqual(sorted(os.listdir(home)), ["timberline", "timberline-data"])

    @unittest.skipUnless(shutil.which("ldd"), "ldd is not installed")
    def test_it_needs_the_c_library_only(self):
        listing = subprocess.run(["ldd", BINARY], capture_output=True, text=True).stdout
        names = [
            line.split()[0].rsplit("/")[-1]
            for line in listing.splitlines()
            if line.strip() and "not a dynamic" not in line
        ]
        family = (
            "linux-vdso",
            "libc.",
            "libm.",
            "libdl.",
            "libpthread.",
            "librt.",
            "libutil.",
            "libgcc_s.",
            "libstdc++.",
            "ld-linux",
        )
        self.assertEqual([name for name in names if not name.startswith(family)], [])


class Demonstration(unittest.TestCase):
    def test_demo_shows_an_incident_and_leaves_nothing(self):
        folder = tempfile.mkdtemp(prefix="timberline-demo-parent-")
        self.addCleanup(shutil.rmtree, folder, True)
        process = subprocess.Popen(
            [str(BINARY), "demo", "--records", "5000", "--listen", "127.0.0.1:0"],
            env={**environment(), "TMPDIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        server = Server(data=folder)
        server.process = process
        line = process.stdout.readline().decode()
        server.host, server.port = "127.0.0.1", int(line.rstrip().rsplit(":", 1)[1])
        printed = iter(process.stdout.readline, b"")
        self.assertTrue(any(b"Ctrl-C" in line for line in printed), "it says how to end it")
        self.assertGreaterEqual(len(server.query("* | stats count() as c")), 1)
        self.assertGreater(int(server.query("severity:error | stats count() as c")[0]["c"]), 0)
        process.terminate()
        self.assertEqual(process.wait(15), 0)
        server.process = None
        self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
