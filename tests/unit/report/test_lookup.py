"""A look-up in words: the figures are in the sentences, and no sentence says more than they do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fit.report.inputs import CurvePoint, Subject
from fit.report.lookup import Example, Looked, Sheet, render_sheet, sheet, sheet_json, sheet_lines
from fit.report.verdict import Verdict, read_verdict

SUBJECT = Subject(
    domain="art-styles",
    domain_title="Art styles",
    noun="artist",
    noun_plural="artists",
    concept_set="Artists",
    model="m",
    model_title="Model M",
    corpus="c",
    corpus_title="Corpus C",
)
POINT = CurvePoint(
    "Ada Brush",
    frequency=735,
    frequency_low=704,
    frequency_high=767,
    score=0.91,
    baseline=0.06,
    caption_count=914,
    distinct_url_count=877,
    hit_rate=0.804,
    verdict="imitated",
)
LOOKED = Looked(POINT, rarer=124, others=129)
STEP = read_verdict(
    {
        "status": "threshold",
        "shape": "step",
        "threshold": 200.0,
        "interval": [120.0, 300.0],
        "safe_below": 90.0,
        "n_concepts": 130,
    }
)
FLAT = read_verdict({"status": "none", "reason": "flat", "shape": "none", "n_concepts": 130})


def told(looked: Looked = LOOKED, verdict: Verdict | None = STEP) -> Sheet:
    return sheet(looked, SUBJECT, verdict, "fit 1, seed 0, run abc")


def words(looked: Looked = LOOKED, verdict: Verdict | None = STEP) -> str:
    return " ".join(told(looked, verdict).sentences)


def test_all_figures_are_told() -> None:
    said = words()
    assert "914 captions name it in Corpus C, 877 distinct addresses." in said
    assert "735 (95 % interval 704–767); 80 % of the captions' images show it." in said
    assert "more frequent than 124 of the 129 other artists" in said
    assert "not below the count under which the average artist is not imitated (90)" in said
    assert "above the threshold (200 images, 95 % interval 120–300)" in said
    assert "The model imitates it: score 0.91, where other artists' images reach 0.06." in said


def test_different_pictures_are_told_as_a_range() -> None:
    point = replace(POINT, distinct_frequency=500.0, distinct_frequency_low=410, distinct_frequency_high=702)
    assert "show it; different pictures among them: 410–702." in words(replace(LOOKED, point=point))
    assert "different pictures" not in words(replace(LOOKED, point=replace(point, frequency=0.0)))


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [(301, 400, "it lies above"), (10, 119, "it lies below"), (100, 130, "whether it lies above or below")],
)
def test_the_side_of_the_threshold_is_told_only_where_intervals_are_apart(
    low: float, high: float, side: str
) -> None:
    point = replace(POINT, frequency=(low + high) / 2, frequency_low=low, frequency_high=high)
    assert side in words(replace(LOOKED, point=point))


def test_a_gradual_rise_has_no_threshold_to_lie_above() -> None:
    said = words(verdict=replace(STEP, shape="gradual"))
    assert "above half of the rise (200 images" in said
    assert "the threshold" not in said


@pytest.mark.parametrize("verdict", [FLAT, None])
def test_without_a_rise_the_place_says_nothing(verdict: Verdict | None) -> None:
    said = words(verdict=verdict)
    assert "so its place says nothing of imitation" in said
    assert "threshold" not in said


@pytest.mark.parametrize(
    ("verdict", "sentence", "quoted"),
    [
        ("not", "No imitation is shown", "finds it not imitated"),
        ("unclear", "Whether the model imitates it is unclear", "cannot tell whether it is imitated"),
        (None, "there is no verdict", "gives no verdict on it"),
    ],
)
def test_other_verdicts(verdict: None, sentence: str, quoted: str) -> None:
    looked = replace(LOOKED, point=replace(POINT, verdict=verdict))
    assert sentence in words(looked)
    assert quoted in told(looked).quote


def test_the_quotation_carries_figures_and_origin() -> None:
    assert told(replace(LOOKED, false_discovery_rate=0.1)).quote == (
        "Corpus C holds 914 captions naming “Ada Brush”, an estimated 735 images of it "
        "(95 % interval 704–767); of images by Model M, the test at a false-discovery rate of 10 % "
        "finds it imitated (score 0.91 against 0.06 by chance; fit 1, seed 0, run abc)."
    )


def test_a_name_outside_the_run_claims_nothing_of_images() -> None:
    looked = Looked(CurvePoint("Bo", caption_count=1, distinct_url_count=1), in_run=False)
    assert words(looked) == (
        "1 caption names it in Corpus C. "
        "It is no artist of this run: nothing was sampled, and its captions were counted now."
    )
    assert told(looked).quote == "Corpus C holds 1 caption naming “Bo” (fit 1, seed 0, run abc)."


def test_what_could_not_be_checked_is_not_zero() -> None:
    looked = Looked(CurvePoint("Bo", caption_count=7))
    assert "How many of their images show it is not known" in words(looked)
    assert sheet_json(told(looked))["frequency"] is None


def test_flags_are_told_with_what_they_mean() -> None:
    flags = ("ambiguous: also a river", "undercounted: mostly called Bo", "to be checked")
    looked = replace(LOOKED, point=replace(POINT, flags=flags))
    assert words(looked).endswith(
        "The concept list flags it (ambiguous: also a river): captions with the name may mean something "
        "else, so counts may be too high. "
        "The concept list flags it (undercounted: mostly called Bo): captions mostly use a name that is not "
        "counted, so counts may be too low. "
        "The concept list flags it (to be checked)."
    )
    assert sheet_json(told(looked))["flags"] == flags
    assert "flags it" not in words()


def test_strangers_words_do_nothing_in_the_page() -> None:
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202egnp'
    looked = replace(
        LOOKED,
        point=replace(POINT, concept=hostile, flags=(hostile,)),
        aliases=(hostile,),
        examples=(Example("a.parquet", 3, "javascript:alert(1)", hostile),),
        left_out=(hostile,),
    )
    page = render_sheet(told(looked))
    assert "<script" not in page
    assert "<img" not in page
    assert "href=" not in page
    assert "\u202e" not in page
    assert "default-src 'none'" in page


def test_lines_for_a_terminal_hold_no_control_characters() -> None:
    looked = replace(LOOKED, examples=(Example("a", 1, None, "red\x1b[31m\nline"),))
    assert all(character.isprintable() for line in sheet_lines(told(looked)) for character in line)
