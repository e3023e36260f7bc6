"""The report in a reader's hands: pointing, keys, search, sorting, print, and names that try to do harm."""

import json

import pytest
from playwright.sync_api import expect

from fit.report.facts import build_facts
from fit.report.inputs import CurvePoint
from fit.report.rendering import render_html
from fit.stages.pdf import find_browser, print_pdf
from tests.unit.report.planted import curve, inputs, strips
from tests.unit.report.test_report_pages import hostile_inputs

pytestmark = pytest.mark.browser

WIDTHS = (390, 820, 1280)


def written(folder, name, given):
    target = folder / f"{name}.html"
    target.write_text(render_html(build_facts(given)), encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def given():
    points = curve()
    opened = strips(points)
    names = {strip.concept for strip in opened}
    closed = tuple(strip for strip in strips(points[:60]) if strip.concept not in names)
    return inputs("gradual", curve=points, strips=opened, panels=closed)


@pytest.fixture(scope="module")
def report(folder, given):
    return written(folder, "report", given)


@pytest.fixture(scope="module")
def facts(given):
    return build_facts(given)


def cells(page, column):
    return page.locator(f"table.concepts tbody tr > :nth-child({column})").all_text_contents()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_a_complaint_and_without_a_request(visit, report, width, scheme):
    watched = visit(report, width=width, color_scheme=scheme)
    watched.page.mouse.wheel(0, 20_000)
    watched.page.locator("footer").scroll_into_view_if_needed()
    assert watched.problems == []
    assert watched.page.evaluate("document.documentElement.className") == "scripted"
    assert watched.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_pointing_at_a_mark_tells_concept_frequency_score_and_verdict(visit, report, facts):
    page = visit(report).page
    first = facts.points[0]
    page.locator(".wide [data-n='0']").hover(force=True)
    tip = page.locator(".curve .tip")
    assert tip.is_visible()
    told = tip.inner_text()
    assert first.concept in told
    assert "894 images (871–918)" in told
    assert "score 0.74 ± 0.05" in told
    assert "imitated" in told
    page.mouse.move(2, 2)
    assert tip.is_hidden()


def test_a_tap_tells_the_same_and_stays_until_the_next(visit, report, facts):
    page = visit(report, width=390, has_touch=True, is_mobile=True).page
    mark = page.locator(".narrow [data-n='0']")
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator(".curve .tip")
    assert facts.points[0].concept in tip.inner_text()
    page.touchscreen.tap(5, 5)
    assert tip.is_hidden()


def test_every_mark_is_reached_by_keys_in_the_order_of_frequency(visit, report, facts):
    page = visit(report).page
    page.locator(".wide [data-n][tabindex='0']").focus()
    page.keyboard.press("Home")
    seen = []
    for _ in range(len(facts.drawn)):
        seen.append(page.evaluate("document.activeElement.dataset.n"))
        page.keyboard.press("ArrowRight")
    assert sorted(map(int, seen)) == list(range(len(facts.drawn)))
    assert seen[-1] == "0"
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == f"{facts.points[0].concept}: 894 images (871–918), score 0.74, imitated"
    assert page.locator(".curve .tip").is_visible()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.n") == "1"


def test_one_stop_of_the_tabulator_for_all_marks(visit, report):
    page = visit(report).page
    assert page.locator(".wide [data-n][tabindex='0']").count() == 1


def test_enter_leads_from_a_mark_to_its_row(visit, report, facts):
    page = visit(report).page
    page.locator("#search").fill("nobody of this name")
    page.locator(".wide [data-n='7']").focus()
    page.keyboard.press("Enter")
    row = page.locator("tr.here")
    assert row.locator("th bdi").inner_text() == facts.points[7].concept
    assert row.evaluate("row => document.activeElement === row")


def test_search_looks_past_case_and_accents(visit, folder):
    points = (*curve(40), CurvePoint("Éba Lúvun", 3.0, 0.3), CurvePoint("Ond", 2.0, 0.3, group="Ébast"))
    page = visit(written(folder, "search", inputs("gradual", curve=points, strips=(), controls=()))).page
    page.locator("#search").fill("eBA luv")
    assert page.locator("tbody tr th bdi").first.inner_text() == "Éba Lúvun"
    assert page.locator("#found").inner_text() == "1 of 42 artists"
    page.locator("#search").fill("ebast")
    assert cells(page, 1)[0].startswith("Ond")
    page.locator("#search").fill("")
    assert page.locator("#found").inner_text() == "42 artists"


def test_columns_sort_both_ways_and_what_is_missing_stays_last(visit, folder):
    points = (
        CurvePoint("Zed", 1_200.0, 0.5),
        CurvePoint("ond", 90.0, -0.05),
        CurvePoint("Éba", None, 0.3),
        CurvePoint("Ada", 0.4, None),
    )
    page = visit(written(folder, "sort", inputs("gradual", curve=points, strips=(), controls=()))).page
    heading = page.locator("table.concepts thead th", has_text="Images").first
    assert heading.get_attribute("aria-sort") == "descending"
    assert cells(page, 1) == ["Zed", "ond", "Ada", "Éba"]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert cells(page, 1) == ["Ada", "ond", "Zed", "Éba"]
    page.get_by_role("button", name="Score").click()
    assert cells(page, 1) == ["Zed", "Éba", "ond", "Ada"]
    page.get_by_role("button", name="Score").press("Enter")
    assert cells(page, 1) == ["ond", "Éba", "Zed", "Ada"]
    page.get_by_role("button", name="Artist").click()
    assert cells(page, 1) == ["Ada", "Éba", "ond", "Zed"]
    assert page.locator("[aria-sort]").count() == 1


def test_many_concepts_are_turned_over(visit, folder):
    points = tuple(CurvePoint(f"Ond {n}", float(n), 0.3) for n in range(1_203))
    page = visit(written(folder, "many", inputs("gradual", curve=points, strips=(), controls=()))).page
    assert page.locator("table.concepts tbody tr").count() == 500
    assert "1,203 artists, 500 at a time" in page.locator("#concepts-caption").inner_text()
    page.get_by_role("button", name="Next").click()
    assert page.locator("#rows").inner_text() == "501–1,000 of 1,203"
    assert cells(page, 1)[0] == "Ond 702"
    page.get_by_role("button", name="Next").click()
    assert page.locator("table.concepts tbody tr").count() == 203
    assert page.get_by_role("button", name="Next").is_disabled()
    page.get_by_role("button", name="Previous").click()
    assert page.locator("#rows").inner_text() == "501–1,000 of 1,203"


def test_a_row_leads_to_its_pictures_and_opens_them(visit, report, facts):
    page = visit(report).page
    number = facts.panels[0].number
    panel = page.locator(f"details:has(#pictures-{number})")
    assert not panel.evaluate("panel => panel.open")
    page.locator(f"a.to[href='#pictures-{number}']").click()
    expect(panel).to_have_attribute("open", "")


def test_without_its_script_the_page_is_complete(visit, report, facts):
    page = visit(report, java_script_enabled=False).page
    assert page.locator("table.concepts tbody tr").count() == len(facts.points)
    assert page.locator(".wide [data-n] title").count() == len(facts.drawn)
    assert page.locator(".tools").is_hidden()
    assert page.locator(".pager").is_hidden()
    assert page.locator(".by-script").is_hidden()


def test_print_shows_all_and_no_controls(visit, report):
    page = visit(report).page
    page.emulate_media(media="print")
    for part in (".tools", ".contents", ".narrow"):
        assert page.locator(part).first.is_hidden(), part
    scroll = page.locator("#concepts .scroll")
    assert scroll.evaluate("box => getComputedStyle(box).maxHeight") == "none"
    assert page.locator("details.panel .pair").first.evaluate("pair => pair.checkVisibility()")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 37)"


def test_it_prints_to_a_pdf(report, tmp_path, browser):
    target = tmp_path / "report.pdf"
    print_pdf(find_browser(), report, target)
    assert target.read_bytes()[:5] == b"%PDF-"
    assert target.stat().st_size > 50_000


@pytest.mark.parametrize("guarded", [True, False])
def test_hostile_names_run_nothing_and_stand_there_as_text(visit, folder, guarded):
    # Once with the page's policy and once without it, so that escaping alone has to hold.
    watched = visit(written(folder, "hostile", hostile_inputs()), bypass_csp=not guarded)
    page = watched.page
    for mark in page.locator(".wide [data-n]").all():
        mark.hover(force=True)
    page.locator("#search").fill("<script>")
    assert cells(page, 1)[0].startswith("<script>alert(1)</script>")
    page.locator("#search").fill("onerror")
    assert page.locator("table.concepts img").count() == 0
    page.locator("table.concepts thead button").first.click()
    assert page.locator("script").count() == 2
    assert page.locator("[onerror], [onload], iframe, object, link").count() == 0
    assert watched.problems == []


@pytest.mark.parametrize("width", [390, 1280])
def test_a_name_of_ten_thousand_characters_breaks_no_line_of_the_page(visit, folder, width):
    watched = visit(written(folder, "hostile", hostile_inputs()), width=width)
    assert watched.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert "… (10,000 characters)" in watched.page.locator("table.concepts").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_serious_stands_in_the_way_of_assistive_technology(visit, report, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(report, width=width, color_scheme=scheme, bypass_csp=True).page
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    told = [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in serious]
    assert told == [], json.dumps(told, indent=1)
