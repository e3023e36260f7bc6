"""Where is the rise? Point, interval, transition and the safe count, on the axis x = log10(1 + frequency)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fit.threshold.curve import Floats
from fit.threshold.inversion import Inversion
from fit.threshold.logistic import LogisticFit, reached
from fit.threshold.sample import Sample
from fit.threshold.step import StepFit

Span = tuple[float, float]

_SHARE_STEP: Final = 0.7
_SHARE_GRADUAL: Final = 0.5
_SHARE_OPEN: Final = 0.25
"""Shares of the nominal error that intervals use, by what is known of the shape.

Shape and limits are told from the same data, and the width of a transition is a nuisance that no replicate
knows: at the full error 95 % intervals cover about 92 % of simulated steps and 90 % of simulated logistics,
fewest where the shape is open. Chosen by simulation, see `docs/decisions/006-intervals.md`.
"""

_SHARE_SAFE: Final = 0.5
"""The same for the safe count."""

CLEAR_ODDS: Final = 0.5
"""Log odds of a step above which a shape that is not shown is located as a step (odds of 1.6 to 1)."""


@dataclass(frozen=True)
class Location:
    """A located rise.

    Attributes:
        point: x of the threshold.
        interval: x of its interval, (low, high).
        transition: x at 10 % and 90 % of the rise.
        baseline: score before the rise.
        ceiling: score after it.
        ed10: interval of the x where a tenth of the rise is reached.
        ed90: the same for nine tenths.
    """

    point: float
    interval: Span
    transition: Span
    baseline: float
    ceiling: float
    ed10: Span
    ed90: Span


def locate_step(inversion: Inversion, step: StepFit, level: float) -> Location:
    """The change of a step, with the set of changes that are not rejected.

    Args:
        inversion: over a family with steps.
        step: the best step.
        level: confidence level in (0, 1).
    """
    ends = _ends(step)
    interval = _change_set(inversion, step, _SHARE_STEP * (1.0 - level))
    return Location(ends[1], interval, ends, step.baseline, step.ceiling, interval, interval)


def locate_midpoint(
    inversion: Inversion, step: StepFit, fit: LogisticFit | None, level: float, log_odds: float | None
) -> Location:
    """The midpoint of a rise whose plateaus lie within the data, with its interval and transition range.

    The interval holds the midpoints that are not rejected and the changes of a step that are not rejected, so
    that it covers whether the rise is gradual or a step; where the odds clearly speak for a step, the latter.

    Args:
        inversion: over steps and the logistics with both plateaus within the data.
        step: the best step; where it fits best of all, the middle of its gap is the midpoint.
        fit: the best logistic with both plateaus within the data, or None.
        level: confidence level in (0, 1).
        log_odds: of a step where the shape is open (see `odds`); None where the rise is shown to be gradual.
    """
    family = inversion.family
    share = _SHARE_GRADUAL if log_odds is None else _SHARE_OPEN
    tail = share * (1.0 - level) / 2.0
    if fit is None or fit.explained < float(inversion.gain[family.is_step].max()):
        ends = _ends(step)
        point, baseline, ceiling = (ends[0] + ends[1]) / 2.0, step.baseline, step.ceiling
    else:
        ends = (fit.middle - fit.width / 2.0, fit.middle + fit.width / 2.0)
        point, baseline, ceiling = fit.middle, fit.baseline, fit.ceiling
    change = _change_set(inversion, step, _SHARE_STEP * (1.0 - level))
    sharp = log_odds is not None and log_odds > CLEAR_ODDS
    middle = change if sharp else _limits(inversion, family.low, family.high, tail)
    return Location(
        point=point,
        interval=(min(middle[0], change[0], point), max(middle[1], change[1], point)),
        transition=ends,
        baseline=baseline,
        ceiling=ceiling,
        ed10=_around(_limits(inversion, family.ed10, family.ed10, tail), ends[0]),
        ed90=_around(_limits(inversion, family.ed90, family.ed90, tail), ends[1]),
    )


def with_plateaus(inversion: Inversion, sample: Sample) -> Inversion:
    """The tests among the curves that have both plateaus within the data."""
    return inversion.among(inversion.family.is_step | reached(inversion.family, sample))


def safe_x(inversion: Inversion, level: float) -> float:
    """Lower confidence bound, one-sided, of the x at which a tenth of the rise is reached."""
    return inversion.lower_limit(inversion.family.onset, _SHARE_SAFE * (1.0 - level))


def missing_plateaus(inversion: Inversion, sample: Sample) -> tuple[bool, bool]:
    """Whether the best curve of all lacks its (baseline, ceiling) within the range of the data."""
    best, family = inversion.best, inversion.family
    if bool(family.is_step[best]):
        return False, False
    slack = 1e-9
    early, late = family.ed10[best] < sample.x[0] - slack, family.ed90[best] > sample.x[-1] + slack
    return bool(early), bool(late)


def _change_set(inversion: Inversion, step: StepFit, alpha: float) -> Span:
    only = inversion.among(inversion.family.is_step)
    low, high = _limits(only, only.family.low, only.family.high, alpha / 2.0)
    ends = _ends(step)
    return min(low, ends[0]), max(high, ends[1])


def _limits(inversion: Inversion, low: Floats, high: Floats, tail: float) -> Span:
    return inversion.lower_limit(low, tail), inversion.upper_limit(high, tail)


def _ends(step: StepFit) -> Span:
    return float(np.log10(1.0 + step.below)), float(np.log10(1.0 + step.above))


def _around(span: Span, point: float) -> Span:
    return min(span[0], point), max(span[1], point)
