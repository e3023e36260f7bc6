"""Places on the frequency axis, by hand arithmetic."""

import math

import pytest

from fit.report.axis import frequency_axis


def test_zero_stands_left_of_the_logarithmic_part():
    # Frequencies 1 and 1,000: three decades, 3 % room on either side, so the axis runs from -0.09 to 3.09;
    # the strip of zero is 3.5 % of 3.18 = 0.1113 to either side of -0.09 - 2.6 * 0.1113 = -0.3794.
    axis = frequency_axis([0, 1, 1000])
    assert axis.left == pytest.approx(-0.09)
    assert axis.right == pytest.approx(3.09)
    assert axis.zero == pytest.approx(-0.37938)
    assert axis.zero + axis.half_strip < axis.gap < axis.left
    assert axis.place(0) == axis.zero
    assert axis.place(100) == pytest.approx(2)


def test_without_a_zero_there_is_no_strip():
    axis = frequency_axis([1, 1000])
    assert axis.zero is None
    assert axis.gap is None
    assert axis.start == axis.left
    assert "0" not in [tick.label for tick in axis.ticks()]


def test_ends_hold_what_lies_beyond():
    axis = frequency_axis([0, 1, 1000])
    assert axis.place(1e9) == axis.right
    assert axis.place(1e-9) == axis.left


def test_all_zero_and_one_frequency_still_give_an_axis():
    for values in ([], [0, 0], [7.0]):
        axis = frequency_axis(values)
        assert math.isfinite(axis.left)
        assert axis.right > axis.left


def test_labels_and_ticks():
    labels = [tick.label for tick in frequency_axis([0, 1, 1000]).ticks() if tick.label]
    assert labels == ["0", "1", "3", "10", "30", "100", "300", "1,000"]
    far = [tick.label for tick in frequency_axis([1, 2_000_000]).ticks() if tick.label]
    assert far == ["1", "10", "100", "1,000", "10,000", "100,000", "1M"]
    small = [tick.label for tick in frequency_axis([0.2, 30]).ticks() if tick.label]
    assert small == ["0.3", "1", "3", "10", "30"]


def test_zeros_spread_within_their_strip_without_a_trend():
    axis = frequency_axis([0, 1, 1000])
    places = [axis.spread(rank) for rank in range(1, 41)]
    assert all(abs(place - axis.zero) < axis.half_strip for place in places)
    assert len({round(place, 6) for place in places}) == 40
    assert abs(sum(places[:20]) - sum(places[20:])) / 20 < 0.2 * axis.half_strip
