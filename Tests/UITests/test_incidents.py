"""Incidents: what the watch found, from the list to a word that stays; the explorer's strip; two windows compared."""

import atexit
import functools
import os
import random
import shutil
import tempfile
import time

from playwright.sync_api import expect

from harness import Server
from test_pages import assert_sound, look

# The watch looks ten seconds after each full minute.
FOUND_SECONDS = 90


def record(second: float, level: str, workload: str, pod: str, message: str) -> dict[str, object]:
    return {
        "timestamp": second,
        "level": level,
        "message": message,
        "kubernetes": {
            "container_name": workload,
            "pod_name": f"{workload}-7d9f5b6c4-x2x9{pod}",
            "namespace_name": "shop",
        },
    }


def history() -> list[dict[str, object]]:
    """Three hours of an ordinary shop; for the last half hour its payments reach no database."""
    draw = random.Random(3)
    minute = int(time.time()) // 60 * 60 - 180 * 60
    records = []
    for number in range(180):
        start = minute + number * 60
        for workload in ("orders", "payments", "gateway"):
            for _ in range(draw.randint(18, 24)):
                message = f"request {draw.randrange(10**6)} served in {draw.randrange(100)} ms"
                records.append(record(start + draw.random() * 59, "info", workload, draw.choice("abc"), message))
        if number >= 150:
            for _ in range(30):
                message = f"connection to database refused after {draw.randrange(9)} attempts"
                records.append(record(start + draw.random() * 59, "error", "payments", "a", message))
            for _ in range(20):
                message = f"upstream payments returned 503 for order {draw.randrange(10**6)}"
                records.append(record(start + draw.random() * 59, "error", "orders", "b", message))
    return records


@functools.cache
def watched() -> Server:
    """A server of its own that has found the incident; the first call waits for it."""
    folder = tempfile.mkdtemp(prefix="timberline-ui-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = Server(os.environ["TIMBERLINE_BINARY"], "serve", "--dev", "--data", folder)
    atexit.register(server.stop)
    records = history()
    for first in range(0, len(records), 5000):
        server.send(*records[first : first + 5000])
    deadline = time.monotonic() + FOUND_SECONDS
    while time.monotonic() < deadline:
        if server.get("/incidents", open="true"):
            return server
        time.sleep(0.5)
    raise AssertionError(f"no incident in {FOUND_SECONDS} s")


def serious(site) -> dict:
    """The incident that the errors make, on the server that the test then works with."""
    site.server = watched()
    return max(site.server.get("/incidents", open="true"), key=lambda each: each["severity_score"])


def test_an_incident_is_found_acknowledged_and_stays_so(site):
    incident = serious(site)
    page = site.open("/incidents")
    row = page.locator(".incidents tbody tr").first
    expect(row).to_contain_text(incident["title"])
    expect(row.locator(".score")).to_contain_text(incident["severity"])
    expect(row.locator(".stand")).to_have_text("open")
    expect(page.locator(".watching.on")).to_be_visible()
    count = page.locator(".rail-n")
    before = int(count.inner_text())
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(incident["title"])
    assert page.url.endswith(f"/incidents/{incident['id']}")
    expect(page.locator(".origin.root").first).to_contain_text("payments")
    expect(page.locator(".origin:not(.root)").first).to_contain_text("orders")
    expect(page.locator(".sentences li").first).to_contain_text("connection to database refused")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".toast")).to_contain_text("acknowledged")
    expect(page.locator(".report .stand")).to_have_text("acknowledged")
    if before == 1:
        expect(count).to_have_count(0)
    else:
        expect(count).to_have_text(str(before - 1))
    page.reload()
    expect(page.locator(".report .stand")).to_have_text("acknowledged")
    assert site.server.get(f"/incidents/{incident['id']}")["status"] == "acknowledged"
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".report .stand")).to_have_text("open")


def test_a_word_can_be_taken_back(site):
    incident = serious(site)
    page = site.open(f"/incidents/{incident['id']}")
    page.get_by_role("button", name="Resolve").click()
    page.locator(".toast", has_text="resolved").get_by_role("button", name="Undo").click()
    expect(page.locator(".report .stand")).to_have_text("open")
    page.get_by_role("button", name="Not now").click()
    page.get_by_role("menuitem", name="Snooze for an hour").click()
    expect(page.locator(".note-bar")).to_contain_text("Snoozed until")
    (made,) = site.server.get("/suppressions")
    root = next(each for each in incident["candidates"] if each["is_root"])
    assert (made["workload"], made["pattern"]) == (root["workload"], root["pattern"]), made
    page.locator(".toast", has_text="Snoozed").get_by_role("button", name="Undo").click()
    expect(page.locator(".note-bar")).to_have_count(0)
    assert site.server.get("/suppressions") == []
    page.get_by_role("button", name="Not now").click()
    page.get_by_role("menuitem", name="Not a problem here").click()
    expect(page.locator(".note-bar")).to_contain_text("not a problem here")
    assert site.server.get("/feedback")[0]["points"] < 0
    page.locator(".note-bar").get_by_role("button", name="Take back").click()
    expect(page.locator(".note-bar")).to_have_count(0)


def test_by_keyboard_alone_from_the_list_to_a_record_and_back(site):
    incident = serious(site)
    page = site.open("/search")
    page.wait_for_selector(".row")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_selector(".incidents tbody tr")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(incident["title"])
    page.locator(".ev a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".drawer")).to_contain_text(incident["evidence"][0]["message"])
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(incident["title"])
    page.keyboard.press("m")
    expect(page.locator(".report .stand")).to_have_text("muted")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".report .stand")).to_have_text("open")


def test_an_anomaly_leads_to_its_records(site):
    incident = serious(site)
    page = site.open(f"/incidents/{incident['id']}")
    first = incident["anomalies"][0]
    page.get_by_role("link", name=f"Records of {first['pattern_text']}").click()
    page.wait_for_selector(".row")
    assert page.evaluate("new URLSearchParams(location.search).get('q')") == f"pattern:={first['pattern']}"
    expect(page.locator(".row .lv").first).to_have_text("ERR")


def test_the_explorer_tells_of_an_open_incident(site):
    incident = serious(site)
    page = site.open("/search?from=now-1h")
    chip = page.locator(".ins.found", has_text="Incident").first
    expect(chip).to_be_visible()
    assert page.locator(".onset").count() >= 1
    chip.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(incident["title"])


def test_two_windows_are_compared(site):
    incident = serious(site)
    page = site.open(f"/incidents/{incident['id']}")
    page.get_by_role("link", name="Before and after").click()
    rows = page.locator(".compared tbody tr")
    expect(rows.first).to_contain_text("new")
    expect(rows.first).to_contain_text("connection to database refused")
    page.get_by_role("radio", name="A day ago").click()
    page.wait_for_url("**with=day**")
    expect(page.locator(".panel[aria-busy=false]")).to_be_visible()


def test_a_calm_window_says_what_is_watched(site):
    serious(site)
    page = site.open("/incidents?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", width=390, height=844)
    expect(page.get_by_role("heading", name="Nothing wrong in this window")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("Watched in the last hour")
    assert_sound(page, "a calm window")


def test_without_events_it_is_asked_for_and_a_failure_is_said(site):
    serious(site)
    page = site.open("/search", expect_problems=True)
    page.route("**/insights/stream", lambda route: route.fulfill(status=503, json={"title": "Too many follow"}))
    page.goto(site.server.address + "/incidents")
    page.wait_for_selector(".incidents tbody tr")
    expect(page.locator(".watching")).to_contain_text("every 30 s")
    page.route("**/api/v1/incidents?*", lambda route: route.fulfill(status=500, json={"title": "The store does not answer"}))
    page.goto(site.server.address + "/incidents?from=now-2h")
    expect(page.get_by_role("alert")).to_contain_text("The store does not answer")
    page.unroute("**/api/v1/incidents?*")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".incidents tbody tr")


def test_an_unknown_incident_says_so(site):
    serious(site)
    page = site.open("/incidents/0", expect_problems=True)
    expect(page.get_by_role("heading", name="No such incident")).to_be_visible()


def test_the_list_of_incidents_is_sound(site):
    serious(site)
    look(site, "incidents", "/incidents", ".incidents tbody tr", idle=False)


def test_an_incident_is_sound(site):
    look(site, "incident", f"/incidents/{serious(site)['id']}", ".report .boxed-table", idle=False)


def test_a_comparison_is_sound(site):
    serious(site)
    look(site, "compare", "/compare?from=now-30m", ".compared tbody tr")


def test_the_explorer_with_an_incident_is_sound(site):
    serious(site)
    look(site, "search-incident", "/search?from=now-1h", ".ins.found")
