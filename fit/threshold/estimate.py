"""From a curve to a verdict."""

from dataclasses import replace
from typing import Final, Literal, get_args

import numpy as np

from concepts.errors import UsageError
from fit.threshold.curve import ImitationCurve, too_little
from fit.threshold.display import display_curves
from fit.threshold.inversion import Inversion
from fit.threshold.locate import (
    Location,
    locate_midpoint,
    locate_step,
    missing_plateaus,
    safe_x,
    with_plateaus,
)
from fit.threshold.mimetic2 import published_threshold
from fit.threshold.odds import step_odds
from fit.threshold.rate import rate_threshold
from fit.threshold.rise import RiseTest, rise_test, smallest_detectable_rise
from fit.threshold.robust import without_outliers
from fit.threshold.sample import Sample, pool
from fit.threshold.shape import Shape, judge_shape
from fit.threshold.step import StepFit, fit_step
from fit.threshold.study import Study, study
from fit.threshold.verdict import Findings, Method, NoThreshold, Span, Threshold, Verdict

MOST_PUBLISHED: Final = 5_000
"""Largest curve that the published method is also run on; its time grows with the square of the concepts."""


def estimate(
    curve: ImitationCurve,
    *,
    method: Method = "auto",
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
    robust: bool = False,
) -> Verdict:
    """Find the imitation threshold of a curve, or say why there is none.

    Args:
        curve: of one domain and model.
        method: `auto` judges the shape and reports what belongs to it; `step` and `logistic` locate the rise
            by that model whatever the shape; `mimetic2` is the published method.
        level: confidence level of the test and of the intervals, in [0.5, 0.999].
        replicates: random draws that calibrate the tests, at least 100.
        seed: every draw follows from it; the order of rows does not matter.
        robust: pull in outlying scores before anything is fitted (see `robust`); `mimetic2` and the imitation
            rate see the scores as they are.

    Raises:
        UsageError: an argument is out of its range.
    """
    _check(method, level, replicates, seed)
    found = Findings(n_concepts=len(curve), method=method, level=level)
    problem = too_little(curve)
    if problem is not None:
        return NoThreshold("too few concepts", problem, "none", None, found)
    found = replace(found, rate=rate_threshold(curve, level))
    if method == "mimetic2":
        return _published(curve, found)
    if len(curve) <= MOST_PUBLISHED:
        published = published_threshold(curve)
        found = replace(found, mimetic2=None if published is None else published[0])
    return _judge(without_outliers(curve) if robust else curve, found, replicates, seed)


def confidence_set(
    curve: ImitationCurve, *, level: float = 0.95, replicates: int = 2000, seed: int = 0
) -> Span | None:
    """The interval that `auto` would report if a rise were taken for granted; for simulation studies.

    Returns:
        (low, high) in images, or None where nothing rises at all.
    """
    work = study(curve, replicates, seed)
    if work is None or work.step is None:
        return None
    inversion = work.inversion()
    return work.span(_locate(work, inversion, work.step, judge_shape(inversion, level).shape, level).interval)


def _judge(curve: ImitationCurve, found: Findings, replicates: int, seed: int) -> Verdict:
    found = replace(found, baseline=float(curve.score.mean()))
    work = study(curve, replicates, seed)
    if work is None:
        detail = "no change between distinct frequencies leaves five concepts on either side"
        found = replace(found, fits=display_curves(pool(curve), None, None))
        return NoThreshold("too few concepts", detail, "none", None, found)
    rise = rise_test(work.sample, work.null, found.level)
    found = replace(found, p_value=rise.p_value, fits=display_curves(work.sample, work.step, work.free))
    if work.step is None or not rise.shows_rise(found.level):
        return _no_rise(rise, work.sample, found)
    return _risen(work, work.step, found)


def _risen(work: Study, step: StepFit, found: Findings) -> Verdict:
    inversion, level = work.inversion(), found.level
    shape = judge_shape(inversion, level)
    safe = work.images(safe_x(inversion, level))
    found = replace(found, p_step=shape.p_step, p_wide=shape.p_wide, safe_below=safe)
    missing = missing_plateaus(inversion, work.sample)
    if found.method != "step" and shape.shape == "gradual" and any(missing):
        return _no_plateau(work, found, missing)
    chosen: dict[Method, Shape] = {"step": "step", "logistic": "gradual"}
    place = _locate(work, inversion, step, chosen.get(found.method, shape.shape), level)
    return _threshold(work, place, shape.shape, found)


def _locate(work: Study, inversion: Inversion, step: StepFit, shape: Shape, level: float) -> Location:
    if shape == "step":
        return locate_step(inversion, step, level)
    odds = None if shape == "gradual" else step_odds(work.sample)
    return locate_midpoint(with_plateaus(inversion, work.sample), step, work.within(), level, odds)


def _threshold(work: Study, place: Location, shape: Shape, found: Findings) -> Threshold:
    found = replace(found, baseline=place.baseline, ceiling=place.ceiling)
    found = replace(found, ed10=work.span(place.ed10), ed90=work.span(place.ed90))
    return Threshold(
        frequency=work.images(place.point),
        interval=work.span(place.interval),
        transition=work.span(place.transition),
        shape=shape,
        open_below=place.interval[0] <= float(work.sample.x_first[0]),
        open_above=place.interval[1] >= float(work.sample.x_last[-1]),
        found=found,
    )


def _no_plateau(work: Study, found: Findings, missing: tuple[bool, bool]) -> NoThreshold:
    side: Literal["below", "above", "both"] = "both" if all(missing) else ("below" if missing[0] else "above")
    lacks = {"below": "baseline is", "above": "ceiling is", "both": "baseline and its ceiling are"}[side]
    first, last = work.curve.frequency[0], work.curve.frequency[-1]
    detail = f"the score rises gradually; its {lacks} not reached between {first:g} and {last:g} images"
    if work.free is not None:
        low, high = work.free.at(np.array([work.sample.x[0], work.sample.x[-1]]))
        found = replace(found, baseline=float(low), ceiling=float(high))
    return NoThreshold("no plateau", detail, "gradual", side, found)


def _no_rise(rise: RiseTest, sample: Sample, found: Findings) -> NoThreshold:
    if rise.p_fall <= 1.0 - found.level and rise.fall >= rise.statistic:
        detail = f"the score falls with the frequency (p = {rise.p_fall:.2g} for a fall)"
        return NoThreshold("falls", detail, "none", None, found)
    smallest = smallest_detectable_rise(sample, rise.critical)
    found = replace(found, smallest_detectable_rise=smallest)
    detail = f"no rise is shown (p = {rise.p_value:.2g})"
    if smallest is not None:
        detail += f"; a rise of {smallest:.3g} would have been found in 80 % of such samples"
    return NoThreshold("flat", detail, "none", None, found)


def _published(curve: ImitationCurve, found: Findings) -> Verdict:
    found = replace(found, fits=display_curves(pool(curve), fit_step(curve), None))
    published = published_threshold(curve)
    if published is None:
        found = replace(found, baseline=float(curve.score.mean()))
        return NoThreshold("flat", "the published method finds no change point", "none", None, found)
    frequency, before, after = published
    found = replace(found, baseline=before, ceiling=after, mimetic2=frequency)
    return Threshold(frequency, None, None, "undetermined", open_below=False, open_above=False, found=found)


def _check(method: str, level: float, replicates: int, seed: int) -> None:
    if method not in get_args(Method):
        raise UsageError(f"method {method!r} is unknown; use one of {', '.join(get_args(Method))}")
    if not 0.5 <= level <= 0.999:
        raise UsageError(f"level {level!r} is out of range; use a confidence level from 0.5 to 0.999")
    if replicates < 100:
        raise UsageError(f"replicates {replicates!r} are too few to calibrate a test; use 100 or more")
    if seed < 0:
        raise UsageError(f"seed {seed!r} is negative; use 0 or more")
