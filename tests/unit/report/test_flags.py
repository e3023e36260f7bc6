"""Flags of the concept list: beside the name wherever it stands, with what they mean for the counts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from concepts.catalogue import catalogue_names, find_catalogue
from fit.report.chart_rows import point_rows
from fit.report.drawing import frequency_axis
from fit.report.facts import Facts, build_facts
from fit.report.flags import MARK, meanings, summary
from fit.report.inputs import CurvePoint
from fit.report.policy import render_policy_html, render_policy_markdown
from fit.report.rendering import facts_json, render_html, render_markdown
from tests.unit.report.planted import SUBJECT, curve, inputs, strips

RIVER, SHORT = "ambiguous: also a river", "undercounted: mostly called Bo"


@pytest.fixture(scope="module")
def facts() -> Facts:
    """The three most frequent artists are flagged, the first twice."""
    ordered = sorted(curve(), key=lambda point: -(point.frequency or 0))
    for place, flags in enumerate([(RIVER, SHORT), (RIVER,), ("to be checked",)]):
        ordered[place] = replace(ordered[place], flags=flags)
    shown = strips(tuple(ordered[:1]))
    return build_facts(inputs("gradual", curve=tuple(ordered), strips=(replace(shown[0], flags=(RIVER,)),)))


def test_what_the_mark_says_is_told_before_the_numbers(facts: Facts) -> None:
    said = (
        "The concept list flags 3 of 131 artists, marked † in the table with the reason (2 ambiguous: "
        "captions with the name may mean something else, so counts may be too high; 1 of other kinds; "
        "1 undercounted: captions mostly use a name that is not counted, so counts may be too low)."
    )
    assert facts.warnings[-1] == said
    assert said in render_html(facts).split('id="curve"')[0]
    assert f"> **Note.** {said}" in render_markdown(facts)


def test_no_flags_no_word() -> None:
    plain = build_facts(inputs("gradual"))
    assert summary(plain.points, SUBJECT) == ()
    for page in (render_html, render_markdown, render_policy_html, render_policy_markdown):
        assert MARK not in page(plain)


def test_the_table_of_the_page_marks_them(facts: Facts) -> None:
    table = render_html(facts).split('<table class="concepts">')[1].split("</table>")[0]
    first = facts.points[0].concept
    cell = f'<bdi>{first}</bdi> <small class="flag">† {RIVER}; {SHORT}</small>'
    assert cell in table
    assert len(re.findall(r'<small class="flag">†', table)) == 3
    assert "†: flagged by the concept list" in table.split("</caption>")[0]


def test_pictures_of_a_flagged_concept_are_marked(facts: Facts) -> None:
    figure = render_html(facts).split('<figure class="strip"')[1].split("</figcaption>")[0]
    assert f"† {RIVER}</small>" in figure


def test_the_table_of_the_markdown_marks_them(facts: Facts) -> None:
    lines = render_markdown(facts).splitlines()
    assert sum(line.startswith("|") and f" {MARK} " in line for line in lines) == 3
    assert any(line.startswith(f"| {facts.points[0].concept} † {RIVER}; {SHORT} | ") for line in lines)
    assert "†: flagged by the concept list, for the reason beside it." in lines


def test_a_mark_of_the_drawing_tells_them(facts: Facts) -> None:
    axis = frequency_axis([point.frequency for point in facts.drawn if point.frequency is not None])
    labels = [row["label"] for row in point_rows(facts.drawn, axis)]
    assert labels[0].endswith(f"({RIVER}; {SHORT})")
    assert sum("ambiguous" in label for label in labels) == 2


@pytest.mark.parametrize("page", [render_policy_html, render_policy_markdown])
def test_the_policy_report_marks_them(facts: Facts, page: object) -> None:
    text = page(facts)  # type: ignore[operator]
    assert f"{facts.points[0].concept} †, {facts.points[1].concept} †" in text
    assert "† The concept list flags this name" in text


def test_they_are_in_the_json(facts: Facts) -> None:
    assert facts_json(facts)["points"][0]["flags"] == [RIVER, SHORT]


def test_strangers_flags_do_nothing() -> None:
    hostile = "ambiguous: <script>alert(1)</script>\u202e | [x](http://x)"
    found = build_facts(inputs("gradual", curve=(*curve(20), CurvePoint("Ond", flags=(hostile,)))))
    assert "<script>alert" not in render_html(found)
    assert render_html(found).count("<script") == 2  # the data block and our own
    assert "\u202e" not in render_html(found) + render_markdown(found)
    assert "&lt;script&gt;" in render_html(found)
    (row,) = (line for line in render_markdown(found).splitlines() if line.startswith("| Ond "))
    assert r"\| \[x\](http" in row


@pytest.mark.parametrize("name", catalogue_names())
def test_every_flag_of_our_lists_is_of_a_kind_whose_meaning_is_told(name: str) -> None:
    for concept in find_catalogue(name).concepts:
        assert all(flag.partition(": ")[0] in meanings() for flag in concept.flags), concept
