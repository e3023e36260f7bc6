import numpy as np
import pytest

from fit.threshold.family import WIDTH_PER_SCALE, heights, logistics, rising_family, steps, total_squares
from fit.threshold.isotonic import fit_isotonic
from fit.threshold.logistic import fit_logistic
from fit.threshold.ramp import fit_ramp
from fit.threshold.sample import pool, weights
from fit.threshold.step import fit_step
from tests.unit.threshold.curves import curve

TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_step_is_two_means_around_the_best_gap() -> None:
    # Six zeros, then four ones: with at least one concept a side the gap is between 6 and 7.
    fit = fit_step(curve(TEN, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]), min_segment=1)
    assert fit is not None
    assert (fit.below, fit.above, fit.baseline, fit.ceiling) == (6, 7, 0.0, 1.0)
    # With five a side only the gap between 5 and 6 is left: means 0 and 4/5.
    fit = fit_step(curve(TEN, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]))
    assert fit is not None
    assert (fit.below, fit.above, fit.baseline) == (5, 6, 0.0)
    assert fit.ceiling == pytest.approx(0.8)


def test_a_step_lies_only_between_distinct_frequencies() -> None:
    # The rise is inside the tie at 4, so the change is below or above the tie. Squares between the means:
    # 3 | 9 with means 0 and 7/9 gives 27/12 * 0.605 = 1.36; 7 | 5 with 2/7 and 1 gives 35/12 * 0.510 = 1.49.
    frequency = [1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8, 9]
    fit = fit_step(curve(frequency, [0] * 5 + [1] * 7), min_segment=1)
    assert fit is not None
    assert (fit.below, fit.above) == (4, 5)
    assert (fit.baseline, fit.ceiling) == pytest.approx((2 / 7, 1))


def test_no_step_where_every_change_is_downwards() -> None:
    assert fit_step(curve(TEN, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])) is None


def test_basis_functions_are_centred_scaled_and_rising() -> None:
    rng = np.random.default_rng(0)
    frequency = np.repeat(rng.integers(0, 5000, 40), 2).tolist()
    se = rng.uniform(0.01, 0.1, 80).tolist()
    sample = pool(curve(frequency, rng.uniform(-1, 1, 80).tolist(), score_se=se))
    family = rising_family(sample)
    weight = sample.cell_weight
    np.testing.assert_allclose(family.basis @ weight, 0, atol=1e-9)
    np.testing.assert_allclose((family.basis**2) @ weight, 1, rtol=1e-9)
    assert bool((np.diff(family.basis, axis=1) >= -1e-12).all())


def test_the_gain_of_a_step_is_what_its_two_means_explain() -> None:
    sample = pool(curve(TEN, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]))
    family = steps(sample)
    assert len(family) == 1  # five a side
    # Mean 0.4; means 0 and 0.8: 5 * 0.4^2 + 5 * 0.4^2 = 1.6 of the total 6 * 0.16 + 4 * 0.36 = 2.4.
    assert float(heights(family, sample)[0] ** 2) == pytest.approx(1.6)
    assert total_squares(sample) == pytest.approx(2.4)
    assert (family.low[0], family.high[0]) == pytest.approx((np.log10(6), np.log10(7)))


def test_onset_is_ed10_where_both_plateaus_are_reached_and_a_tenth_of_the_range_where_not() -> None:
    x = np.linspace(0, 5, 101)
    sample = pool(curve((10**x - 1).tolist(), np.zeros(101).tolist()))
    narrow = logistics(sample, np.array([2.5]), np.array([1.0]))
    assert narrow.onset[0] == pytest.approx(2.0, abs=0.01)
    wide = logistics(sample, np.array([2.5]), np.array([100.0]))
    assert wide.onset[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("middle", "width"), [(2.0, 0.6), (3.1, 1.5)])
def test_a_logistic_without_noise_is_recovered(middle: float, width: float) -> None:
    x = np.linspace(0, 5, 120)
    score = 0.1 + 0.3 / (1 + np.exp(-(x - middle) * WIDTH_PER_SCALE / width))
    sample = pool(curve((10**x - 1).tolist(), score.tolist()))
    fit = fit_logistic(sample, rising_family(sample), within=True)
    assert fit is not None
    assert (fit.middle, fit.width) == pytest.approx((middle, width), rel=2e-3)
    assert (fit.baseline, fit.ceiling) == pytest.approx((0.1, 0.4), abs=2e-3)


def test_a_ramp_without_noise_is_recovered() -> None:
    sample = pool(curve([0, 9, 99, 999], [0.1, 0.3, 0.5, 0.7]))
    fit = fit_ramp(sample)
    assert (fit.intercept, fit.slope) == pytest.approx((0.1, 0.2))


def test_isotonic_regression_pools_neighbours_that_fall() -> None:
    # 0.3 and 0.1 fall: both become 0.2.
    fitted = fit_isotonic(pool(curve([0, 1, 2, 3], [0.0, 0.3, 0.1, 0.5])))
    assert fitted.tolist() == pytest.approx([0.0, 0.2, 0.2, 0.5])


def test_weights_are_inverse_variances_between_and_within_concepts() -> None:
    # Neighbours differ by 0.2: total variance 0.04 / 2 = 0.02. Mean squared standard error
    # (0.01 + 0 + ...) / 4 = 0.005, so 0.015 between concepts, and variances 0.025, 0.015, 0.025, 0.015.
    made = weights(curve([1, 2, 3, 4], [0, 0.2, 0, 0.2], score_se=[0.1, 0, 0.1, 0]))
    assert made[1] / made[0] == pytest.approx(0.025 / 0.015)
    assert made.mean() == pytest.approx(1)


def test_many_frequencies_are_pooled_into_cells_that_keep_every_concept() -> None:
    frequency = np.arange(5000.0)
    sample = pool(curve(frequency.tolist(), np.zeros(5000).tolist()), max_cells=100)
    assert sample.pooled
    assert sample.x.size == 100
    assert sample.count.sum() == 5000
    assert bool((sample.x_first[1:] > sample.x_last[:-1]).all())
