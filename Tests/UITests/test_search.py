"""The explorer at work: by pointer, by keyboard alone, forth and back."""

import re

from playwright.sync_api import Page, expect

WINDOW = "from=now-6h"


def shown(page: Page) -> int:
    """How many records the tab says there are, once nothing loads any more."""
    page.wait_for_selector(".search[aria-busy=false]")
    badge = page.locator("#view-records small")
    expect(badge).to_be_visible()
    return int(badge.inner_text().replace(",", ""))


def query_of(page: Page) -> str:
    return page.evaluate("new URLSearchParams(location.search).get('q') ?? ''")


def test_the_first_page_shows_chart_facets_and_records(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    assert shown(page) == site.server.count("*")
    assert page.locator(".facet").count() >= 2
    assert page.locator(".hb").count() >= 6
    assert any(len(path.get_attribute("d") or "") > 0 for path in page.locator(".hb").all())
    assert page.locator(".row").count() >= 18


def test_the_root_is_the_search_page(site):
    page = site.open("/")
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()


def test_a_facet_filters_back_undoes_and_a_reload_changes_nothing(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    everything = shown(page)
    page.locator(".facet li.lvl-error input").check()
    expect(page.locator(".pill")).to_contain_text("severity")
    assert query_of(page) == "severity:=error"
    expect(page.locator(".row .lv").first).to_have_text("ERR")
    errors = shown(page)
    assert errors == site.server.count("severity:=error") and errors < everything
    page.locator(".facet li.lvl-info input").check()
    assert query_of(page) == "severity:in(error, info)"
    page.reload()
    page.wait_for_selector(".row")
    expect(page.locator(".pill")).to_contain_text("error, info")
    page.go_back()
    expect(page.locator(".pill")).not_to_contain_text("info")
    assert shown(page) == errors
    page.go_back()
    expect(page.locator(".pill")).to_have_count(0)
    assert shown(page) == everything


def test_excluding_a_value_leaves_the_others(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    row = page.locator(".facet li.lvl-info")
    row.hover()
    row.get_by_role("button", name="Exclude info").click()
    assert query_of(page) == "-severity:=info"
    expect(page.locator(".pill.not")).to_be_visible()
    assert shown(page) == site.server.count("-severity:=info")


def test_by_keyboard_alone_search_open_context_filter(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    page.keyboard.press("/")
    page.keyboard.type("severity:=error")
    page.keyboard.press("Enter")
    expect(page.locator(".pill")).to_contain_text("error")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_selector(".drawer .kv")
    first = page.evaluate("new URLSearchParams(location.search).get('record')")
    page.keyboard.press("j")
    expect(page.locator(".row[aria-selected=true]")).to_have_count(1)
    assert page.evaluate("new URLSearchParams(location.search).get('record')") != first
    page.keyboard.press("c")
    page.wait_for_selector(".ctx .here")
    page.keyboard.press("]")
    expect(page.locator("#detail-similar")).to_have_attribute("aria-selected", "true")
    page.wait_for_selector(".ctx ol li, .empty-s")
    page.keyboard.press("i")
    expect(page.locator(".pill")).to_have_count(2)
    assert re.search(r"pattern:=\d+", query_of(page)), query_of(page)
    page.keyboard.press("w")
    expect(page.locator(".list.wrap")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Patterns", level=1)).to_be_focused()


def test_words_are_marked_and_a_wrong_query_is_underlined(site):
    page = site.open(f"/search?{WINDOW}", expect_problems=True)
    page.wait_for_selector(".row")
    message = page.locator(".row .c-msg").nth(3).inner_text()
    word = max(re.findall(r"[A-Za-z]{4,}", message), key=len)
    box = page.get_by_role("combobox")
    box.fill(word)
    box.press("Enter")
    expect(page.locator(".row mark").first).to_have_text(word, ignore_case=True)
    box.fill("(unclosed")
    box.press("Enter")
    expect(page.locator(".q-error")).to_be_visible()
    expect(page.locator(".q-mirror u")).to_have_count(1)
    expect(box).to_have_attribute("aria-invalid", "true")
    # What was found before stays in sight.
    assert page.locator(".row").count() > 0


def test_completion_offers_names_and_values_with_counts(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    box = page.get_by_role("combobox")
    box.press_sequentially("sever")
    option = page.get_by_role("option", name="severity")
    expect(option).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("severity:")
    box.press_sequentially("err")
    expect(page.get_by_role("option", name="error")).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("severity:=error ")
    box.press("Enter")
    expect(page.locator(".pill")).to_contain_text("error")


def test_dragging_the_chart_zooms_and_z_goes_out(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    everything = shown(page)
    area = page.locator(".hist-plot svg").first.bounding_box()
    y = area["y"] + 60
    page.mouse.move(area["x"] + area["width"] * 0.6, y)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.95, y, steps=4)
    page.mouse.up()
    expect(page.locator(".time")).to_contain_text("–")
    assert "to=" in page.url
    zoomed = shown(page)
    assert 0 < zoomed < everything
    page.keyboard.press("z")
    assert shown(page) > zoomed


def test_the_chart_has_a_table_and_keys(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    chart = page.get_by_role("application")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".tip")).to_contain_text("records")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show as table").click()
    assert page.locator(".hist-table tbody tr").count() > 10


def test_patterns_lead_to_their_records(site):
    page = site.open(f"/search?{WINDOW}&view=patterns")
    page.wait_for_selector(".p-text")
    loudest = site.server.get("/patterns", query="*", limit=1)["patterns"][0]
    expect(page.locator("#view-patterns small")).to_be_visible()
    page.locator(".p-text button").first.click()
    expect(page.locator(".sample").first).to_be_visible()
    page.get_by_role("button", name="Show its records").click()
    page.wait_for_selector(".row")
    assert query_of(page) == f"pattern:={loudest['id']}", query_of(page)
    assert shown(page) == loudest["count"]


def test_a_search_by_meaning_says_how_it_found(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    page.get_by_role("radio", name="Meaning").click()
    expect(page.get_by_role("heading", name="Say what you are looking for")).to_be_visible()
    page.get_by_role("combobox").fill("the database ran out of connections")
    page.get_by_role("combobox").press("Enter")
    page.wait_for_selector(".row .match")
    for found in page.locator(".match").all_inner_texts():
        assert re.match(r"(word|meaning|both)", found.strip()), found
    page.locator(".row").first.click()
    expect(page.locator(".why")).to_contain_text("Found")
    assert page.locator(".kv > div").count() > 3


def test_rows_with_pipes_become_a_table(site):
    page = site.open(f"/search?{WINDOW}&q=*+%7C+stats+by+(severity)+count()+hits")
    page.wait_for_selector(".rows .table td")
    expect(page.locator("#view-records")).to_contain_text("Rows")


def test_a_record_appears_live_and_flashes_nothing_away(site):
    page = site.open("/search?from=now-15m&live=1&q=service:%3Dlive-check")
    expect(page.locator(".livebar")).to_contain_text("Following")
    site.server.send({"message": "the first of its kind", "level": "error", "service": "live-check"})
    expect(page.locator(".row").first).to_contain_text("the first of its kind")
    site.server.send(*({"message": f"number {index} of many", "service": "live-check"} for index in range(60)))
    expect(page.locator(".row .c-msg", has_text="number 59 of many")).to_be_visible()
    page.locator(".list").hover()
    page.mouse.wheel(0, 600)
    expect(page.locator(".livebar")).to_contain_text("Paused")
    site.server.send({"message": "while reading further down", "service": "live-check"})
    expect(page.locator(".livebar")).to_contain_text("1 new")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".row").first).to_contain_text("while reading further down")
    page.keyboard.press("l")
    expect(page.locator(".livebar")).to_have_count(0)


def test_hostile_text_stays_text(site):
    page = site.open("/search?from=now-15m")
    site.server.send(
        {"message": "<img src=x onerror=alert(1)> \u202egnirts \u001b[31mred\u001b[0m nul\u0000byte", "service": "hostile"},
        {"message": "long " + "x" * 200_000, "service": "hostile"},
        {"message": "first line\n  at second (line.js:2)\n  at third", "service": "hostile", "level": "error"},
    )
    page.goto(site.server.address + "/search?from=now-15m&q=service:%3Dhostile")
    page.wait_for_selector(".row")
    assert page.locator(".row img, .row script").count() == 0
    expect(page.locator(".row", has_text="<img src=x")).to_contain_text("\\u202e")
    expect(page.locator(".ansi-red")).to_have_text("red")
    row = page.locator(".row", has_text="more characters")
    row.click()
    expect(page.get_by_role("button", name=re.compile("Show all 200,0"))).to_be_visible()
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)


def test_however_many_records_the_page_holds_few_rows(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    fit = page.evaluate("Math.ceil(document.querySelector('.list').clientHeight / document.querySelector('.row').offsetHeight)")
    page.locator(".list").focus()
    for _ in range(5):
        page.keyboard.press("End")
        page.wait_for_timeout(300)
        assert page.locator(".row").count() <= fit + 20, page.locator(".row").count()
    rows = int(page.locator(".list").get_attribute("aria-rowcount"))
    assert rows > 1000, f"End loaded only {rows} rows"
    page.keyboard.press("Home")
    expect(page.locator("#row-0")).to_be_visible()


def test_nothing_found_says_which_filter_to_drop(site):
    page = site.open(f"/search?{WINDOW}&q=severity:%3Derror+wordthatisnowhere")
    expect(page.get_by_role("heading", name="No record matches this filter")).to_be_visible()
    page.get_by_role("button", name=re.compile("Drop wordthatisnowhere")).click()
    page.wait_for_selector(".row")
    assert query_of(page) == "severity:=error"


def test_an_empty_window_shows_where_records_are(site):
    page = site.open("/search?from=2001-01-01T00:00:00Z&to=2001-01-01T01:00:00Z")
    expect(page.get_by_role("heading", name="No records in this window")).to_be_visible()
    page.get_by_role("button", name=re.compile("Show records around")).click()
    page.wait_for_selector(".row")


def test_a_first_record_ends_the_waiting(site):
    page = site.open("/nowhere")
    nothing = {"hits": [], "facets": [], "values": [], "patterns": [], "total": 0, "records": 0}
    page.route("**/api/v1/logs/query*", lambda route: route.fulfill(content_type="application/x-ndjson", body=""))
    page.route("**/api/v1/logs/hits*", lambda route: route.fulfill(json=nothing))
    page.route("**/api/v1/logs/facets*", lambda route: route.fulfill(json=nothing))
    page.route("**/api/v1/patterns*", lambda route: route.fulfill(json=nothing))
    page.goto(site.server.address + f"/search?{WINDOW}")
    expect(page.get_by_role("heading", name="No records yet")).to_be_visible()
    expect(page.locator(".empty pre")).to_contain_text(site.server.address + "/api/v1/logs/stream")
    page.unroute_all()
    page.wait_for_selector(".row")
    assert shown(page) > 0


def test_an_analysis_runs_and_its_evidence_opens_records(site):
    page = site.open("/analyses")
    page.get_by_role("button", name="New analysis").click()
    page.get_by_label("Hours back from now").fill("200")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    page.get_by_label("Hours back from now").fill("3")
    page.get_by_label("Smallest group").fill("2")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/analyses/[^?]+$"))
    page.wait_for_selector(".report .score:not(.running)", timeout=45_000)
    expect(page.locator(".report h1")).not_to_be_empty()
    assert page.locator(".cluster, .finding").count() > 0
    evidence = page.locator(".ev a")
    if evidence.count() > 0:
        message = evidence.first.locator("code").inner_text()
        evidence.first.click()
        page.wait_for_selector(".drawer .msg")
        assert message[:20] in page.locator(".drawer .msg").inner_text()
        page.go_back()
    page.wait_for_selector(".report h1")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/analyses")


def test_theme_and_zone_are_kept(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    page.get_by_role("button", name="Use the dark theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("t")
    page.get_by_role("radio", name="UTC").click()
    page.keyboard.press("Escape")
    expect(page.locator(".list-head")).to_contain_text("UTC")
    page.reload()
    page.wait_for_selector(".row")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.locator(".list-head")).to_contain_text("UTC")


def test_a_typed_time_is_understood(site):
    page = site.open(f"/search?{WINDOW}")
    page.wait_for_selector(".row")
    page.keyboard.press("t")
    page.keyboard.type("45 min")
    page.keyboard.press("Enter")
    expect(page.locator(".time")).to_contain_text("Last 45m")
    assert "from=now-45m" in page.url


def test_exports_are_complete(site):
    page = site.open(f"/search?{WINDOW}&q=severity:%3Dcritical")
    page.wait_for_selector(".row")
    count = shown(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="JSON lines").click()
    lines = open(download.value.path(), encoding="utf-8").read().splitlines()
    assert len(lines) == count, (len(lines), count)
