"""Whatever curve comes, groups are compared and diagnostics told without a crash and without a NaN."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.threshold import ImitationCurve, estimate
from fit.threshold import diagnostics as look
from fit.threshold import to_json as verdict_json
from fit.threshold.comparison import compare_groups, to_json
from fit.threshold.planning import next_images, pilot_noise
from fit.threshold.robust import without_outliers
from tests.property.test_threshold import FREQUENCIES, SCORES

ROWS = st.lists(
    st.tuples(FREQUENCIES, SCORES, st.sampled_from("ab"), st.floats(0, 0.5)), min_size=10, max_size=40
)

ESTIMATES = """
import json
from fit.threshold import Noise, Truth, estimate, planted_curve, to_json
for truth, noise in ((Truth("logistic"), Noise(0.12)), (Truth("step"), Noise(0.12, frequency_factor=1.3))):
    curve = planted_curve(truth, n=418, noise=noise, seed=3).curve
    print(json.dumps(to_json(estimate(curve, replicates=500), "0"), sort_keys=True))
"""


def curve(rows: list[tuple[float, float, str, float]]) -> ImitationCurve:
    return ImitationCurve.from_columns(
        {
            "concept": [f"c{i}" for i in range(len(rows))],
            "frequency": [f for f, *_ in rows],
            "score": [s for _, s, *_ in rows],
            "group": [g for *_, g, _ in rows],
            "score_se": [e for *_, e in rows],
            "images": [20] * len(rows),
            "passed": [i % 21 for i in range(len(rows))],
        }
    )


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_any_groups_are_compared(rows: list[tuple[float, float, str, float]]) -> None:
    found = compare_groups(curve(rows), replicates=100)
    if found is not None:
        document = to_json(found)
        json.dumps(document, allow_nan=False)
        assert found.p_value is None or 0 < found.p_value <= 1


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_any_curve_is_diagnosed(rows: list[tuple[float, float, str, float]]) -> None:
    whole = curve(rows)
    frequency = dict(zip(whole.concepts, whole.frequency.tolist(), strict=True))
    found = [
        look.equally_hard(whole),
        look.confounders(whole, {"frequency": frequency, "nothing": {}}),
        look.copies(whole, frequency),
        look.unnamed(frequency, frequency),
        look.outliers(whole),
        look.leave_one_group_out(whole),
        look.penalties(whole),
    ]
    for each in found:
        if each is not None:
            json.dumps({**asdict(each), "numbers": dict(each.numbers or {})}, allow_nan=False)
            assert "nan" not in each.sentence.casefold().split()
            assert each.sentence.endswith(".")


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_any_curve_is_pulled_in_and_planned_for(rows: list[tuple[float, float, str, float]]) -> None:
    whole = curve(rows)
    pulled = without_outliers(whole).score
    assert np.isfinite(pulled).all()
    assert np.abs(pulled).max() <= 1
    noise = pilot_noise(whole, "")
    assert np.isfinite([noise.between, noise.image]).all()
    spending = next_images(whole, 50)
    if spending is not None:
        assert sum(number for _, number in spending.concepts) == 50
        assert np.isfinite([spending.by_images, spending.evenly, spending.by_concepts]).all()


def test_the_number_of_threads_changes_nothing() -> None:
    answers = set()
    for threads in ("1", "2", "3"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", ESTIMATES]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=root)
        answers.add(done.stdout)
    assert len(answers) == 1


@settings(max_examples=40, deadline=None)
@given(ROWS, st.floats(1.0, 100.0), st.booleans())
def test_uncertain_frequencies_get_a_verdict_without_nan(
    rows: list[tuple[float, float, str, float]], factor: float, robust: bool
) -> None:
    frequency = [min(f, 1e15) for f, *_ in rows]
    columns = {
        "concept": [f"c{i}" for i in range(len(rows))],
        "frequency": frequency,
        "frequency_low": [f / factor for f in frequency],
        "frequency_high": [f * factor for f in frequency],
        "score": [s for _, s, *_ in rows],
    }
    verdict = estimate(ImitationCurve.from_columns(columns), replicates=100, robust=robust)
    json.dumps(verdict_json(verdict, "0"), allow_nan=False)
