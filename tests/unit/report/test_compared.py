"""Runs side by side: page, Markdown and drawing say the same, and run nothing."""

import re

import pytest
from markdown_it import MarkdownIt

from fit.report.compared import (
    Between,
    change_sentence,
    compared_specification,
    compared_svg,
    render_compared_html,
    render_compared_markdown,
)
from fit.report.palette import palette
from tests.unit.report.compared import comparison
from tests.unit.report.test_report_pages import HOSTILE, Page, parsed


@pytest.fixture(scope="module")
def two():
    return comparison("demo on demo", "other on demo")


def test_the_factor_is_told_with_its_interval():
    told = Between("A", "B", 3.92, (2.4, 6.3), None, None).sentence(0.95)
    assert told == "The rise of B lies at 3.9 times the images of A’s (95 % interval 2.4–6.3)."


@pytest.mark.parametrize(
    ("interval", "ends", "open_"),
    [
        ((0.8, 1.9), "0.8–1.9", True),
        ((1.2, None), "at least 1.2", False),
        ((None, 0.9), "at most 0.9", False),
    ],
)
def test_an_interval_around_one_leaves_it_open(interval, ends, open_):
    told = Between("A", "B", 1.3, interval, None, None).sentence(0.9)
    assert f"(90 % interval {ends})" in told
    assert ("leaves open that both are the same" in told) is open_


def test_no_factor_has_a_reason():
    told = Between("A", "B", None, None, "not every run has a threshold", None).sentence(0.95)
    assert told == "A and B: no factor between them, for not every run has a threshold."


def test_changed_verdicts_are_counted_by_kind(two):
    (change,) = two.changes
    # Every tenth of 131 artists, 14 in all, is called unclear in the second run; some were before.
    before = [p.verdict for p in two.sides[0].points]
    expected = [v for v in before[::10] if v != "unclear"]
    assert len(change.concepts) == len(expected)
    assert sum(number for *_, number in change.kinds) == len(expected)
    assert {kind[1] for kind in change.kinds} == {"unclear"}
    assert change_sentence(change).startswith(f"From A to B, {len(expected)} concepts have another verdict: ")


def test_page_and_markdown_say_the_same(two):
    read, notes = Page(render_compared_html(two)), render_compared_markdown(two)
    flat = " ".join(read.text.replace("\u2060", "").replace("\xa0", " ").split())
    for words in ("3.9 times", "2.4–6.3", "38–60", "154–240", two.sides[1].tally):
        assert words in flat
        assert words in notes
    for name, _, _ in two.changes[0].concepts:
        assert name in flat
        assert name in notes
    assert "![The imitation curves of 2 runs" in notes
    assert "](compare.svg)" in notes
    rows = [line for line in notes.splitlines() if line.startswith("| A |")]
    assert len(rows) == 1


def test_the_drawing_holds_every_run_in_its_own_colour(two):
    spec = compared_specification(two)
    points = spec["datasets"]["points"]
    assert len(points) == 2 * 131
    looks = {(row["run"], row["colour"], row["shape"]) for row in points}
    assert len(looks) == 2
    # 47.2 images, and four times as many: 0.602 decades between the marks.
    at = [row["at"] for row in spec["datasets"]["lanes"]]
    assert at[1] - at[0] == pytest.approx(0.60206, abs=1e-4)
    assert {row["run"] for row in spec["datasets"]["lines"]} == {"A", "B"}
    svg = compared_svg(two)
    known = {colour.light for colour in palette()} | {"transparent", "none"}
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) <= known


def test_a_run_without_a_threshold_is_drawn_and_says_so():
    found = comparison("one", "two", shape="none")
    assert [row["label"] for row in compared_specification(found)["datasets"]["lanes"]][1] == "no threshold"
    assert "not every run has a threshold" in render_compared_html(found)


def test_many_runs_differ_in_more_than_colour():
    found = comparison(*"abcdefgh")
    looks = {
        (r["colour"], r["shape"], str(r["dash"])) for r in compared_specification(found)["datasets"]["names"]
    }
    assert len(looks) == 8


def test_hostile_labels_stay_text():
    found = comparison(HOSTILE[0] + HOSTILE[1], HOSTILE[5] + HOSTILE[3])
    html = render_compared_html(found)
    read = Page(html)
    tags = {tag for tag, _ in read.elements}
    assert tags & {"script", "img", "iframe", "link", "form"} == set()
    assert not [n for _, attrs in read.elements for n in attrs if n.startswith("on") or n == "style"]
    assert "<script>alert(1)</script>" in read.text
    assert "\u202e" not in html
    parsed(compared_svg(found))
    inline = [
        child
        for token in MarkdownIt("js-default").enable("table").parse(render_compared_markdown(found))
        for child in token.children or ()
    ]
    assert [child.attrs["src"] for child in inline if child.type == "image"] == ["compare.svg"]
    assert not [child for child in inline if child.type in {"link_open", "html_inline"}]
