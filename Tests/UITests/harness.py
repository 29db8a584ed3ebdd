"""Starts the binary and the browser, runs every `test_*` function of the `test_*.py` files, and adds up.

A test takes a `Site`. It fails by an exception, or by anything the page wrote to its console, any request that failed
or left for another host: those are watched on every page and must stay empty, which also catches the content policy.
"""

import importlib
import inspect
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
import urllib.request

from playwright.sync_api import Browser, Page, sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = pathlib.Path(os.environ.get("TIMBERLINE_UI_PICTURES", HERE / "pictures"))
START_SECONDS = 90


class Server:
    """The real binary on a free port: with its sample incident, or as the arguments say."""

    def __init__(self, binary: str, *arguments: str):
        self.output: list[str] = []
        self.process = subprocess.Popen(
            [binary, *(arguments or ("demo", "--records", "30000")), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            # What names the binary and the pictures is no setting of the server's.
            env={name: value for name, value in os.environ.items() if not name.startswith("TIMBERLINE_")},
        )
        self.address = ""
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.address and (arguments or self._has_records()):
                return
            time.sleep(0.1)
        said = "".join(self.output)[-2000:]
        self.stop()
        raise SystemExit(f"the server did not come up in {START_SECONDS} s; it said:\n{said}")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.output.append(line)
            found = re.search(r"https?://[\w.:\[\]-]+:\d+", line)
            if found and not self.address:
                self.address = found.group(0)

    def _has_records(self) -> bool:
        try:
            return self.count("*") > 1000
        except OSError:
            return False

    def get(self, path: str, **parameters: object) -> object:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(f"{self.address}/api/v1{path}{query}", timeout=30) as response:
            return json.load(response)

    def count(self, query: str) -> int:
        answer = self.get("/logs/hits", query=query, step="1d", field="severity")
        return sum(series["total"] for series in answer["hits"])

    def send(self, *records: dict[str, object]) -> None:
        body = "".join(json.dumps(record) + "\n" for record in records).encode()
        request = urllib.request.Request(
            f"{self.address}/api/v1/logs/stream", data=body, headers={"Content-Type": "application/x-ndjson"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert answer["processed_count"] == len(records), answer

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Site:
    """What a test works with: the server, and pages that are watched."""

    def __init__(self, server: Server, browser: Browser):
        self.server = server
        self.browser = browser
        self.problems: list[str] = []
        self._contexts: list = []

    def open(
        self, path: str, *, width: int = 1440, height: int = 900, theme: str = "light", expect_problems: bool = False
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, timezone_id="UTC", reduced_motion="reduce"
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if not expect_problems:
            page.on("console", lambda message: self.problems.append(f"console: {message.text[:400]}"))
            page.on("response", self._check_response)
            page.on("requestfailed", self._check_failed)
        page.on("pageerror", lambda error: self.problems.append(f"error: {str(error)[:600]}"))
        page.on("request", self._check_host)
        page.goto(self.server.address + path)
        return page

    def _check_host(self, request) -> None:
        if not request.url.startswith((self.server.address, "data:", "blob:")):
            self.problems.append(f"request to another host: {request.url}")

    def _check_response(self, response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} for {response.url}")

    def _check_failed(self, request) -> None:
        # What the page itself canceled is no failure.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.problems.append(f"request failed: {request.url} {request.failure}")

    def picture(self, page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def collect(wanted: list[str]) -> list[tuple[str, object]]:
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(function):
                if not wanted or any(part in name for part in wanted):
                    found.append((f"{path.stem}.{name}", function))
    return found


def main() -> None:
    tests = collect(sys.argv[1:])
    server = Server(os.environ["TIMBERLINE_BINARY"])
    failed = 0
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            for name, test in tests:
                site = Site(server, browser)
                start = time.monotonic()
                reason = ""
                try:
                    test(site)
                except Exception as error:  # noqa: BLE001 - a test fails by any exception, and the next goes on
                    frames = [each for each in traceback.extract_tb(error.__traceback__) if str(HERE) in each.filename]
                    where = ", ".join(f"{pathlib.Path(each.filename).name}:{each.lineno}" for each in frames)
                    reason = f"{type(error).__name__} at {where}: {error}"
                    for index, context in enumerate(site._contexts):
                        for page in context.pages:
                            site.picture(page, f"failed-{name}-{index}")
                if site.problems:
                    said = "the page was not quiet:\n    " + "\n    ".join(dict.fromkeys(site.problems))
                    reason = f"{reason}\n  {said}" if reason else said
                site.close()
                failed += bool(reason)
                print(f"{'FAILED' if reason else 'ok':6} {name} ({time.monotonic() - start:.1f} s)", flush=True)
                if reason:
                    print("  " + reason, flush=True)
            browser.close()
    finally:
        server.stop()
    print(f"{len(tests) - failed} passed, {failed} failed")
    raise SystemExit(1 if failed or not tests else 0)


if __name__ == "__main__":
    main()
