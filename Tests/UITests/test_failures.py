"""What the pages do when the server is away, refuses, fails, or is slow."""

import json
import re

from playwright.sync_api import expect

WINDOW = "from=now-6h"


def problem(route, status: int, title: str, **headers: str) -> None:
    route.fulfill(
        status=status,
        headers={"Content-Type": "application/problem+json", **headers},
        body=json.dumps({"title": title, "status": status, "detail": "For a test.", "instance": "req-test"}),
    )


def test_an_absent_server_is_said_and_heals_by_itself(site):
    page = site.open(f"/search?{WINDOW}", expect_problems=True)
    page.wait_for_selector(".row")
    page.route("**/api/**", lambda route: route.abort())
    page.locator(".facet li.lvl-error input").check()
    expect(page.locator(".offline")).to_be_visible()
    assert page.locator(".row").count() > 0, "what was there must stay"
    page.unroute("**/api/**")
    expect(page.locator(".offline")).to_have_count(0, timeout=10_000)
    expect(page.locator(".row .lv").first).to_have_text("ERR")


def test_a_refused_key_leads_to_sign_in_and_back(site):
    page = site.open("/nowhere", expect_problems=True)

    def guarded(route) -> None:
        if route.request.headers.get("authorization") == "Bearer tlk_right":
            # The server under test asks for no key, and would refuse a wrong one.
            headers = {name: value for name, value in route.request.headers.items() if name != "authorization"}
            route.continue_(headers=headers)
        else:
            problem(route, 401, "Sign in to go on")

    page.route("**/api/v1/**", guarded)
    page.goto(site.server.address + f"/search?{WINDOW}&q=severity:%3Derror")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    site.picture(page, "sign-in")
    page.get_by_label("API key").fill("tlk_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("API key").fill("tlk_right")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".row")
    expect(page.locator(".pill")).to_contain_text("error")
    assert page.evaluate("sessionStorage.getItem('tl.key')") == "tlk_right"
    assert page.evaluate("localStorage.getItem('tl.key')") is None


def test_a_failure_names_itself_and_can_be_tried_again(site):
    page = site.open("/nowhere", expect_problems=True)
    page.route("**/api/v1/logs/query*", lambda route: problem(route, 500, "Something broke"))
    page.goto(site.server.address + f"/search?{WINDOW}")
    alert = page.locator(".body .error")
    expect(alert).to_contain_text("Something broke")
    expect(alert).to_contain_text("req-test")
    # The rest of the page goes on.
    page.wait_for_selector(".facet")
    assert any(path.get_attribute("d") for path in page.locator(".hb").all())
    page.unroute("**/api/v1/logs/query*")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".row")


def test_a_busy_server_is_waited_for(site):
    page = site.open("/nowhere", expect_problems=True)
    asked = []

    def busy(route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            problem(route, 429, "Too many requests", **{"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/api/v1/logs/hits*", busy)
    page.goto(site.server.address + f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    expect(page.locator(".status")).to_contain_text(re.compile(r"[\d,]+ of [\d,]+ records"), timeout=10_000)
    assert len(asked) == 2, asked


def test_a_record_that_is_gone_says_so(site):
    page = site.open(f"/search?{WINDOW}&record=0000000000000000", expect_problems=True)
    page.wait_for_selector(".row")
    expect(page.locator(".drawer .error, .drawer [role=alert]").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)


def test_an_analysis_that_is_gone_says_so(site):
    page = site.open("/analyses/none-such", expect_problems=True)
    expect(page.get_by_role("heading", name="No such analysis")).to_be_visible()
