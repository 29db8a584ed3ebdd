"""Every page in light and dark, wide and narrow: quiet, on this host alone, without a violation, without sideways scroll."""

import time
import urllib.parse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WINDOW = "from=now-6h"


def analyzed(server) -> str:
    """The id of a completed analysis; the first call runs it."""
    for analysis in server.get("/analyses", limit=50):
        if analysis["status"] == "completed":
            return analysis["id"]
    import json
    import urllib.request

    body = json.dumps({"namespace": None, "time_range_hours": 3, "min_cluster_size": 2}).encode()
    request = urllib.request.Request(
        server.address + "/api/v1/analyses", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        started = json.load(response)["id"]
    for _ in range(300):
        if server.get(f"/analyses/{started}")["status"] in ("completed", "failed"):
            return started
        time.sleep(0.1)
    raise AssertionError("the analysis did not end in 30 s")


def newest(server) -> str:
    """The id of the newest error."""
    import json
    import urllib.request

    query = urllib.parse.urlencode({"query": "severity:error", "limit": 1})
    with urllib.request.urlopen(f"{server.address}/api/v1/logs/query?{query}", timeout=30) as response:
        return json.loads(response.readline())["_id"]


def assert_sound(page: Page, what: str) -> None:
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert sideways <= 0, f"{what}: {sideways} px of sideways scroll"
    violations = Axe().run(page).response["violations"]
    told = [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['target']} {each['nodes'][0].get('failureSummary', '')[:300]}"
        for each in violations
    ]
    assert not told, f"{what}: " + "; ".join(told)
    assert page.locator("h1").count() == 1, f"{what}: not one h1"
    assert page.title().endswith("Timberline"), page.title()


def look(site, name: str, path: str, ready: str, *, idle: bool = True) -> None:
    """Pictures and checks a page; without `idle` it may hold a connection, as a page that follows events does."""
    for theme in ("light", "dark"):
        for width in (1440, 390):
            page = site.open(path, theme=theme, width=width, height=900 if width > 400 else 844)
            page.wait_for_selector(ready)
            if idle:
                page.wait_for_load_state("networkidle")
            assert_sound(page, f"{name} {theme} {width}")
            site.picture(page, f"{name}-{theme}-{width}")
            page.context.close()
            site._contexts.remove(page.context)


def test_search_is_sound(site):
    look(site, "search", f"/search?{WINDOW}&q=severity:%3Derror", ".row")


def test_an_open_record_is_sound(site):
    look(site, "record", f"/search?{WINDOW}&record={newest(site.server)}&tab=context", ".ctx .here")


def test_patterns_are_sound(site):
    look(site, "patterns", f"/patterns?{WINDOW}", ".p-text")


def test_the_list_of_analyses_is_sound(site):
    analyzed(site.server)
    look(site, "analyses", "/analyses", ".analyses tbody tr")


def test_an_analysis_is_sound(site):
    look(site, "analysis", f"/analyses/{analyzed(site.server)}", ".report h1")


def test_what_opens_over_a_page_is_sound(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    for name, keys, ready in (
        ("time", ["t"], ".timeform"),
        ("palette", ["Control+k"], ".palette"),
        ("help", ["?"], ".help"),
    ):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_selector(ready)
        assert_sound(page, name)
        site.picture(page, name)
        page.keyboard.press("Escape")
        page.wait_for_selector(ready, state="detached")


def test_a_search_by_meaning_is_sound(site):
    page = site.open(f"/search?{WINDOW}&mode=meaning&q=connection+problems", theme="dark")
    page.wait_for_selector(".row .match")
    assert_sound(page, "meaning")
    site.picture(page, "meaning")


def test_an_unknown_address_says_so(site):
    page = site.open("/nowhere")
    expect(page.get_by_role("heading", name="The trail ends here")).to_be_visible()
    assert_sound(page, "not found")


def test_assets_are_compressed_and_kept_and_the_policy_is_strict(site):
    page = site.open("/search")
    answers = {}
    page.on("response", lambda response: answers.__setitem__(response.url, response))
    page.reload()
    page.wait_for_selector(".search h1")
    page_answer = next(each for url, each in answers.items() if url.endswith("/search"))
    policy = page_answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"):
        assert part in policy, policy
    assert "unsafe" not in policy, policy
    assert page_answer.headers["cache-control"] == "no-cache", page_answer.headers
    scripts = [each for url, each in answers.items() if "/assets/main-" in url]
    assert scripts and "immutable" in scripts[0].headers["cache-control"], answers.keys()
    fresh = page.request.get(scripts[0].url, headers={"Accept-Encoding": "gzip"})
    assert fresh.headers.get("content-encoding") == "gzip", fresh.headers
