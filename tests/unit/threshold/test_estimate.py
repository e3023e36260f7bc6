import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from concepts.errors import UsageError
from fit.threshold import (
    ImitationCurve,
    Noise,
    NoThreshold,
    Threshold,
    Truth,
    estimate,
    planted_curve,
    to_json,
)
from fit.threshold.estimate import confidence_set
from tests.unit.threshold.curves import curve


def test_a_clear_step_is_a_step_with_its_change_in_the_interval() -> None:
    planted = planted_curve(Truth("step", rise=0.3, at=0.6), n=200, noise=Noise(0.07), seed=1)
    verdict = estimate(planted.curve)
    assert isinstance(verdict, Threshold)
    assert verdict.shape == "step"
    assert verdict.interval is not None
    below, above = planted.change
    assert verdict.interval[0] <= below < above <= verdict.interval[1]
    assert verdict.frequency in planted.curve.frequency
    assert verdict.found.baseline == pytest.approx(0.1, abs=0.03)
    assert verdict.found.ceiling == pytest.approx(0.4, abs=0.03)
    assert verdict.found.safe_below is not None
    assert verdict.found.safe_below <= above


def test_a_perfect_step_has_the_gap_as_its_interval() -> None:
    verdict = estimate(curve(range(0, 60, 2), [0.1] * 12 + [0.5] * 18))
    assert isinstance(verdict, Threshold)
    assert (verdict.shape, verdict.frequency) == ("step", 24.0)
    assert verdict.interval == (22.0, 24.0)
    assert verdict.transition == (22.0, 24.0)


def test_a_gradual_rise_is_gradual_with_its_midpoint() -> None:
    planted = planted_curve(Truth("logistic", rise=0.3, width=1.2), n=250, noise=Noise(0.05), seed=3)
    verdict = estimate(planted.curve)
    assert isinstance(verdict, Threshold)
    assert verdict.shape == "gradual"
    assert verdict.interval is not None
    assert verdict.transition is not None
    assert verdict.interval[0] < planted.change[0] < verdict.interval[1]
    decades = np.log10((1 + verdict.transition[1]) / (1 + verdict.transition[0]))
    assert decades == pytest.approx(1.2, abs=0.4)


def test_a_ramp_has_no_plateau_but_a_safe_count() -> None:
    planted = planted_curve(Truth("ramp", baseline=0.05, rise=0.4), n=300, noise=Noise(0.05), seed=4)
    verdict = estimate(planted.curve)
    assert isinstance(verdict, NoThreshold)
    assert (verdict.reason, verdict.shape) == ("no plateau", "gradual")
    assert verdict.censored is not None
    assert verdict.found.safe_below is not None
    assert 0 <= verdict.found.safe_below <= planted.ed10 * 1.5


def test_no_rise_tells_the_smallest_that_would_have_been_found() -> None:
    verdict = estimate(planted_curve(Truth("flat"), n=100, seed=5).curve)
    assert isinstance(verdict, NoThreshold)
    assert verdict.reason == "flat"
    assert verdict.found.smallest_detectable_rise == pytest.approx(0.05, abs=0.02)
    assert verdict.found.safe_below is None


def test_a_fall_is_called_a_fall() -> None:
    verdict = estimate(planted_curve(Truth("falling", rise=0.2), n=100, seed=6).curve)
    assert isinstance(verdict, NoThreshold)
    assert verdict.reason == "falls"


def test_equal_scores_are_flat() -> None:
    verdict = estimate(curve(range(20), [0.1] * 20))
    assert isinstance(verdict, NoThreshold)
    assert (verdict.reason, verdict.found.p_value) == ("flat", 1.0)


def test_ties_that_leave_no_change_are_too_few_concepts() -> None:
    verdict = estimate(curve([0] * 17 + [1, 2, 3], np.linspace(0, 1, 20).tolist()))
    assert isinstance(verdict, NoThreshold)
    assert verdict.reason == "too few concepts"


def test_the_order_of_rows_and_the_names_of_tied_concepts_change_nothing_but_ties() -> None:
    planted = planted_curve(Truth("step", rise=0.15), n=80, seed=7).curve
    order = np.random.default_rng(0).permutation(80)
    shuffled = ImitationCurve.from_columns(
        {
            "concept": [planted.concepts[i] for i in order],
            "frequency": planted.frequency[order],
            "score": planted.score[order],
        }
    )
    assert to_json(estimate(planted), "0") == to_json(estimate(shuffled), "0")


def test_threads_change_nothing() -> None:
    code = (
        "import json; from fit.threshold import *;"
        "c = planted_curve(Truth('logistic'), n=150, noise=Noise(0.1), seed=1).curve;"
        "print(json.dumps(to_json(estimate(c, replicates=400), '0')))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    ]
    assert json.loads(printed[0]) == json.loads(printed[1])


@pytest.mark.parametrize("method", ["step", "logistic"])
def test_a_method_that_is_asked_for_locates_the_rise_by_its_model(method: str) -> None:
    planted = planted_curve(Truth("logistic", rise=0.3), n=150, noise=Noise(0.05), seed=8)
    verdict = estimate(planted.curve, method=method)  # type: ignore[arg-type]
    assert isinstance(verdict, Threshold)
    assert verdict.shape == "gradual"
    assert (verdict.frequency in planted.curve.frequency) == (method == "step")


def test_the_published_method_gives_a_threshold_on_a_ramp_without_any_sureness() -> None:
    planted = planted_curve(Truth("ramp", baseline=0.05, rise=0.4), n=418, noise=Noise(0.07), seed=1)
    verdict = estimate(planted.curve, method="mimetic2")
    assert isinstance(verdict, Threshold)
    assert verdict.interval is None
    assert verdict.found.p_value is None
    assert estimate(planted.curve).found.mimetic2 == verdict.frequency


def test_a_step_blurred_by_uncertain_counts_is_not_taken_for_gradual_when_they_are_told() -> None:
    # Counts off by a factor of up to two blur a step over half a decade.
    noise = Noise(0.05, frequency_factor=2.0)
    told, untold = [], []
    for seed in range(6):
        blurred = planted_curve(Truth("step", rise=0.3), n=200, noise=noise, seed=seed).curve
        told.append(estimate(blurred, replicates=300).shape)
        untold.append(
            estimate(replace(blurred, frequency_low=None, frequency_high=None), replicates=300).shape
        )
    assert untold.count("gradual") >= 3
    assert told.count("gradual") <= 1


def test_scores_known_to_be_poor_hardly_count() -> None:
    # Every other concept is pure noise, and says so in its standard error.
    rng = np.random.default_rng(2)
    frequency = np.arange(0, 200, 2)
    poor = np.arange(100) % 2 == 1
    mean = 0.1 + 0.1 * (frequency >= 100)
    score = np.clip(mean + np.where(poor, 0.3, 0.03) * rng.standard_normal(100), -1, 1).tolist()
    plain = confidence_set(curve(frequency.tolist(), score), replicates=500)
    se = np.where(poor, 0.3, 0.02).tolist()
    weighted = confidence_set(curve(frequency.tolist(), score, score_se=se), replicates=500)
    assert plain is not None
    assert weighted is not None
    assert weighted[1] - weighted[0] < plain[1] - plain[0]
    assert weighted[0] <= 98
    assert weighted[1] >= 100


@pytest.mark.parametrize(
    "wrong", [{"method": "guess"}, {"level": 1.0}, {"level": 0.2}, {"replicates": 10}, {"seed": -1}]
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    made = planted_curve(Truth("flat"), n=20).curve
    with pytest.raises(UsageError) as caught:
        estimate(made, **wrong)  # type: ignore[arg-type]
    assert str(next(iter(wrong.values()))) in str(caught.value)


def test_a_hundred_plateau_concepts_a_decade_away_hardly_change_the_width() -> None:
    planted = planted_curve(Truth("step", rise=0.2, at=0.5), n=120, noise=Noise(0.08), seed=11).curve
    rng = np.random.default_rng(5)
    far = float(planted.frequency.max()) * 10
    more = ImitationCurve.from_columns(
        {
            "concept": [*planted.concepts, *(f"far {i}" for i in range(100))],
            "frequency": [*planted.frequency, *(far + np.arange(100.0))],
            "score": [*planted.score, *(0.3 + 0.08 * rng.standard_normal(100))],
        }
    )
    widths = []
    for made in (planted, more):
        span = confidence_set(made)
        assert span is not None
        widths.append(np.log10((1 + span[1]) / (1 + span[0])))
    assert widths[1] == pytest.approx(widths[0], rel=0.25)
