"""Fitted curves as points, for charts."""

from typing import Final

import numpy as np

from fit.threshold.curve import Floats
from fit.threshold.isotonic import fit_isotonic
from fit.threshold.logistic import LogisticFit
from fit.threshold.ramp import fit_ramp
from fit.threshold.sample import Sample
from fit.threshold.step import StepFit

Points = tuple[tuple[float, float], ...]

_GRID: Final = 60
_MOST_POINTS: Final = 400


def display_curves(
    sample: Sample, step: StepFit | None, logistic: LogisticFit | None
) -> tuple[tuple[str, Points], ...]:
    """Points (frequency, score) of the fits: step, logistic and ramp on a grid, isotonic at the data.

    Fits that do not exist are left out; the step has four points, two of them at its change.
    """
    x = np.linspace(sample.x[0], sample.x[-1], _GRID)
    frequency = 10.0**x - 1.0
    curves: list[tuple[str, Points]] = []
    if step is not None:
        first, last = 10.0 ** sample.x[0] - 1.0, 10.0 ** sample.x[-1] - 1.0
        low, high = step.baseline, step.ceiling
        corners = np.array([first, step.above, step.above, last])
        curves.append(("step", _points(corners, np.array([low, low, high, high]))))
    if logistic is not None:
        curves.append(("logistic", _points(frequency, logistic.at(x))))
    if sample.x[-1] > sample.x[0]:
        curves.append(("ramp", _points(frequency, fit_ramp(sample).at(x))))
    chosen = np.unique(np.linspace(0, sample.x.size - 1, _MOST_POINTS).astype(np.intp))
    curves.append(("isotonic", _points(10.0 ** sample.x[chosen] - 1.0, fit_isotonic(sample)[chosen])))
    return tuple(curves)


def _points(frequency: Floats, score: Floats) -> Points:
    return tuple((max(0.0, float(f"{f:.9g}")), float(s)) for f, s in zip(frequency, score, strict=True))
