"""Whatever curve comes, the estimator answers with a verdict that JSON can carry."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.threshold import ImitationCurve, Threshold, estimate, to_json

FREQUENCIES = st.one_of(
    st.integers(0, 12).map(float),
    st.integers(0, 10**7).map(float),
    st.floats(0, 1e12, allow_nan=False),
    st.sampled_from([0.0, 1e-9, 1.0, 1.0 + 1e-12, 1e300]),
)
SCORES = st.one_of(
    st.floats(-1, 1, allow_nan=False),
    st.sampled_from([-1.0, 0.0, 1e-300, 0.5, 0.5 + 1e-16, 1.0]),
)
ROWS = st.lists(st.tuples(FREQUENCIES, SCORES), min_size=1, max_size=40)


def _curve(rows: list[tuple[float, float]], order: list[int] | None = None) -> ImitationCurve:
    order = order or list(range(len(rows)))
    return ImitationCurve.from_columns(
        {
            "concept": [f"c{i}" for i in order],
            "frequency": [rows[i][0] for i in order],
            "score": [rows[i][1] for i in order],
        }
    )


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(["auto", "step", "logistic", "mimetic2"]))
def test_any_curve_gets_a_verdict_without_nan(rows: list[tuple[float, float]], method: str) -> None:
    verdict = estimate(_curve(rows), method=method, replicates=100)  # type: ignore[arg-type]
    document = to_json(verdict, "0")
    json.dumps(document, allow_nan=False)
    assert document["status"] in ("threshold", "none")
    if isinstance(verdict, Threshold) and verdict.interval is not None:
        low, high = verdict.interval
        assert low <= verdict.frequency <= high
        assert min(f for f, _ in rows) <= low
        assert high <= max(f for f, _ in rows)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_any_order_of_rows_gets_the_same_verdict(rows: list[tuple[float, float]], random: object) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = (to_json(estimate(_curve(rows, o), replicates=100), "0") for o in (None, order))
    assert one == other


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 1.0), st.floats(-0.3, 0.3))
def test_scaling_and_shifting_the_scores_scales_the_verdict(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    frequency = np.round(10 ** rng.uniform(0, 4, 40))
    score = np.clip(0.3 * (frequency > 100) + 0.1 * rng.standard_normal(40), -0.6, 0.6)
    rows = list(zip(frequency.tolist(), score.tolist(), strict=True))
    moved = [(f, scale * s + shift) for f, s in rows]
    one, other = (to_json(estimate(_curve(r), replicates=200), "0") for r in (rows, moved))
    for key in ("status", "shape", "reason"):
        assert one[key] == other[key]
    for key in ("interval", "safe_below", "p_value"):
        np.testing.assert_allclose(_numbers(one[key]), _numbers(other[key]), rtol=1e-6)
    if one["ceiling"] is not None:
        np.testing.assert_allclose(other["ceiling"], scale * one["ceiling"] + shift, atol=1e-3)


def _numbers(value: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([] if value is None else value, dtype=np.float64)
