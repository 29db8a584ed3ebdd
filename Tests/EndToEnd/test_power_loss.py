"""What a disk does to the promise: syncs that fail, and a power failure that takes everything not synced.

A small library, built with the C compiler and loaded before the C library, stands between the server and fdatasync(2). Of
SQLite's log it notes how many bytes each sync covered, and while a certain file is there it lets the sync fail.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from appliance import Server

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/tenants/default/tenant.sqlite-wal") != NULL;
}

static int sync_with(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (!is_log(fd)) return real(fd);
  const char *folder = getenv("SHIM_FOLDER");
  char path[4096];
  snprintf(path, sizeof path, "%s/fail", folder);
  if (access(path, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  struct stat status;
  fstat(fd, &status);
  int result = real(fd);
  if (result == 0) {
    uint64_t size = status.st_size;
    snprintf(path, sizeof path, "%s/synced", folder);
    int note = open(path, O_WRONLY | O_CREAT, 0600);
    if (pwrite(note, &size, 8, 0) != 8) abort();
    close(note);
  }
  return result;
}

int fdatasync(int fd) { return sync_with("fdatasync", fd); }
int fsync(int fd) { return sync_with("fsync", fd); }
"""


@unittest.skipUnless(shutil.which("cc") or shutil.which("clang"), "no C compiler")
class PowerLoss(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="timberline-power-")
        self.addCleanup(shutil.rmtree, self.home, True)
        source, self.shim = os.path.join(self.home, "shim.c"), os.path.join(self.home, "shim.so")
        pathlib.Path(source).write_text(SHIM)
        compiler = shutil.which("cc") or shutil.which("clang")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self.shim, source, "-ldl"], check=True)
        self.data = os.path.join(self.home, "data")
        self.failing = pathlib.Path(self.home, "fail")
        self.log = os.path.join(self.data, "tenants", "default", "tenant.sqlite-wal")
        self.next = 0

    def server(self):
        return Server(data=self.data, env={"LD_PRELOAD": self.shim, "SHIM_FOLDER": self.home})

    def send(self, server, count=20):
        """Records that no other request has; their numbers and the answer's status."""
        numbers = list(range(self.next, self.next + count))
        self.next += count
        now = time.time()
        return numbers, server.send([{"timestamp": now, "message": f"number {n}", "n": str(n)} for n in numbers]).status

    def stored(self, server):
        return sorted(int(row["n"]) for row in server.query("*"))

    def test_what_is_acknowledged_was_synced(self):
        acknowledged = []
        with self.server() as server:
            for _ in range(40):
                numbers, status = self.send(server)
                self.assertEqual(status, 200)
                acknowledged += numbers
            synced, = struct.unpack("<Q", pathlib.Path(self.home, "synced").read_bytes())
            server.kill()
        # The power failed: what no sync covered is gone.
        self.assertGreater(synced, 0)
        os.truncate(self.log, min(synced, os.path.getsize(self.log)))
        shm = self.log.replace("-wal", "-shm")
        if os.path.exists(shm):
            os.unlink(shm)

        with Server(data=self.data) as server:
            self.assertEqual(self.stored(server), acknowledged)

    def test_a_sync_that_fails_is_not_acknowledged(self):
        with self.server() as server:
            acknowledged, status = self.send(server)
            self.assertEqual(status, 200)
            self.failing.touch()
            for _ in range(3):
                _, status = self.send(server)
                self.assertGreaterEqual(status, 500)
            self.assertTrue(server.is_running)
            self.failing.unlink()
            deadline = time.monotonic() + 20
            while True:
                numbers, status = self.send(server)
                if status == 200:
                    break
                self.assertLess(time.monotonic(), deadline, server.log[-2000:])
            acknowledged += numbers
            self.assertEqual(self.stored(server), acknowledged)
            server.kill()

        with Server(data=self.data) as server:
            self.assertEqual(self.stored(server), acknowledged)


if __name__ == "__main__":
    unittest.main()
