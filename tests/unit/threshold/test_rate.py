import numpy as np
import pytest

from fit.threshold.rate import rate_threshold
from tests.unit.threshold.curves import curve


def test_where_half_of_the_images_pass() -> None:
    # Rates symmetric about x = 2 (99 images): 10, 30, 50, 70, 90 % at x = 0, 1, 2, 3, 4.
    made = curve([0, 9, 99, 999, 9999], [0] * 5, images=[100] * 5, passed=[10, 30, 50, 70, 90])
    rate = rate_threshold(made, 0.95)
    assert rate is not None
    assert rate.frequency == pytest.approx(99, rel=1e-3)
    assert rate.interval is not None
    assert rate.interval[0] < 99 < rate.interval[1]


def test_images_of_one_concept_that_agree_widen_the_interval() -> None:
    frequency = (10 ** np.linspace(0, 4, 40) - 1).tolist()
    smooth = [round(20 / (1 + np.exp(-2 * (x - 2)))) for x in np.linspace(0, 4, 40)]
    lumpy = [20 if (s + 7 * i) % 20 < s else 0 for i, s in enumerate(smooth)]
    widths = []
    for passed in (smooth, lumpy):
        rate = rate_threshold(curve(frequency, [0] * 40, images=[20] * 40, passed=passed), 0.95)
        assert rate is not None
        assert rate.interval is not None
        widths.append(np.log10((1 + rate.interval[1]) / (1 + rate.interval[0])))
    assert widths[1] > 2 * widths[0]


def test_absence_has_a_side() -> None:
    none = rate_threshold(curve([1, 2, 3, 4], [0] * 4, images=[4] * 4, passed=[0] * 4), 0.95)
    every = rate_threshold(curve([1, 2, 3, 4], [0] * 4, images=[4] * 4, passed=[4] * 4), 0.95)
    assert none is not None
    assert every is not None
    assert (none.frequency, none.censored) == (None, "above")
    assert (every.frequency, every.censored) == (None, "below")


def test_without_judgements_or_without_a_rise_there_is_none() -> None:
    assert rate_threshold(curve([1, 2, 3, 4], [0] * 4), 0.95) is None
    falling = curve([0, 9, 99, 999, 9999], [0] * 5, images=[100] * 5, passed=[90, 70, 50, 30, 10])
    assert rate_threshold(falling, 0.95) is None


def test_separated_rates_lie_between_two_neighbours() -> None:
    rate = rate_threshold(curve([0, 9, 99, 999], [0] * 4, images=[8] * 4, passed=[0, 0, 8, 8]), 0.95)
    assert rate is not None
    assert rate.interval == pytest.approx((9, 99))
    assert rate.frequency == pytest.approx(10**1.5 - 1)
