import numpy as np
import pytest
import ruptures

from fit.threshold import Noise, Truth, planted_curve
from fit.threshold.mimetic2 import change_points, published_threshold
from tests.unit.threshold.curves import curve


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("truth", [Truth("flat"), Truth("step", rise=0.3), Truth("ramp", rise=0.4)])
def test_equals_ruptures(truth: Truth, seed: int) -> None:
    score = planted_curve(truth, n=30 + 10 * seed, noise=Noise(0.1), seed=seed).curve.score
    # A penalty of 0.9 finds few changes in so few scores; a small one finds many.
    for penalty in (0.9, 0.05):
        theirs = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(np.array(score)).predict(pen=penalty)
        assert change_points(score, penalty) == theirs


def test_threshold_is_the_first_concept_of_the_upper_segment() -> None:
    # Ten zeros, ten ones: one change saves 20 * 0.25 = 5 > 0.9.
    made = curve(list(range(20)), [0.0] * 10 + [1.0] * 10)
    assert published_threshold(made) == (10.0, 0.0, 1.0)


def test_no_change_point_where_it_saves_less_than_the_penalty() -> None:
    # Three zeros, three ones: a change saves 6 * 0.25 = 1.5; halve the rise and it saves 0.375.
    assert published_threshold(curve(range(6), [0, 0, 0, 1, 1, 1])) is not None
    assert published_threshold(curve(range(6), [0, 0, 0, 0.5, 0.5, 0.5])) is None
