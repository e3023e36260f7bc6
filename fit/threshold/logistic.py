"""The logistic model in x = log10(1 + frequency): baseline, ceiling, midpoint and width."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from fit.threshold.curve import Floats
from fit.threshold.family import WIDTH_PER_SCALE, Family
from fit.threshold.sample import Sample


@dataclass(frozen=True)
class LogisticFit:
    """A fitted logistic, baseline + (ceiling - baseline) / (1 + exp(-(x - middle) / scale)).

    Attributes:
        baseline: lower asymptote, a score.
        ceiling: upper asymptote, a score.
        middle: x at half of the rise (ED50).
        width: decades of 1 + frequency from ED10 to ED90, > 0; the scale is width / (2 ln 9).
        explained: weighted squares of the scores that it explains beyond their mean.
    """

    baseline: float
    ceiling: float
    middle: float
    width: float
    explained: float

    def at(self, x: Floats) -> Floats:
        """Mean score at x = log10(1 + frequency), any shape."""
        risen: Floats = expit((x - self.middle) * WIDTH_PER_SCALE / self.width)
        return self.baseline + (self.ceiling - self.baseline) * risen

    def inside(self, sample: Sample) -> bool:
        """Whether ED10 and ED90 lie in the range of the data."""
        half = self.width / 2.0
        return bool(self.middle - half >= sample.x[0] and self.middle + half <= sample.x[-1])


def fit_logistic(sample: Sample, family: Family, *, within: bool) -> LogisticFit | None:
    """Least-squares logistic, polished from the best logistic of a family.

    Args:
        sample: the data.
        family: grid of starting points; its steps are passed over.
        within: keep ED10 and ED90 inside the range of the data, so that both plateaus are reached.

    Returns:
        The fit, or None when no logistic of the family rises.
    """
    sums = sample.per_cell(sample.weight * sample.score)
    cells = (sample.cell_weight, sums)
    wanted = reached(family, sample) if within else np.ones(len(family), dtype=np.bool_)
    grid = family.take(wanted & ~family.is_step)
    height = grid.basis @ sums
    if height.size == 0 or height.max() <= 0:
        return None
    start = int(np.argmax(height))
    # Stay where the grid searched: far outside it the logistic is a straight line with any parameters.
    narrowest, widest = float(grid.width.min()) / 2.0, float(grid.width.max())
    lowest, highest = float(grid.low.min()), float(grid.low.max())

    def misfit(point: Floats) -> float:
        middle, width = float(point[0]), float(np.exp(point[1]))
        if not (narrowest <= width <= widest and lowest <= middle <= highest):
            return 0.0
        if within and (middle - width / 2 < sample.x[0] or middle + width / 2 > sample.x[-1]):
            return 0.0
        fit = asymptotes(sample, cells, middle, width)
        return -fit.explained if fit.ceiling > fit.baseline else 0.0

    first = np.array([grid.low[start], np.log(grid.width[start])])
    simplex = first + np.array([[0.0, 0.0], [0.1 * float(grid.width[start]), 0.0], [0.0, 0.2]])
    options = {
        "initial_simplex": simplex,
        "xatol": 1e-4,
        "fatol": 1e-7 * float(height.max() ** 2),
        "maxiter": 120,
    }
    found = minimize(misfit, first, method="Nelder-Mead", options=options)
    return asymptotes(sample, cells, float(found.x[0]), float(np.exp(found.x[1])))


def reached(family: Family, sample: Sample) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which members have both ED10 and ED90 inside the range of the data. Shape (E,)."""
    slack = 1e-9
    inside = (family.ed10 >= sample.x[0] - slack) & (family.ed90 <= sample.x[-1] + slack)
    return np.asarray(inside, dtype=np.bool_)


def rising(sample: Sample, middle: float, width: float) -> Floats:
    """Share of the rise in each cell, seen through the uncertainty of the frequencies. Shape (K,)."""
    scale = width / WIDTH_PER_SCALE
    blur = np.sqrt(1.0 + np.pi / 8.0 * (sample.x_sd / scale) ** 2)
    share: Floats = expit((sample.x - middle) / (scale * blur))
    return share


def asymptotes(sample: Sample, cells: tuple[Floats, Floats], middle: float, width: float) -> LogisticFit:
    """Least-squares baseline and ceiling of a logistic whose midpoint and width are given.

    Args:
        sample: the data.
        cells: sums within cells of the weights, and of weight x score. Shapes (K,).
        middle: midpoint on the x axis.
        width: ED10 to ED90, decades, > 0.
    """
    risen = rising(sample, middle, width)
    weight, sums = cells
    mean_rising, mean_score = float(risen @ weight / weight.sum()), float(sums.sum() / weight.sum())
    slope = float((risen - mean_rising) @ sums / max(float((risen - mean_rising) ** 2 @ weight), 1e-300))
    baseline = mean_score - slope * mean_rising
    explained = slope**2 * float((risen - mean_rising) ** 2 @ weight)
    return LogisticFit(baseline, baseline + slope, middle, width, explained)
