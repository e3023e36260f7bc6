"""The errors of a cut, by hand and by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from concepts.errors import SettingsError
from fit.imitation.artwork import calibrate_gate, gate_at, text_cosines
from fit.imitation.calibration import calibrate
from fit.imitation.published_cuts import TEXT, published_cut, published_cuts
from fit.imitation.scorers import load_scorer
from fit.imitation.trade_off import Comparisons, compare, trade_off
from tests.unit.imitation.vectors import anywhere, at_cosines


def test_rates_by_hand() -> None:
    # Own 0.9, 0.5, 0.3; strangers 0.4, 0.2, 0.1, 0.0.
    given = Comparisons({"a": np.array([0.9, 0.3, 0.5])}, {"a": np.array([0.1, 0.4, 0.0, 0.2])})
    curve = trade_off(given, ["a"])
    assert curve.cut[:-1].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    assert curve.false_match.tolist() == [1, 0.75, 0.5, 0.25, 0.25, 0, 0, 0]
    assert curve.false_non_match == pytest.approx([0, 0, 0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    # At most a quarter: the smallest cut is 0.3, where one of four gets in and none of three stays out.
    assert curve.at_rate(0.25) == (0.3, 0)
    # At most a fifth: 0.5, where 0.3 has stayed out.
    assert curve.at_rate(0.2) == (0.5, pytest.approx(1 / 3))
    # A cut between two values is as the next one: 0.35 passes 0.4, 0.5 and 0.9.
    assert curve.at_cut(0.35) == (0.25, pytest.approx(1 / 3))
    assert curve.at_cut(2.0) == (0, 1)
    # Between 0.3 (gap 0.25) and 0.4 (gap -1/12) both errors are equal at three quarters of the way: 0.25.
    assert curve.equal_error_rate == pytest.approx(0.25)


def test_statistics_by_brute_force() -> None:
    rng = np.random.default_rng(4)
    references = {"a": anywhere(rng, 5, 4), "b": anywhere(rng, 3, 4), "c": anywhere(rng, 1, 4)}
    found = compare(references)
    assert set(found.same) == {"a", "b"}  # one reference has no other to be judged by
    for name in ("a", "b"):
        own = references[name]
        left_out = [max(float(x @ y) for j, y in enumerate(own) if j != i) for i, x in enumerate(own)]
        assert found.same[name] == pytest.approx(left_out, abs=1e-6)
        strangers = [x for other in references if other != name for x in references[other]]
        assert found.different[name] == pytest.approx(
            [max(float(x @ y) for y in own) for x in strangers], abs=1e-6
        )


def test_a_concepts_own_curve_agrees_with_its_cut() -> None:
    rng = np.random.default_rng(5)
    references = {name: anywhere(rng, 20, 6) for name in "abcd"}
    cut = calibrate(references, 0.1)["a"]
    curve = trade_off(compare(references), ["a"])
    false_match, refused = curve.at_cut(cut.value)
    assert false_match == pytest.approx(cut.strangers_passed / cut.strangers_total)
    assert refused == pytest.approx(1 - cut.own_passed / cut.own_total)


def test_more_references_do_not_let_in_more_strangers_at_the_calibrated_cut() -> None:
    """The published cuts fail here: found on averages, applied to a maximum over up to 50."""
    rng = np.random.default_rng(6)
    at_fixed, at_calibrated = [], []
    for n in (5, 50):
        references = {f"{i}": anywhere(rng, n, 16) for i in range(20)}
        curve = trade_off(compare(references), references)
        at_fixed.append(curve.at_cut(0.5)[0])
        at_calibrated.append(curve.at_cut(curve.at_rate(0.05)[0])[0])
    assert at_fixed[1] > 3 * at_fixed[0]
    assert max(at_calibrated) <= 0.05


def test_thinning_keeps_ends_and_shape() -> None:
    rng = np.random.default_rng(7)
    references = {f"{i}": anywhere(rng, 30, 8) for i in range(10)}
    curve = trade_off(compare(references), references)
    thin = curve.thinned()
    assert len(thin.cut) < len(curve.cut) / 5
    assert (thin.cut[0], thin.cut[-1]) == (curve.cut[0], curve.cut[-1])
    assert thin.at_rate(0.05)[1] == pytest.approx(curve.at_rate(0.05)[1], abs=0.02)


def test_published_cuts_are_those_of_the_method() -> None:
    assert published_cut("mimetic2", "arcface", "faces/celebrities").value == 0.4567
    assert published_cut("mimetic2-strict", "arcface", "faces/politicians").value == 0.5576
    assert published_cut("mimetic2", "csd", "art-styles/classical").value == 0.2783
    assert published_cut("mimetic2", "csd", "art-styles/modern").value == 0.2883
    assert published_cut("mimetic2", "artwork", "art-styles/classical", TEXT).value == 0.1815
    assert published_cut("mimetic2", "artwork", "art-styles/modern", TEXT).value == 0.1769
    for row in published_cuts():
        assert load_scorer(row.scorer).name == row.scorer
        assert "2410.15002" in row.source


@pytest.mark.parametrize(
    ("preset", "scorer", "says"),
    [
        ("mimetic3", "csd", r"mimetic3: unknown preset of cuts \(did you mean mimetic2\?\)"),
        (
            "mimetic2",
            "dinov2",
            "has no cut for dinov2 on art-styles/demo; it has some for arcface on any",
        ),
        ("mimetic2", "csd", "has no cut for csd on art-styles/demo"),
    ],
)
def test_cuts_that_nobody_published(preset: str, scorer: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        published_cut(preset, scorer, "art-styles/demo")


def test_the_gate_passes_the_share_of_references_asked_for() -> None:
    text = at_cosines([1.0])
    images = at_cosines([0.1, 0.3, 0.2, 0.4, 0.5])
    cosines = text_cosines(images, text)
    assert cosines == pytest.approx([0.1, 0.3, 0.2, 0.4, 0.5], abs=1e-6)
    # Four of five have to pass: the cut is the fourth largest.
    gate = calibrate_gate(cosines, 0.8)
    assert (gate.cut, gate.references_passed, gate.references) == (pytest.approx(0.2, abs=1e-6), 0.8, 5)
    assert calibrate_gate(cosines, 1.0).cut == pytest.approx(0.1, abs=1e-6)
    assert gate_at(0.35, cosines).references_passed == 0.4
