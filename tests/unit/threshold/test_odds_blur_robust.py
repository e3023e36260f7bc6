"""The odds of a step, the scatter of uncertain frequencies, and outliers pulled in."""

from __future__ import annotations

import numpy as np
import pytest

from fit.threshold import ImitationCurve, Noise, Threshold, Truth, estimate, planted_curve
from fit.threshold.blur import Blur
from fit.threshold.family import steps
from fit.threshold.odds import step_odds
from fit.threshold.robust import without_outliers
from fit.threshold.sample import pool


def odds(shape: str, seed: int) -> float:
    truth = Truth("step", rise=0.3) if shape == "step" else Truth("logistic", rise=0.3, width=1.5)
    return step_odds(pool(planted_curve(truth, n=200, noise=Noise(0.07), seed=seed).curve))


def test_the_odds_speak_for_the_truth() -> None:
    assert np.median([odds("step", seed) for seed in range(9)]) > 1
    assert np.median([odds("logistic", seed) for seed in range(9)]) < -1


def test_without_a_rise_the_odds_say_little() -> None:
    flat = [step_odds(pool(planted_curve(Truth("flat"), n=100, seed=s).curve)) for s in range(9)]
    assert np.abs(np.median(flat)) < 1


def uncertain(factor: float) -> ImitationCurve:
    frequency = np.repeat(np.array([50.0, 80.0, 100.0, 125.0, 200.0]), 8) + np.arange(40) * 1e-3
    columns = {
        "concept": [f"{i:02d}" for i in range(40)],
        "frequency": frequency,
        "frequency_low": frequency / factor,
        "frequency_high": frequency * factor,
        "score": np.linspace(0, 0.5, 40),
    }
    return ImitationCurve.from_columns(columns)


def test_the_scatter_of_a_concept_at_the_change_is_that_of_a_coin() -> None:
    sample = pool(uncertain(1.5))
    noise = np.zeros((sample.x.size, 40_000), np.float32)
    blur = Blur.of(sample, noise, 1)
    assert blur is not None
    family = steps(sample)
    member = int(np.argmin(np.abs(family.low - np.log10(101))))
    extra = blur.around(family, member, rise=0.4)
    middle = (family.low[member] + family.high[member]) / 2
    for row, cell in enumerate(extra.cells):
        # P(true x above the change) = Phi((x - c) / sd); variance of 0.4 * (coin - P) is 0.16 P (1 - P).
        from scipy.stats import norm

        chance = norm.cdf((sample.x[cell] - middle) / sample.x_sd[cell])
        assert extra.sums[row].mean() == pytest.approx(0, abs=0.01)
        assert extra.sums[row].var() == pytest.approx(0.16 * chance * (1 - chance), abs=0.003)
    # No noise but this: squares about the mean are those of the sums themselves (weights are 1 here).
    total = (extra.sums**2).sum(axis=0) - extra.sums.sum(axis=0) ** 2 / sample.weight.sum()
    np.testing.assert_allclose(extra.squares, total, atol=1e-5)


def test_exact_frequencies_blur_nothing() -> None:
    sample = pool(planted_curve(Truth("step")).curve)
    assert Blur.of(sample, np.zeros((sample.x.size, 4), np.float32), 1) is None


def test_intervals_cover_the_change_of_uncertain_frequencies() -> None:
    covered = 0
    for seed in range(60):
        planted = planted_curve(
            Truth("step", rise=0.2), n=100, noise=Noise(0.07, frequency_factor=1.3), seed=seed
        )
        verdict = estimate(planted.curve, replicates=400, seed=seed)
        assert isinstance(verdict, Threshold)
        assert verdict.interval is not None
        below, above = planted.change
        truth = np.sqrt((1 + below) * (1 + above)) - 1
        covered += verdict.interval[0] < truth <= verdict.interval[1]
    # 95 % of 60 is 57; fewer than 52 has a chance below 1 %. Without the scatter it was 50.
    assert covered >= 52


def test_outliers_are_pulled_in_and_others_stay() -> None:
    planted = planted_curve(Truth("step", rise=0.3), n=100, noise=Noise(0.02), seed=1).curve
    score = planted.score.copy()
    score[80] = -0.9
    whole = ImitationCurve.from_columns(
        {"concept": planted.concepts, "frequency": planted.frequency, "score": score}
    )
    pulled = without_outliers(whole)
    assert pulled.concepts == whole.concepts
    assert abs(pulled.score[80] - planted.score[80]) < 0.2
    others = np.arange(100) != 80
    assert np.abs(pulled.score - whole.score)[others].max() < 0.03


def test_what_lies_on_the_curve_stays() -> None:
    columns = {
        "concept": [f"{i:02d}" for i in range(20)],
        "frequency": range(20),
        "score": [0.1] * 10 + [0.5] * 10,
    }
    exact = ImitationCurve.from_columns(columns)
    np.testing.assert_array_equal(without_outliers(exact).score, exact.score)


def test_robust_narrows_the_interval_among_outliers() -> None:
    planted = planted_curve(Truth("step", rise=0.2), n=100, noise=Noise(0.07, outliers=0.05), seed=4)
    plain, robust = (estimate(planted.curve, replicates=400, robust=each) for each in (False, True))
    assert isinstance(plain, Threshold)
    assert isinstance(robust, Threshold)
    widths = [np.diff(np.log10(1 + np.array(v.interval)))[0] for v in (plain, robust)]
    assert widths[1] < widths[0]
