from __future__ import annotations

import numpy as np
import pytest

from fit.imitation.calibration import Cut, at_cut, calibrate, nearest
from tests.unit.imitation.vectors import Vectors, anywhere, at_cosines

EAST_TWICE = at_cosines([1, 1])


def test_nearest_is_the_largest_cosine() -> None:
    references = np.array([[1, 0], [0, 1]], dtype=np.float32)
    images = np.array([[0.6, 0.8], [-1, 0]], dtype=np.float32)
    np.testing.assert_allclose(nearest(images, references), [0.8, 0], atol=1e-7)


def test_cut_lies_just_above_the_first_who_must_stay_out() -> None:
    # Four strangers at 0.1 to 0.4; a quarter of them, one, may pass: 0.4 does, 0.3 does not.
    strangers = at_cosines([0.3, 0.1, 0.4, 0.2])
    cut = calibrate({"own": EAST_TWICE, "others": strangers}, 0.25)["own"]
    assert cut.value == pytest.approx(0.3, abs=1e-6)
    assert cut.value > np.float32(0.3)
    assert (cut.strangers_passed, cut.strangers_total) == (1, 4)
    assert (cut.own_passed, cut.own_total) == (2, 2)


def test_the_rate_is_not_lost_in_rounding() -> None:
    # 29 % of 100 strangers is 29, though 0.29 * 100 is 28.999999999999996.
    strangers = at_cosines(np.linspace(-0.9, 0.9, 100).tolist())
    assert calibrate({"own": EAST_TWICE, "others": strangers}, 0.29)["own"].strangers_passed == 29


def test_equal_strangers_stay_out_together() -> None:
    # Half of four may pass, but three are equal: only the one above them does.
    strangers = at_cosines([0.2, 0.2, 0.5, 0.2])
    assert calibrate({"own": EAST_TWICE, "others": strangers}, 0.5)["own"].strangers_passed == 1


def test_a_reference_is_not_judged_by_itself() -> None:
    # Three references at right angles: each is at 0 to the others and at 1 to itself. The cut is 0.5.
    axes = np.eye(4, dtype=np.float32)
    stranger = np.array([[0.5, 0, 0, np.sqrt(0.75)]], dtype=np.float32)
    cut = calibrate({"own": axes[:3], "other": stranger}, 0.01)["own"]
    assert cut.value == pytest.approx(0.5, abs=1e-6)
    assert (cut.own_passed, cut.own_total) == (0, 3)


def test_one_reference_gives_no_cut_and_is_still_a_stranger() -> None:
    alone, pair = at_cosines([0.5]), at_cosines([1, 0.9])
    cuts = calibrate({"alone": alone, "pair": pair, "none": alone[:0]}, 0.1)
    assert cuts.keys() == {"pair"}
    assert cuts["pair"].strangers_total == 1


def test_without_strangers_there_is_no_cut() -> None:
    assert calibrate({"only": EAST_TWICE}, 0.1) == {}


def concepts_and_strangers(references: int, strangers: int, seed: int) -> dict[str, Vectors]:
    rng = np.random.default_rng(seed)
    return {"own": anywhere(rng, references, 12), "strangers": anywhere(rng, strangers, 12)}


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_the_rate_holds_on_the_strangers_it_was_calibrated_on(rate: float) -> None:
    rng = np.random.default_rng(7)
    references = {f"c{i}": anywhere(rng, 10 + i, 12) for i in range(8)}
    for name, cut in calibrate(references, rate).items():
        others = np.concatenate([v for other, v in references.items() if other != name])
        passed = int((nearest(others, references[name]) >= cut.value).sum())
        assert passed == cut.strangers_passed
        assert cut.strangers_total == len(others)
        # No two strangers are equal here, so all that may pass do: the cut is the smallest there is.
        assert passed == int(rate * len(others))


def false_matches(references: int, cut: Cut | None = None) -> tuple[float, Cut]:
    """Share of 4,000 fresh strangers who pass, and the cut, calibrated on 1,000 others for a rate of 5 %."""
    known = concepts_and_strangers(references, 1000, seed=references)
    cut = cut or calibrate(known, 0.05)["own"]
    fresh = anywhere(np.random.default_rng(99), 4000, 12)
    return float((nearest(fresh, known["own"]) >= cut.value).mean()), cut


# Of the share among 4,000 whose cut comes from 1,000: sqrt(0.05 * 0.95 * (1/4000 + 1/1000)) = 0.0077.
SPREAD = 0.0077


@pytest.mark.parametrize("references", [2, 10, 50])
def test_the_rate_holds_on_fresh_strangers_whatever_the_number_of_references(references: int) -> None:
    share, _ = false_matches(references)
    assert share == pytest.approx(0.05, abs=3 * SPREAD)


def test_a_cut_from_fewer_references_would_let_in_more_strangers() -> None:
    _, cut = false_matches(2)
    share, _ = false_matches(50, cut)
    assert share > 0.3


def test_a_given_cut_is_judged_as_a_calibrated_one() -> None:
    rng = np.random.default_rng(12)
    references = {name: anywhere(rng, 9, 5) for name in "abc"} | {"single": anywhere(rng, 1, 5)}
    own = calibrate(references, 0.2)
    for name, cut in own.items():
        assert at_cut(references, cut.value)[name] == cut
    assert at_cut(references, 0.4567).keys() == own.keys()
    assert {cut.value for cut in at_cut(references, 0.4567).values()} == {0.4567}
