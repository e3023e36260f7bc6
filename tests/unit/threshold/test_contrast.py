"""The factor between two thresholds, by hand."""

import pytest

from fit.threshold import Findings, NoThreshold, Threshold
from fit.threshold.contrast import Contrast, NoContrast, contrast

FOUND = Findings(n_concepts=50, method="auto", level=0.95)


def at(frequency, low, high, below=False, above=False):
    return Threshold(frequency, (low, high), None, "gradual", below, above, FOUND)


def test_by_hand():
    # x: 1 (0.7 to 1.4) and 2 (1.6 to 2.3). Between: 1. Down: hypot(0.4, 0.4), up: hypot(0.3, 0.3).
    one, other = at(9, 10**0.7 - 1, 10**1.4 - 1), at(99, 10**1.6 - 1, 10**2.3 - 1)
    found = contrast(one, other)
    assert isinstance(found, Contrast)
    assert found.factor == pytest.approx(10)
    assert found.interval == pytest.approx((10 ** (1 - 0.4 * 2**0.5), 10 ** (1 + 0.3 * 2**0.5)))


def test_the_other_way_round_is_the_inverse():
    one, other = at(9, 4, 30), at(99, 50, 140)
    there, back = contrast(one, other), contrast(other, one)
    assert there.factor * back.factor == pytest.approx(1)
    assert there.interval[0] * back.interval[1] == pytest.approx(1)


def test_an_end_that_the_data_leave_open_stays_open():
    one, other = at(9, 4, 30), at(99, 50, 140, above=True)
    assert contrast(one, other).interval[1] is None
    assert contrast(one, other).interval[0] is not None
    assert contrast(other, one).interval[0] is None


def test_without_a_threshold_there_is_a_reason():
    none = NoThreshold("flat", "no rise", "none", None, FOUND)
    assert contrast(none, at(9, 4, 30)) == NoContrast("not every run has a threshold")
    assert contrast(Threshold(9, None, None, "step", False, False, FOUND), at(9, 4, 30)) == NoContrast(
        "not every threshold has an interval"
    )
