"""The commands, as people type them."""

import datetime
import gzip
import http.client
import json
import os
import pathlib
import selectors
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

from appliance import BINARY, Server, environment, run

NOW = int(time.time())


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def lines(count, text="request {} served in {}ms", level="INFO", start=NOW - 3600):
    return "".join(f"{stamp(start + i)} {level} web: {text.format(i, i * 7 % 500)}\n" for i in range(count))


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="timberline-test-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.data = os.path.join(self.home, "data")

    def file(self, name, content):
        path = os.path.join(self.home, name)
        pathlib.Path(path).write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def command(self, *arguments, **options):
        return run(*arguments, "--data", self.data, **options)

    def rows(self, text, *arguments):
        return [json.loads(line) for line in self.command("query", text, "--limit", "0", *arguments).text.splitlines()]


class Import(CommandLine):
    def test_plain_text(self):
        result = self.command("import", self.file("app.log", lines(300) + lines(20, "broke {} {}", "ERROR")))
        self.assertIn("320 records", result.text + result.complaint)
        rows = self.rows("*")
        self.assertEqual(len(rows), 320)
        self.assertEqual({row["source"] for row in rows}, {"app.log"})
        self.assertEqual(len(self.rows("severity:error")), 20)
        row = self.rows('"request 7 served"')[0]
        self.assertEqual(row["_time"], stamp(NOW - 3600 + 7).replace(" ", "T") + "Z")
        self.assertEqual(row["_msg"], f"{stamp(NOW - 3600 + 7)} INFO web: request 7 served in 49ms")
        self.assertEqual(len(self.rows('{source="app.log"}')), 320)

    def test_gzip_and_zstd(self):
        self.command("import", self.file("a.log.gz", gzip.compress(lines(250).encode())), "--source", "packed")
        self.assertEqual(len(self.rows("source:=packed")), 250)
        if not shutil.which("zstd"):
            self.skipTest("the zstd command is not installed")
        packed = subprocess.run(["zstd", "-q", "-c"], input=lines(150).encode(), capture_output=True, check=True).stdout
        self.command("import", self.file("b.log.zst", packed), "--source", "zstandard")
        self.assertEqual(len(self.rows("source:=zstandard")), 150)

    def test_standard_input_with_labels(self):
        self.command(
            "import",
            "-",
            "--source",
            "pipe",
            "--label",
            "env=production",
            "--label",
            "zone=a=b",
            "--quiet",
            input=lines(40).encode(),
        )
        rows = self.rows('{env="production"}')
        self.assertEqual(len(rows), 40)
        self.assertEqual((rows[0]["env"], rows[0]["zone"], rows[0]["source"]), ("production", "a=b", "pipe"))

    def test_json_lines(self):
        content = "".join(
            json.dumps({"ts": NOW - 100 + i, "level": "warn", "msg": f"json {i}", "user": {"id": i}}) + "\n"
            for i in range(30)
        )
        self.command("import", self.file("j.ndjson", content))
        rows = self.rows("json")
        self.assertEqual(len(rows), 30)
        self.assertEqual({row["severity"] for row in rows}, {"warning"})
        self.assertEqual(sorted(int(row["user.id"]) for row in rows), list(range(30)))

    def test_old_records_and_several_files(self):
        files = [self.file(f"{year}.log", f"{year}-05-06 07:08:09 INFO of {year}\n") for year in (1999, 2012, 2024)]
        self.command("import", *files)
        self.assertEqual(
            sorted(row["_time"] for row in self.rows("of")), [f"{year}-05-06T07:08:09Z" for year in (1999, 2012, 2024)]
        )

    def test_stack_traces_stay_together(self):
        trace = (
            f"{stamp(NOW)} ERROR web: it broke\njava.lang.IllegalStateException: no\n"
            "\tat a.b.C.d(C.java:1)\n\tat e.f.G.h(G.java:2)\n"
        )
        self.command("import", self.file("t.log", lines(10) + trace + lines(1, "after {} {}")))
        rows = self.rows("IllegalStateException")
        self.assertEqual(len(rows), 1)
        self.assertIn("it broke", rows[0]["_msg"])
        self.assertIn("G.java:2", rows[0]["_msg"])

    def test_bytes_that_are_no_text(self):
        self.command(
            "import", self.file("b.log", b"plain\n\xff\xfe\x00\x01 odd \xc3\n" + bytes(range(1, 256)) + b"\nend\n")
        )
        self.assertEqual(len(self.rows("plain")) + len(self.rows("end")), 2)

    def test_what_cannot_be_imported(self):
        for arguments, code, word in [
            (("import", os.path.join(self.home, "absent.log")), 1, "absent.log"),
            (("import", self.file("c.gz", gzip.compress(lines(9999).encode())[:300] + b"xxxxxxxx" * 100)), 1, "c.gz"),
            (("import", "-", "--label", "novalue"), 64, "novalue"),
            (("import",), 64, "file"),
        ]:
            result = self.command(*arguments, check=False, input=b"")
            self.assertEqual(result.returncode, code, (arguments, result.complaint))
            self.assertIn(word, result.complaint)

    def test_empty_file(self):
        self.command("import", self.file("empty.log", ""))
        self.assertEqual(self.rows("*"), [])


class Asking(CommandLine):
    def setUp(self):
        super().setUp()
        self.command(
            "import", self.file("app.log", lines(200) + lines(30, "payment {} declined by bank {}", "ERROR")), "--quiet"
        )

    def test_query(self):
        result = self.command("query", "declined | stats count() as c")
        self.assertEqual(json.loads(result.text), {"c": "30"})
        self.assertEqual(len(self.command("query", "*").text.splitlines()), 100)
        self.assertEqual(len(self.command("query", "*", "--limit", "7").text.splitlines()), 7)
        self.assertEqual(self.rows("*", "--since", "1m"), [])
        result = self.command("query", "error (", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("olumn 8", result.complaint)

    def test_patterns(self):
        text = self.command("patterns").text
        self.assertRegex(text, r"200\s")
        self.assertIn("declined by bank", text)
        page = json.loads(self.command("patterns", "--json", "--sort", "rare").text)
        self.assertEqual(sum(pattern["count"] for pattern in page["patterns"]), 230)
        self.assertEqual(page["patterns"][0]["count"], 30)

    def test_analyze(self):
        text = self.command("analyze", "--since", "3h").text
        self.assertIn("Severity", text)
        document = json.loads(self.command("analyze", "--since", "3h", "--json", "--min-cluster-size", "1").text)
        self.assertEqual((document["status"], document["record_count"]), ("completed", 230))
        self.assertGreaterEqual(document["cluster_count"], 2)

    def test_incidents(self):
        """Without any; test_incidents.py has some."""
        self.assertEqual(self.command("incidents").text, "No incidents in 24h.\n")
        self.assertEqual(self.command("incidents", "--open").text, "No incident is open.\n")
        self.assertEqual(json.loads(self.command("incidents", "--since", "7d", "--json").text), [])
        result = self.command("incidents", "show", "beef", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("beef", result.complaint)
        for arguments in (("--since", "soon"), ("--limit", "x"), ("show",), ("show", "../logs")):
            self.assertEqual(self.command("incidents", *arguments, check=False).returncode, 64, arguments)

    def test_output_to_a_closed_pipe(self):
        result = subprocess.run(
            f"'{BINARY}' query '*' --limit 0 --data '{self.data}' | head -1",
            shell=True,
            capture_output=True,
            env=environment(),
            timeout=60,
        )
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.assertNotIn(b"Fatal", result.stderr)

    def test_a_running_server_is_found_by_its_folder(self):
        with Server(data=self.data) as server:
            self.assertEqual(len(self.rows("*")), 230)
            self.command("import", "-", "--source", "more", "--quiet", input=lines(11).encode())
            self.assertEqual(len(server.query("source:=more")), 11)
            self.assertIn("declined", self.command("patterns").text)
            by_url = run("query", "source:=more", "--url", server.url + "/")
            self.assertEqual(len(by_url.text.splitlines()), 11)
            by_variable = run("query", "source:=more", env={**environment(), "TIMBERLINE_URL": server.url})
            self.assertEqual(len(by_variable.text.splitlines()), 11)
            for command in (("verify",), ("tenant", "list")):
                result = self.command(*command, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn("using it", result.complaint)
        # A server that was killed leaves its note; nobody believes it.
        server = Server(data=self.data)
        server.start()
        server.kill()
        self.addCleanup(server.__exit__)
        self.assertEqual(len(self.rows("source:=more")), 11)

    def test_a_server_with_keys(self):
        key = self.command("tenant", "key").text.strip()
        with Server(data=self.data, dev=False):
            result = self.command("query", "*", check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("key", result.complaint)
            self.assertEqual(len(self.command("query", "*", "--limit", "3", "--api-key", key).text.splitlines()), 3)
            result = self.command("query", "*", "--limit", "3", env={**environment(), "TIMBERLINE_API_KEY": key})
            self.assertEqual(len(result.text.splitlines()), 3)

    def test_no_server_and_no_data(self):
        result = run("query", "*", "--url", "http://127.0.0.1:1", check=False)
        self.assertEqual(result.returncode, 69)
        self.assertIn("127.0.0.1:1", result.complaint)
        result = run("query", "*", "--data", os.path.join(self.home, "nowhere"), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nowhere", result.complaint)
        self.assertFalse(os.path.exists(os.path.join(self.home, "nowhere")))

    def test_tail(self):
        with Server(data=self.data) as server:
            process = subprocess.Popen(
                [str(BINARY), "tail", "live", "--data", self.data], stdout=subprocess.PIPE, env=environment()
            )
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            # Sent again until the follower stands.
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                deadline = time.monotonic() + 20
                while not selector.select(0.1):
                    self.assertLess(time.monotonic(), deadline)
                    server.send([{"message": "live line"}])
            self.assertEqual(json.loads(process.stdout.readline())["_msg"], "live line")
            process.kill()


class Verify(CommandLine):
    def setUp(self):
        super().setUp()
        self.command("import", self.file("a.log", lines(2000)), "--source", "first", "--quiet")
        self.command("import", self.file("b.log", lines(1500, "another {} kind {}")), "--source", "second", "--quiet")

    @property
    def tenant_file(self):
        return os.path.join(self.data, "tenants", "default", "tenant.sqlite")

    def change(self, select, update):
        """Flips a bit in the middle of one BLOB."""
        with sqlite3.connect(self.tenant_file) as database:
            key, data = database.execute(select).fetchone()
            broken = bytearray(data)
            broken[len(broken) // 2] ^= 0x10
            database.execute(update, (bytes(broken), key))
        database.close()

    def test_sound(self):
        text = self.command("verify").text
        self.assertRegex(text, r"default: [1-9]\d* blocks, \d+ segments, 3500 records")
        self.assertIn("ok", text)

    def test_damaged_columns(self):
        with sqlite3.connect(self.tenant_file) as database:
            blocks = [row[0] for row in database.execute("SELECT number FROM block WHERE state = 0 ORDER BY number")]
        database.close()
        self.assertGreaterEqual(len(blocks), 2)
        broken = blocks[0]
        self.change(
            f"SELECT id, data FROM block_column WHERE block = {broken} ORDER BY length(data) DESC LIMIT 1",
            "UPDATE block_column SET data = ? WHERE id = ?",
        )
        result = self.command("verify", check=False)
        self.assertEqual(result.returncode, 1, result.text)
        self.assertIn("DAMAGED", result.text)
        self.assertIn(f"block {broken}:", result.text)
        self.assertNotIn(f"block {blocks[1]}:", result.text)
        # The rest answers, again and again.
        for _ in range(2):
            rows = self.rows("*")
            self.assertEqual(len({row["source"] for row in rows}), 1)
            self.assertIn(len(rows), (2000, 1500))
        with Server(data=self.data) as server:
            self.assertEqual(len(server.query("*")), len(rows))
            self.assertEqual(server.send([{"message": "goes on"}]).json["processed_count"], 1)
            self.assertEqual(len(server.query('"goes on"')), 1)

    def test_damage_met_by_a_query_first(self):
        with sqlite3.connect(self.tenant_file) as database:
            broken, count = database.execute(
                "SELECT number, record_count FROM block WHERE state = 0 ORDER BY number LIMIT 1"
            ).fetchone()
        database.close()
        self.change(
            f"SELECT block, data FROM block_header WHERE block = {broken}",
            "UPDATE block_header SET data = ? WHERE block = ?",
        )
        with Server(data=self.data) as server:
            answers = [server.get("/api/v1/logs/query", query="*") for _ in range(2)]
            self.assertEqual(answers[-1].status, 200, answers[-1].body)
            self.assertEqual(len(answers[-1].lines), 3500 - count)
        result = self.command("verify", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"block {broken}:", result.text)

    def test_damaged_column_met_by_a_query_first(self):
        with sqlite3.connect(self.tenant_file) as database:
            broken, count = database.execute(
                "SELECT number, record_count FROM block WHERE state = 0 ORDER BY number LIMIT 1"
            ).fetchone()
        database.close()
        self.change(
            f"SELECT id, data FROM block_column WHERE block = {broken} AND key = 'time'",
            "UPDATE block_column SET data = ? WHERE id = ?",
        )
        with Server(data=self.data) as server:
            try:
                server.get("/api/v1/logs/query", query="*")
            except http.client.IncompleteRead:
                pass  # met after the first rows were on their way
            self.assertEqual(len(server.query("*")), 3500 - count)
            self.assertIn(f"block={broken}", server.log)
        self.assertIn(f"block {broken}:", self.command("verify", check=False).text)

    def test_damaged_template(self):
        self.change("SELECT number, text FROM template LIMIT 1", "UPDATE template SET text = ? WHERE number = ?")
        result = self.command("verify", check=False)
        self.assertEqual(result.returncode, 1, result.text)
        self.assertIn("template", result.text + result.complaint)

    def test_one_tenant(self):
        self.assertIn("default:", self.command("verify", "--tenant", "default").text)
        self.assertNotIn("default:", self.command("verify", "--tenant", "other", check=False).text)

    def test_no_folder(self):
        result = run("verify", "--data", os.path.join(self.home, "nowhere"), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nowhere", result.complaint)


class Others(CommandLine):
    def test_config_hides_secrets(self):
        secret = "tlk_" + "s" * 48
        result = self.command("config", env={**environment(), "TIMBERLINE_ADMIN_API_KEY": secret})
        self.assertNotIn(secret, result.text + result.complaint)
        self.assertRegex(result.text, r"admin_api_key\s+\*\*\*\s+TIMBERLINE_ADMIN_API_KEY")
        self.assertRegex(result.text, r"data\s+\S+\s+--data")
        self.assertRegex(result.text, r"query_seconds_max\s+30\s+default")

    def test_version(self):
        self.assertRegex(run("version").text, r"^timberline \d+\.\d+\.\d+\n$")
        self.assertEqual(run("--version").text, run("version").text)

    def test_help(self):
        text = run("--help").text
        commands = [
            "serve",
            "demo",
            "import",
            "query",
            "tail",
            "patterns",
            "incidents",
            "analyze",
            "verify",
            "tenant",
            "config",
            "version",
        ]
        for command in commands:
            self.assertRegex(text, rf"\n  {command} ")
            for help_text in (run(command, "--help").text, run("help", command).text):
                self.assertIn("USAGE: timberline " + command, help_text)
                self.assertIn("OVERVIEW:", help_text)
        for command in ("add", "key", "list"):
            self.assertIn("USAGE:", run("tenant", command, "--help").text)

    def test_wrong_usage(self):
        for arguments in (
            ("nonsense",),
            ("query",),
            ("query", "*", "--limit", "x"),
            ("serve", "extra"),
            ("query", "*", "--start", "1", "--since", "1h"),
        ):
            result = run(*arguments, check=False)
            self.assertEqual(result.returncode, 64, (arguments, result.complaint))
            self.assertTrue(result.complaint)

    def test_completions(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("timberline", run("--generate-completion-script", shell).text)

    def test_tenants(self):
        key = self.command("tenant", "add", "acme", "--name", "Acme Works").text.strip()
        self.assertRegex(key, r"^tlk_[0-9A-Za-z]{48}$")
        self.assertNotEqual(self.command("tenant", "key", "acme").text.strip(), key)
        text = self.command("tenant", "list").text
        self.assertRegex(text, r"acme\s+Acme Works\s+20")
        self.assertRegex(text, r"default\s")
        self.assertNotIn("tlk_", text)
        for arguments, code in [
            (("tenant", "add", "acme"), 1),
            (("tenant", "add", "Not An Id"), 64),
            (("tenant", "add", "../up"), 64),
            (("tenant", "key", "nobody"), 1),
            (("tenant", "add", "a" * 65), 64),
        ]:
            result = self.command(*arguments, check=False)
            self.assertEqual(result.returncode, code, (arguments, result.complaint))
            self.assertTrue(result.complaint)

    def test_no_colour_into_a_pipe(self):
        self.command("import", "-", "--quiet", input=lines(5).encode())
        for arguments in (("query", "*"), ("patterns",), ("verify",), ("config",)):
            self.assertNotIn("\x1b", self.command(*arguments).text)


if __name__ == "__main__":
    unittest.main()
