"""What an estimate says: a threshold, or none with a reason; and its JSON as the contract fixes it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fit.threshold.rate import RateThreshold
from fit.threshold.shape import Shape

Method = Literal["auto", "step", "logistic", "mimetic2"]
Reason = Literal["flat", "falls", "too few concepts", "no plateau"]
Span = tuple[float, float]


@dataclass(frozen=True)
class Findings:
    """What a verdict reports whichever way it goes; frequencies in images, None where one does not apply.

    Attributes:
        n_concepts: concepts of the curve.
        method: how it was estimated.
        level: confidence level of intervals and of the test.
        p_value: of the test for a rise; None for `mimetic2`.
        baseline: score before the rise; without a rise the mean score. None with too few concepts.
        ceiling: score after the rise; None without a rise.
        safe_below: lower confidence bound of the frequency where a tenth of the rise is reached.
        ed10: interval of the frequency where a tenth of the rise is reached.
        ed90: interval of the frequency where nine tenths are reached.
        p_step: p-value of "the rise is a step".
        p_wide: p-value of "the rise takes half a decade or more".
        smallest_detectable_rise: without a rise, the step at the middle rank that would have been found in 80
            % of samples like this one, in units of the score.
        rate: threshold by imitation rate.
        mimetic2: threshold by the published method on the same curve; None when it finds none.
        fits: curves for display, name to (frequency, score) points in ascending frequency.
    """

    n_concepts: int
    method: Method
    level: float
    p_value: float | None = None
    baseline: float | None = None
    ceiling: float | None = None
    safe_below: float | None = None
    ed10: Span | None = None
    ed90: Span | None = None
    p_step: float | None = None
    p_wide: float | None = None
    smallest_detectable_rise: float | None = None
    rate: RateThreshold | None = None
    mimetic2: float | None = None
    fits: tuple[tuple[str, tuple[Span, ...]], ...] = ()


@dataclass(frozen=True)
class Threshold:
    """A rise was shown and located.

    Attributes:
        frequency: the threshold, images: for a step the smallest frequency above the change, else where half
            of the rise is reached.
        interval: (low, high), covers any true change in (low, high]; None for `mimetic2`.
        transition: where 10 % and 90 % of the rise are reached; for a step the frequencies around the change;
            None for `mimetic2`.
        shape: `step`, `gradual` or `undetermined`. Only a `step` may be worded "the threshold is".
        open_below: the interval could not be bounded from below within the data and starts at their smallest
            frequency.
        open_above: likewise from above.
        found: everything else.
    """

    frequency: float
    interval: Span | None
    transition: Span | None
    shape: Shape
    open_below: bool
    open_above: bool
    found: Findings


@dataclass(frozen=True)
class NoThreshold:
    """No threshold can be told, which is a result.

    Attributes:
        reason: `flat`, no rise shown; `falls`, the scores fall; `too few concepts`; `no plateau`, a gradual
            rise whose baseline or ceiling lies outside the data.
        detail: the same as a sentence with figures.
        shape: `gradual` with `no plateau`, else `none`.
        censored: for `no plateau` on which side of the data the plateau is missing: `below` the smallest
            frequency, `above` the largest, or `both`.
        found: everything else.
    """

    reason: Reason
    detail: str
    shape: Shape
    censored: Literal["below", "above", "both"] | None
    found: Findings


Verdict = Threshold | NoThreshold


def to_json(verdict: Verdict, fit_version: str, groups: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The object that `fit threshold --json` prints.

    What does not apply is None; no value is NaN or infinite.

    Args:
        verdict: of `estimate`.
        fit_version: version of the tool that writes it.
        groups: of `comparison.to_json`, for a curve with groups.
    """
    found = verdict.found
    shown = isinstance(verdict, Threshold)
    interval = verdict.interval if isinstance(verdict, Threshold) else None
    transition = verdict.transition if isinstance(verdict, Threshold) else None
    document: dict[str, Any] = {
        "status": "threshold" if shown else "none",
        "reason": verdict.reason if isinstance(verdict, NoThreshold) else None,
        "shape": verdict.shape,
        "threshold": verdict.frequency if isinstance(verdict, Threshold) else None,
        "interval": _pair(interval),
        "level": found.level,
        "transition": _pair(transition),
        "safe_below": found.safe_below,
        "censored": verdict.censored if isinstance(verdict, NoThreshold) else None,
        "p_value": found.p_value,
        "baseline": found.baseline,
        "ceiling": found.ceiling,
        "rate_threshold": _rate(found.rate),
        "groups": None if groups is None else dict(groups),
        "n_concepts": found.n_concepts,
        "method": found.method,
        "fit_version": fit_version,
        "detail": verdict.detail if isinstance(verdict, NoThreshold) else None,
        "interval_open": [verdict.open_below, verdict.open_above] if isinstance(verdict, Threshold) else None,
        "ed10": _pair(found.ed10),
        "ed90": _pair(found.ed90),
        "p_step": found.p_step,
        "p_wide": found.p_wide,
        "smallest_detectable_rise": found.smallest_detectable_rise,
        "mimetic2": found.mimetic2,
        "fits": {name: [list(point) for point in points] for name, points in found.fits},
    }
    return {key: _finite(value) for key, value in document.items()}


def _pair(span: Span | None) -> list[float] | None:
    return None if span is None else list(span)


def _rate(rate: RateThreshold | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "threshold": rate.frequency,
        "interval": _pair(rate.interval),
        "censored": rate.censored,
        "dispersion": rate.dispersion,
    }


def _finite(value: Any) -> Any:
    """The value, after making sure that JSON can carry it."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ArithmeticError("a verdict held a value that is not finite; this is a fault of fit")
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return value
