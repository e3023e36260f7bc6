"""The policy report: what it says follows from the facts, and it never says more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from fit.report.facts import Facts, build_facts
from fit.report.inputs import CurvePoint
from fit.report.policy import Policy, policy, render_policy_html, render_policy_markdown
from tests.unit.report.planted import found, inputs
from tests.unit.report.test_report_pages import Page, hostile_inputs

# safe_below 11.6, interval 38.4-60.1, transition 14.3-151: the change ends at 151 images.
POINTS = (
    CurvePoint(
        "far above", frequency=500, frequency_low=400, frequency_high=600, score=0.7, verdict="imitated"
    ),
    CurvePoint(
        "just above", frequency=160, frequency_low=152, frequency_high=170, score=0.7, verdict="imitated"
    ),
    CurvePoint(
        "reaching down", frequency=160, frequency_low=150, frequency_high=170, score=0.7, verdict="not"
    ),
    CurvePoint("reaching up", frequency=10, frequency_low=5, frequency_high=12, score=0.3, verdict="not"),
    CurvePoint("below", frequency=4, frequency_low=2, frequency_high=6, score=0.3, verdict="imitated"),
    CurvePoint("none", frequency=0, score=0.3, verdict="not"),
)


def told(shape: str = "gradual", points: tuple[CurvePoint, ...] = POINTS, **changes: object) -> Policy:
    return policy(facts(shape, points, **changes))


def facts(shape: str = "gradual", points: tuple[CurvePoint, ...] = POINTS, **changes: object) -> Facts:
    return build_facts(replace(inputs(shape), curve=points, threshold=found(shape, **changes)))


def everything(said: Policy) -> str:
    return " ".join((*said.found, *said.meaning, *said.limits))


def test_concepts_are_sorted_by_their_whole_interval() -> None:
    names = {band.name: [point.concept for point in band.points] for band in told().bands}
    assert names == {
        "above": ["far above", "just above"],
        "near": ["reaching down", "reaching up"],
        "below": ["below", "none"],
    }
    assert [band.imitated for band in told().bands] == [2, 0, 1]


def test_only_a_step_has_a_side() -> None:
    assert "The change is at 47" in everything(told("step"))
    for shape in ("gradual", "undetermined"):
        assert "without a sharp threshold" in everything(told(shape))
        assert "The change is at" not in everything(told(shape))


def test_the_limit_is_the_safe_count_and_its_failures_are_told() -> None:
    said = told()
    assert "keep fewer than 12 training images of each" in said.limits[0]
    assert "not enough for 1 artist who is imitated below it" in said.limits[1]


def test_a_safe_count_below_one_image_recommends_none() -> None:
    said = told(safe_below=0.1)
    assert "No number of training images above zero can be called safe" in said.meaning[0]
    assert "keep no image" in said.limits[0]


def test_no_rise_recommends_nothing_and_does_not_acquit() -> None:
    said = told("none")
    assert said.limits == ("None can be recommended from these data.",)
    assert said.bands == ()
    assert "does not show that no artist is imitated" in said.found[0]
    assert "play of chance" not in everything(said)


def test_a_rise_without_a_plateau_has_no_threshold() -> None:
    said = told("gradual", status="none", reason="no plateau", threshold=None, interval=None, transition=None)
    assert "a threshold cannot be given" in said.found[0]


def test_a_control_that_rises_is_a_warning() -> None:
    plain = inputs("gradual")
    bad = replace(plain.controls[0], threshold=found("step"))
    said = policy(build_facts(replace(plain, controls=(bad, *plain.controls[1:]))))
    assert any("Do not rely on this result" in sentence for sentence in said.found)


def test_controls_that_were_not_run_are_told() -> None:
    said = policy(build_facts(replace(inputs("gradual"), controls=())))
    assert "No negative control was run, which weakens the result." in said.found


@pytest.mark.parametrize("shape", ["step", "gradual", "undetermined", "none"])
def test_page_and_markdown_say_the_same(shape: str) -> None:
    made = facts(shape)
    said, text = policy(made), Page(render_policy_html(made)).text
    words = " ".join(text.replace("\u00a0", " ").replace("\u2060", "").split())
    note = render_policy_markdown(made)
    for sentence in (said.asked, *said.found, *said.meaning, *said.limits, *said.cannot):
        assert " ".join(sentence.split()) in words
        assert sentence in note
    assert "not legal advice" in words.casefold()


def test_strangers_words_stay_text() -> None:
    hostile = build_facts(hostile_inputs())
    page = Page(render_policy_html(hostile))
    assert {tag for tag, _ in page.elements} & {"script", "img", "iframe", "a", "form", "b"} == set()
    assert "\u202e" not in page.text
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render_policy_markdown(hostile))
    kinds = {token.type for token in tokens} | {c.type for token in tokens for c in token.children or ()}
    assert not kinds & {"html_block", "html_inline", "link_open"}
