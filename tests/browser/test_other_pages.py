"""The policy report, the evidence sheet and the comparison in a browser: widths, dark, print, axe."""

import json

import pytest

from fit.report.compared import render_compared_html
from fit.report.facts import build_facts
from fit.report.lookup import render_sheet
from fit.report.policy import render_policy_html
from fit.stages.pdf import find_browser, print_pdf
from tests.unit.report.compared import comparison
from tests.unit.report.planted import curve, inputs
from tests.unit.report.test_lookup import told
from tests.unit.report.test_report_pages import HOSTILE, hostile_inputs

pytestmark = pytest.mark.browser

WIDTHS = (390, 820, 1280)


def policy_of(given):
    return render_policy_html(build_facts(given))


PAGES = {
    "policy": lambda: policy_of(inputs("gradual", curve=curve())),
    "policy without a rise": lambda: policy_of(inputs("none", curve=curve())),
    "policy of hostile names": lambda: policy_of(hostile_inputs()),
    "evidence": lambda: render_sheet(told()),
    "two runs": lambda: render_compared_html(comparison("demo on demo", "other on demo")),
    "three runs, one without a rise": lambda: render_compared_html(comparison(*"abc", shape="none")),
    "runs of hostile names": lambda: render_compared_html(comparison(HOSTILE[0], HOSTILE[1])),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, make in PAGES.items():
        (folder / f"{name}.html").write_text(make(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_a_complaint_and_fits_every_width(visit, pages, name, scheme):
    watched = visit(pages / f"{name}.html", color_scheme=scheme)
    for width in WIDTHS:
        watched.page.set_viewport_size({"width": width, "height": 900})
        assert watched.problems == []
        assert watched.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" in name])
def test_hostile_names_run_nothing_even_without_the_pages_policy(visit, pages, name):
    watched = visit(pages / f"{name}.html", bypass_csp=True)
    assert watched.problems == []
    assert watched.page.locator("script, iframe, object, link, [onerror], [onload]").count() == 0


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" not in name])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_of_assistive_technology(visit, pages, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(pages / f"{name}.html", width=390, color_scheme=scheme, bypass_csp=True).page
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    said = [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in serious]
    assert said == [], json.dumps(said, indent=1)


@pytest.mark.parametrize("name", ["policy", "evidence", "two runs"])
def test_it_prints_dark_on_white(visit, pages, name, tmp_path):
    page = visit(pages / f"{name}.html", color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 37)"
    target = tmp_path / "page.pdf"
    print_pdf(find_browser(), pages / f"{name}.html", target)
    assert target.read_bytes()[:5] == b"%PDF-"


def test_the_policy_report_prints_on_two_pages(pages, tmp_path, browser):
    target = tmp_path / "policy.pdf"
    print_pdf(find_browser(), pages / "policy.html", target)
    content = target.read_bytes()
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 2
