"""Scores expected at another count, against curves whose mean is planted."""

from __future__ import annotations

import numpy as np
import pytest

from fit.threshold import ImitationCurve, Noise, Truth, planted_curve
from fit.threshold.rate import expected_rate
from fit.threshold.whatif import NoExpectation, Replicates, expectation


def fitted(truth: Truth, **more: object) -> Replicates:
    found = expectation(planted_curve(truth, seed=3, **more).curve, replicates=400)  # type: ignore[arg-type]
    assert isinstance(found, Replicates)
    return found


def test_far_from_the_rise_the_average_is_a_plateau() -> None:
    found = fitted(Truth("logistic", baseline=0.1, rise=0.25, width=1.0))
    low, high = found.at(0), found.at(80_000)
    # 418 concepts of sd 0.07: a plateau is known to within some hundredths.
    assert low.score == pytest.approx(0.1, abs=0.03)
    assert high.score == pytest.approx(0.35, abs=0.03)
    assert low.interval[0] <= 0.1 <= low.interval[1] < high.interval[0] <= 0.35 <= high.interval[1]
    assert (low.curve, high.curve) == ("logistic", "logistic")


def test_single_concepts_scatter_as_they_did() -> None:
    found = fitted(Truth("logistic"), noise=Noise(sd=0.07)).at(80_000)
    # 95 % of a normal: 1.96 * 0.07 = 0.137 to either side.
    assert found.single[0] == pytest.approx(0.35 - 0.137, abs=0.035)
    assert found.single[1] == pytest.approx(0.35 + 0.137, abs=0.035)


def test_the_interval_covers_the_planted_mean() -> None:
    # The midpoint of the logistic: half of the rise, 0.1 + 0.25 / 2. With a chance of 0.9 each, fewer than
    # 16 of 24 have a chance below 1 in 10,000.
    covered = 0
    for seed in range(24):
        planted = planted_curve(Truth("logistic", width=1.5), n=200, seed=seed)
        found = expectation(planted.curve, replicates=200, seed=seed)
        assert isinstance(found, Replicates)
        low, high = found.at(planted.change[1]).interval
        covered += low <= 0.225 <= high
    assert covered >= 16


def test_beyond_the_data_of_a_rise_without_a_ceiling_less_is_known() -> None:
    found = fitted(Truth("ramp"), n=100)
    inside, beyond = found.at(1_000), found.at(10**8)
    assert beyond.interval[1] - beyond.interval[0] > 2 * (inside.interval[1] - inside.interval[0])


def test_without_a_rise_it_is_the_mean_of_all_everywhere() -> None:
    planted = planted_curve(Truth("flat", baseline=0.1), seed=3)
    found = expectation(planted.curve, replicates=400)
    assert isinstance(found, Replicates)
    here, there = found.at(0), found.at(10**6)
    assert here.curve == "flat"
    assert here.score == there.score == pytest.approx(float(planted.curve.score.mean()))
    # sd 0.07 over the root of 418 concepts is 0.0034, 1.96 of them to either side.
    assert here.interval[1] - here.interval[0] == pytest.approx(2 * 1.96 * 0.0034, rel=0.15)


def test_nothing_is_expected_of_a_fall_or_of_few_concepts() -> None:
    falls = expectation(planted_curve(Truth("falling"), seed=3).curve, replicates=400)
    assert isinstance(falls, NoExpectation)
    assert "falls" in falls.reason
    few = ImitationCurve.from_columns({"concept": "abc", "frequency": [1, 2, 3], "score": [0.1, 0.2, 0.3]})
    assert isinstance(expectation(few), NoExpectation)


def test_the_same_seed_gives_the_same_and_robust_matters() -> None:
    curve = planted_curve(Truth("logistic"), seed=3, noise=Noise(outliers=0.05)).curve
    one, other = (expectation(curve, replicates=200, seed=5) for _ in range(2))
    pulled = expectation(curve, replicates=200, seed=5, robust=True)
    assert isinstance(one, Replicates)
    assert isinstance(other, Replicates)
    assert isinstance(pulled, Replicates)
    assert one.at(500) == other.at(500)
    assert pulled.at(500).single != one.at(500).single


def test_rates_follow_the_planted_regression() -> None:
    # Logits -3 + 1.5 x: half of the images pass at x = 2, 99 images.
    rng = np.random.default_rng(3)
    frequency = 10 ** np.linspace(0, 4, 200) - 1
    true = 1 / (1 + np.exp(3 - 1.5 * np.log10(1 + frequency)))
    columns = {"concept": [f"c{i:03d}" for i in range(200)], "frequency": frequency, "score": true}
    curve = ImitationCurve.from_columns(
        columns | {"images": np.full(200, 50.0), "passed": rng.binomial(50, true).astype(float)}
    )
    found = expected_rate(curve, 99.0, 0.95)
    assert found is not None
    value, (low, high) = found
    assert value == pytest.approx(0.5, abs=0.03)
    assert low < value < high
    assert high - low < 0.06  # 10,000 images
    assert expected_rate(ImitationCurve.from_columns(columns), 99.0, 0.95) is None
