"""Scores whose outliers are pulled in, for curves in which a few concepts are far off.

Huber's (1964) pseudo-values: a residual from the best rising curve that is larger than 2.5 robust standard
deviations is cut there, the curve is fitted again, and so on. What the estimator then sees keeps every
concept, none of them with more weight than a clear but ordinary deviation has.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from fit.threshold.curve import Floats, ImitationCurve
from fit.threshold.family import heights, rising_family
from fit.threshold.sample import Sample, pool

CUT: Final = 2.5
"""Robust standard deviations at which residuals are cut: 1.2 % of normal ones."""

_ROUNDS: Final = 5


def without_outliers(curve: ImitationCurve) -> ImitationCurve:
    """The curve with its outlying scores pulled in; itself where there is nothing to pull in.

    Args:
        curve: at least two distinct frequencies.
    """
    sample = pool(curve)
    if len(rising_family(sample)) == 0:
        return curve
    score = curve.score
    for _ in range(_ROUNDS):
        pulled = _pulled_in(curve.score, _fitted(sample, score))
        if pulled is None:
            return curve
        if bool(np.allclose(pulled, score, rtol=0, atol=1e-5)):
            break
        score = pulled
    return replace(curve, score=np.clip(score, -1.0, 1.0))


def _pulled_in(score: Floats, fitted: Floats) -> Floats | None:
    """Pseudo-values; None where the scores lie on the curve.

    Cutting takes scatter away; dividing by the share of residuals that are not cut gives the plain mean of
    the pseudo-values the variance of the robust mean (Huber 1981, section 7.6).
    """
    residual = score - fitted
    middle = float(np.median(residual))
    spread = 1.4826 * float(np.median(np.abs(residual - middle)))
    if spread <= 0:
        return None
    inside = np.abs(residual - middle) <= CUT * spread
    cut = np.clip(residual - middle, -CUT * spread, CUT * spread) / float(inside.mean())
    pulled: Floats = fitted + middle + cut
    return pulled


def _fitted(sample: Sample, score: Floats) -> Floats:
    """The best rising curve through scores. Shape (n,)."""
    here = replace(sample, score=score)
    family = rising_family(here)
    height = heights(family, here)
    best = int(np.argmax(height))
    fitted: Floats = np.average(score, weights=sample.weight) + max(float(height[best]), 0.0) * sample.spread(
        family.basis[best]
    )
    return fitted
