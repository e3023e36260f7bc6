"""Each diagnostic on data whose truth is planted."""

from __future__ import annotations

import numpy as np
import pytest

from fit.threshold import ImitationCurve, Truth, planted_curve
from fit.threshold.diagnostics import (
    alternatives,
    confounders,
    copies,
    equally_hard,
    leave_one_group_out,
    outliers,
    penalties,
    unnamed,
)


def curve(n: int = 100, noise: float = 0.02, seed: int = 1, **columns: object) -> ImitationCurve:
    """A logistic rise of 0.4 around 100 images."""
    rng = np.random.default_rng(seed)
    frequency = np.round(10 ** rng.uniform(0, 4, n))
    score = 0.1 + 0.4 / (1 + np.exp(-3 * (np.log10(1 + frequency) - 2))) + rng.normal(0, noise, n)
    given = {"concept": [f"c{i:03d}" for i in range(n)], "frequency": frequency, "score": score}
    return ImitationCurve.from_columns(given | columns)


def test_concepts_that_only_measuring_makes_differ_are_not_refuted() -> None:
    found = equally_hard(curve(noise=0.02, score_se=[0.02] * 100))
    assert found.p_value is not None
    assert found.p_value > 0.05
    assert "is not refuted" in found.sentence


def test_concepts_that_differ_by_more_are_found_and_their_spread_is_told() -> None:
    found = equally_hard(curve(n=400, noise=0.10, score_se=[0.02] * 400))
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert found.numbers is not None
    # Of sd 0.10 in all, 0.02 is measuring: sqrt(0.01 - 0.0004) = 0.098 between concepts.
    assert found.numbers["sd between concepts"] == pytest.approx(0.098, abs=0.012)


def test_signed_differences_would_cancel_but_absolute_ones_do_not() -> None:
    # Neighbours differ by exactly 0.2, up and down in turn; the mean signed difference is 0.
    frequency = list(range(1, 41))
    score = [0.3 + 0.1 * (-1) ** i for i in range(40)]
    columns = {"concept": [f"{i:02d}" for i in range(40)], "frequency": frequency, "score": score}
    found = equally_hard(ImitationCurve.from_columns(columns))
    assert found.numbers == {"difference": pytest.approx(0.2)}


def test_a_confounder_is_found_and_an_innocent_is_not() -> None:
    rng = np.random.default_rng(2)
    plain = curve(n=200, noise=0.0)
    fame = rng.normal(0, 1, 200)
    columns = {"concept": plain.concepts, "frequency": plain.frequency, "score": plain.score + 0.05 * fame}
    given = {
        "fame": dict(zip(plain.concepts, fame.tolist(), strict=True)),
        "shoe size": dict(zip(plain.concepts, rng.normal(0, 1, 200).tolist(), strict=True)),
    }
    found = confounders(ImitationCurve.from_columns(columns), given)
    assert "fame" in found.sentence
    assert "shoe size" not in found.sentence
    innocent = confounders(ImitationCurve.from_columns(columns), {"shoe size": given["shoe size"]})
    assert "goes with none of: shoe size" in innocent.sentence


def test_no_variable_is_said() -> None:
    assert "No variable was given" in confounders(curve(), {}).sentence
    constant = {"same": dict.fromkeys(curve().concepts, 1.0)}
    assert "No variable was given" in confounders(curve(), constant).sentence


def test_copies_move_the_place_by_their_share() -> None:
    whole = curve(n=200)
    half = {name: f / 2 for name, f in zip(whole.concepts, whole.frequency.tolist(), strict=True)}
    found = copies(whole, half)
    assert found.numbers == {"distinct share": pytest.approx(0.5)}
    assert "50% of the images are distinct" in found.sentence
    assert "whether copies matter is not known" in copies(whole, {}).sentence


def test_images_without_a_name_by_hand() -> None:
    # Missed 10 of 20, 0 of 10, 30 of 40: shares 0.5, 0, 0.75; median 0.5.
    found = unnamed({"a": 10, "b": 10, "c": 10}, {"a": 10, "b": 0, "c": 30})
    assert found.numbers is not None
    assert found.numbers["median share"] == pytest.approx(0.5)
    assert found.named[0] == ("c", pytest.approx(0.75))
    assert "were not looked for" in unnamed({"a": 1}, {}).sentence


def test_outliers_are_named_on_both_sides() -> None:
    plain = curve(n=100, noise=0.02)
    score = plain.score.copy()
    score[10], score[80] = 0.9, -0.3
    columns = {"concept": plain.concepts, "frequency": plain.frequency, "score": score}
    found = outliers(ImitationCurve.from_columns(columns))
    names = dict(found.named)
    assert names[plain.concepts[10]] > 3
    assert names[plain.concepts[80]] < -3
    assert len(names) == 2
    assert "1 far above it" in found.sentence
    assert "1 far below it" in found.sentence


def test_no_outlier_is_said() -> None:
    assert outliers(curve(noise=0.02, seed=5)).named == ()


def test_a_group_that_carries_the_answer_shows() -> None:
    plain = curve(n=200)
    groups = ["big" if i % 2 else "small" for i in range(200)]
    columns = {"concept": plain.concepts, "frequency": plain.frequency, "score": plain.score, "group": groups}
    found = leave_one_group_out(ImitationCurve.from_columns(columns))
    assert found is not None
    assert {label for label, _ in found.named} == {"without big", "without small"}
    assert leave_one_group_out(plain) is None


def test_variants_span_their_thresholds() -> None:
    one = curve(n=150)
    shifted = ImitationCurve.from_columns(
        {"concept": one.concepts, "frequency": one.frequency * 3, "score": one.score}
    )
    found = alternatives("prompts", {"one": one, "three times": shifted})
    places = dict(found.named)
    assert places["three times"] / places["one"] == pytest.approx(3, rel=0.1)
    assert "Over 2 variants of the prompts" in found.sentence
    flat = planted_curve(Truth("flat"), n=50, seed=3).curve
    assert "None of 1 variants" in alternatives("prompts", {"flat": flat}).sentence


def test_the_penalty_of_the_published_method() -> None:
    # Two plateaus of 20 at 0 and 1: a change saves 40 * 0.25 = 10, so it is found below 10 and not above.
    columns = {
        "concept": [f"{i:02d}" for i in range(40)],
        "frequency": list(range(40)),
        "score": [0.0] * 20 + [1.0] * 20,
    }
    found = penalties(ImitationCurve.from_columns(columns), (9.9, 10.1))
    assert found.named == (("9.9", 20.0),)
    assert "at 1 of 2 penalties it finds none" in found.sentence


def test_scores_that_are_all_the_same_go_with_nothing() -> None:
    columns = {"concept": [f"{i:02d}" for i in range(12)], "frequency": range(12), "score": [0.2] * 12}
    found = confounders(
        ImitationCurve.from_columns(columns), {"place": {f"{i:02d}": float(i) for i in range(12)}}
    )
    assert found.p_value == 1.0
    assert "goes with none of: place" in found.sentence
