"""CPU seconds, memory and sizes of a process, and a connection that costs the client little."""

import http.client
import json
import pathlib
import statistics
import subprocess
import time
import os
import urllib.parse


def cpu_seconds(pid):
    """User and system time of all threads of a process, in nanosecond steps (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid, field="VmRSS"):
    """`VmRSS` now or `VmHWM` at most, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(field)


def folder_bytes(path):
    return sum(file.stat().st_blocks * 512 for file in pathlib.Path(path).rglob("*") if file.is_file())


def zstd(path, output):
    """CPU seconds and bytes of `zstd -1 -T1`: how fast this machine is, and what plain compression makes of the corpus."""
    before = os.times()
    subprocess.run(["zstd", "-1", "-T1", "-q", "-f", path, "-o", output], check=True)
    after = os.times()
    size = os.path.getsize(output)
    os.unlink(output)
    return after.children_user + after.children_system - before.children_user - before.children_system, size


class Asker:
    """Questions over one kept connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=300)
        self.headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}

    def get(self, path, **parameters):
        self.connection.request("GET", path + "?" + urllib.parse.urlencode(parameters), headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {path} {parameters}: {answer.status} {body[:300]!r}")
        return body

    def rows(self, query, **parameters):
        return [json.loads(line) for line in self.get("/api/v1/logs/query", query=query, **parameters).splitlines()]

    def document(self, path, **parameters):
        return json.loads(self.get(path, **parameters))


def timed(server, question, seconds=0.6, least=5, most=50):
    """Median server CPU and wall milliseconds of a question, everything warm."""
    pid = server.process.pid
    cpu, wall = [], []
    question()
    begin = time.monotonic()
    while len(cpu) < least or (len(cpu) < most and time.monotonic() - begin < seconds):
        before, start = cpu_seconds(pid), time.monotonic()
        question()
        wall.append(1000 * (time.monotonic() - start))
        cpu.append(1000 * (cpu_seconds(pid) - before))
    return statistics.median(cpu), statistics.median(wall)
