import numpy as np
import pytest

from fit.threshold import Noise, Truth, planted_curve
from fit.threshold.rise import RiseTest, centred, rise_test, smallest_detectable_rise
from fit.threshold.sample import Sample, pool
from fit.threshold.signs import flipped_sums, sign_blocks
from tests.unit.threshold.curves import curve


def _test(sample: Sample, replicates: int = 999, seed: int = 0) -> RiseTest:
    flipped = flipped_sums(sample, sample.weight * centred(sample), replicates, seed)
    return rise_test(sample, flipped, 0.95)


def test_statistic_by_hand() -> None:
    # Five at 0.1 and five at 0.3, one split: difference 0.2, every centred score is 0.1 in size, so the
    # variance is 5 * 0.01 / 25 + 5 * 0.01 / 25 = 0.004 and the statistic 0.2 / sqrt(0.004) = sqrt(10).
    result = _test(pool(curve(range(10), [0.1] * 5 + [0.3] * 5)))
    assert result.statistic == pytest.approx(np.sqrt(10), rel=1e-5)
    # All ten signs must agree for as large a statistic: 1 in 1,024.
    assert result.p_value <= 0.006
    assert result.shows_rise(0.95)


def test_a_fall_is_no_rise() -> None:
    result = _test(pool(curve(range(10), [0.3] * 5 + [0.1] * 5)))
    assert result.p_value > 0.9
    assert result.fall == pytest.approx(np.sqrt(10), rel=1e-5)
    assert not result.shows_rise(0.95)


def test_replicates_of_a_split_have_mean_zero_and_the_variance_of_the_statistic() -> None:
    sample = pool(curve(range(10), np.random.default_rng(1).uniform(-1, 1, 10).tolist()))
    flipped = flipped_sums(sample, centred(sample), 20_000, 0)
    lower, upper = flipped[:5].sum(axis=0) / 5, flipped[5:].sum(axis=0) / 5
    variance = float(np.sum(centred(sample) ** 2)) / 25
    difference = (upper - lower) / np.sqrt(variance)
    assert abs(float(difference.mean())) < 0.03
    assert float(difference.var()) == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("noise", [Noise(0.12), Noise(0.12, 0.05), Noise(0.05, 0.12), Noise(tails="t3")])
def test_false_alarms_on_flat_curves_keep_the_level(noise: Noise) -> None:
    alarms = sum(
        _test(pool(planted_curve(Truth("flat"), n=60, noise=noise, seed=s).curve), 299, s).shows_rise(0.95)
        for s in range(250)
    )
    # 250 at 5 %: 12.5 expected, sd 3.4.
    assert alarms <= 26


def test_smallest_detectable_rise_is_found_in_about_four_of_five_samples() -> None:
    frequencies = 10 ** np.linspace(0, 4, 80)
    flat = pool(planted_curve(Truth("flat"), frequencies=frequencies, noise=Noise(0.1), seed=0).curve)
    rise = smallest_detectable_rise(flat, _test(flat).critical)
    assert rise is not None
    truth = Truth("step", rise=rise, at=0.5)
    found = sum(
        _test(
            pool(planted_curve(truth, frequencies=frequencies, noise=Noise(0.1), seed=s).curve), 299, s
        ).shows_rise(0.95)
        for s in range(100)
    )
    assert 62 <= found <= 96


def test_signs_are_the_same_for_the_same_seed_and_balanced() -> None:
    one = np.concatenate(list(sign_blocks(7, 4000, 3)), axis=1)
    two = np.concatenate(list(sign_blocks(7, 4000, 3)), axis=1)
    assert np.array_equal(one, two)
    assert set(np.unique(one)) == {-1.0, 1.0}
    assert abs(float(one.mean())) < 0.03
