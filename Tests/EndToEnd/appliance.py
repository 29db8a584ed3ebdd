"""Starts the real binary and talks to it over real sockets. Standard library only."""

import http.client
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TIMBERLINE_BINARY", ROOT / "build" / "timberline"))


def environment():
    """The process's variables without any that would configure Timberline."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TIMBERLINE_")}


def run(*arguments, input=None, check=True, timeout=120, env=None):
    """One command to its end. Returns the finished process, its output as text."""
    result = subprocess.run(
        [str(BINARY), *arguments], input=input, capture_output=True, timeout=timeout, env=env or environment())
    result.text = result.stdout.decode("utf-8", "replace")
    result.complaint = result.stderr.decode("utf-8", "replace")
    if check and result.returncode != 0:
        raise AssertionError(f"timberline {' '.join(arguments)}: exit {result.returncode}\n{result.complaint}")
    return result


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.split(b"\n") if line]


class Server:
    """A server process on a data folder of its own (or a given one), on a free port."""

    def __init__(self, data=None, dev=True, arguments=(), env=None, preexec=None):
        self.owns_data = data is None
        self.data = data or tempfile.mkdtemp(prefix="timberline-test-")
        self.dev = dev
        self.arguments = list(arguments)
        self.env = {**environment(), **(env or {})}
        self.preexec = preexec
        self.key = None
        self.process = None
        handle, self.log_path = tempfile.mkstemp(prefix="timberline-test-", suffix=".log")
        os.close(handle)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        if self.owns_data:
            shutil.rmtree(self.data, ignore_errors=True)
        pathlib.Path(self.log_path).unlink(missing_ok=True)

    def start(self):
        """Returns once it listens."""
        self.launch()
        return self.await_listening()

    def launch(self):
        """Starts the process without waiting for anything."""
        assert self.process is None, "it runs already"
        command = [str(BINARY), "serve", "--data", self.data, "--listen", "127.0.0.1:0", *self.arguments]
        if self.dev:
            command.append("--dev")
        self.errors = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.errors, env=self.env, preexec_fn=self.preexec, bufsize=0)
        self.output = b""

    def await_listening(self, seconds=60):
        """Reads what the process prints until it says where it listens; an AssertionError if it does not."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise AssertionError(f"the server does not listen after {seconds} s: {self.log[-2000:]}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    code = self.process.wait()
                    raise AssertionError(f"the server ended before it listened: exit {code}\n{self.log[-2000:]}")
                self.output += piece
                key = re.search(rb"tlk_[0-9A-Za-z]{48}", self.output)
                if key:
                    self.key = key.group().decode()
                address = re.search(rb"listens on http://([^:]+):(\d+)\n", self.output)
                if address:
                    self.host, self.port = "127.0.0.1", int(address.group(2))
                    return self

    @property
    def log(self):
        """What the process has written to its standard error so far, over all its starts."""
        return pathlib.Path(self.log_path).read_text(errors="replace")

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def stop(self, timeout=15):
        """SIGTERM; returns the exit code and how long it took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self._close()
        return code, time.monotonic() - begin

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self):
        if self.process:
            self.process.stdout.close()
            self.errors.close()
            self.process = None

    def connection(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def call(self, method, path, parameters=None, body=None, headers=None, key=None, timeout=60):
        """One request. `key` is the server's own one unless given; False sends none."""
        if parameters:
            path += "?" + urllib.parse.urlencode(parameters)
        headers = dict(headers or {})
        if key is None:
            key = self.key
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path, key=None, **parameters):
        return self.call("GET", path, parameters, key=key)

    def raw(self, data, timeout=20):
        """Bytes to a socket as they are; returns all that comes back until the server or the time ends it."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as connection:
            received = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    received += piece
            except OSError:
                pass  # a server may hang up on what it does not like
            return received

    def post(self, path, value, key=None):
        return self.call("POST", path, body=json.dumps(value), headers={"Content-Type": "application/json"}, key=key)

    def send(self, records, key=None, headers=None, parameters=None):
        """Records as JSON lines; returns the answer."""
        body = "".join(json.dumps(record) + "\n" for record in records).encode()
        return self.call(
            "POST", "/api/v1/logs/stream", parameters, body=body,
            headers={"Content-Type": "application/x-ndjson", **(headers or {})}, key=key)

    def query(self, text, key=None, **parameters):
        """The rows of a LogsQL query."""
        answer = self.get("/api/v1/logs/query", key=key, query=text, **parameters)
        if answer.status != 200:
            raise AssertionError(f"query {text!r}: {answer.status} {answer.body[:500]!r}")
        return answer.lines

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Follower:
    """A live tail over a raw socket."""

    def __init__(self, server, query="*", key=None):
        self.socket = socket.create_connection((server.host, server.port), timeout=20)
        credential = f"Authorization: Bearer {key}\r\n" if key else ""
        self.socket.sendall(
            f"GET /api/v1/logs/tail?query={urllib.parse.quote(query)} HTTP/1.1\r\nHost: x\r\n{credential}\r\n".encode())
        self.received = b""
        self.read_until(b"\n\n")

    def read_until(self, mark):
        while mark not in self.received:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the stream ended: {self.received[-500:]!r}")
            self.received += piece

    def records(self):
        return [json.loads(line[6:]) for line in self.received.split(b"\n") if line.startswith(b"data: ")]

    def close(self):
        self.socket.close()


class ServerCase(unittest.TestCase):
    """Tests that share one server. `settings` are more arguments of `serve`."""

    settings = ()
    dev = True

    @classmethod
    def setUpClass(cls):
        cls.server = Server(dev=cls.dev, arguments=cls.settings)
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.start()

    def accepted(self, answer, count=None, rejected=0):
        """Asserts a receipt; returns it."""
        self.assertEqual(answer.status, 200, answer.body[:500])
        receipt = answer.json
        self.assertTrue(receipt["success"])
        self.assertEqual(receipt["rejected_count"], rejected, receipt)
        if count is not None:
            self.assertEqual(receipt["processed_count"], count, receipt)
        self.assertEqual(len(receipt["errors"]), min(rejected, 20))
        return receipt

    def problem(self, answer, status):
        """Asserts a problem document (RFC 9457); returns it."""
        self.assertEqual(answer.status, status, answer.body[:500])
        self.assertEqual(answer.headers.get("content-type"), "application/problem+json")
        document = answer.json
        for member in ("type", "title", "status", "detail", "instance"):
            self.assertIn(member, document)
        self.assertEqual(document["status"], status)
        return document


def eventually(probe, seconds=30):
    """Asks `probe` until it answers something true; an assertion fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not happen")
        time.sleep(0.05)
