"""The family of rising curves that the data choose from: every step, and logistics over midpoint and width.

Each member is one centred and scaled basis function, so that fitting it is one inner product with the scores
and fitting all of them to thousands of replicates is one matrix product. The step is the limit of the
logistic as its width goes to zero, a straight ramp the limit as it grows.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from fit.threshold.curve import Floats
from fit.threshold.sample import MIN_SEGMENT, Sample

WIDTH_PER_SCALE: Final = 2.0 * float(np.log(9.0))
"""Decades from 10 % to 90 % of the rise of a logistic whose scale is one decade."""

NARROW: Final = 0.5
"""Decades: a transition shown to be narrower than this is called a step."""

_MIN_WIDTH, _WIDTH_RATIO, _COARSE_PER_WIDTH = 0.2, 1.5, 3.0
_FINE_MIDDLES, _FINE_WIDTHS, _FINE_REACH = 28, 10, 20.0


@dataclass(frozen=True, eq=False)
class Family:
    """E rising curves on the axis x = log10(1 + frequency).

    Attributes:
        basis: values on the cells, with weighted mean 0 and weighted sum of squares 1. Shape (E, K).
        low: smallest midpoint that the member allows (a step: the x below the change). Shape (E,).
        high: largest midpoint that it allows (a step: the x at the change). Shape (E,).
        width: decades of 1 + frequency from 10 % to 90 % of its rise, 0 for a step. Shape (E,).
        onset: x at which a tenth of its rise within the data's range is reached; equal to ED10 where the
            baseline and the ceiling lie within the data (a step: the x below the change). Shape (E,).
        split: for a step, the number of cells below the change; -1 for a logistic. Shape (E,).
    """

    basis: Floats
    low: Floats
    high: Floats
    width: Floats
    onset: Floats
    split: NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.low.size)

    @property
    def is_step(self) -> NDArray[np.bool_]:
        """Shape (E,)."""
        return self.split >= 0

    @property
    def ed10(self) -> Floats:
        """Point x at a tenth of the rise between the asymptotes. Shape (E,)."""
        return self.low - self.width / 2.0

    @property
    def ed90(self) -> Floats:
        """Point x at nine tenths of the rise between the asymptotes. Shape (E,)."""
        return self.high + self.width / 2.0

    def take(self, chosen: NDArray[np.bool_]) -> "Family":
        """The members for which `chosen`, shape (E,), is true."""
        fields = ("basis", "low", "high", "width", "onset", "split")
        return replace(self, **{name: getattr(self, name)[chosen] for name in fields})


def join(*families: Family) -> Family:
    """One family of all members, in order."""
    fields = ("basis", "low", "high", "width", "onset", "split")
    return Family(**{name: np.concatenate([getattr(f, name) for f in families]) for name in fields})


def steps(sample: Sample) -> Family:
    """A step between any two neighbouring cells with at least five concepts on either side.

    Where frequencies are uncertain, a member is the step seen through that uncertainty: the probability that
    the true frequency lies above the change, given the estimated one (regression calibration).
    """
    below = np.cumsum(sample.count)[:-1]
    split = np.flatnonzero((below >= MIN_SEGMENT) & (sample.score.size - below >= MIN_SEGMENT)) + 1
    low, high = sample.x_last[split - 1], sample.x_first[split]
    behind = (np.arange(sample.x.size)[None, :] >= split[:, None]).astype(np.float64)
    if bool(sample.x_sd.any()):
        middle = (low + high)[:, None] / 2.0
        sd = np.where(sample.x_sd > 0, sample.x_sd, 1.0)
        behind = np.where(sample.x_sd > 0, ndtr((sample.x - middle) / sd), behind)
    basis, _ = _scaled(behind, sample)
    return Family(basis=basis, low=low, high=high, width=np.zeros(split.size), onset=low, split=split)


def logistics(sample: Sample, middle: Floats, width: Floats) -> Family:
    """Logistics in x, without those whose rise rests on fewer than five concepts on one side.

    Args:
        sample: the data.
        middle: midpoints on the x axis. Shape (E,).
        width: ED10 to ED90, decades, > 0. Shape (E,).
    """
    scale = width / WIDTH_PER_SCALE
    # A logistic seen through normal error is close to a wider logistic (MacKay 1992, probit approximation).
    blur = 1.0 + np.pi / 8.0 * (sample.x_sd[None, :] / scale[:, None]) ** 2
    basis, kept = _scaled(
        expit((sample.x[None, :] - middle[:, None]) / (scale[:, None] * np.sqrt(blur))), sample
    )
    middle, width, scale = middle[kept], width[kept], scale[kept]
    ends = expit((np.array([[sample.x[0]], [sample.x[-1]]]) - middle) / scale)
    onset = middle + scale * logit(ends[0] + 0.1 * (ends[1] - ends[0]))
    split = np.full(middle.size, -1, dtype=np.intp)
    return Family(basis=basis[kept], low=middle, high=middle, width=width, onset=onset, split=split)


def coarse_logistics(sample: Sample) -> Family:
    """Logistics over the whole range of the data and half of it beyond, from narrow to nearly straight."""
    span = float(sample.x[-1] - sample.x[0])
    widths = _coarse_widths(span)
    grids = [
        np.arange(sample.x[0] - span / 2, sample.x[-1] + span / 2, max(w / _COARSE_PER_WIDTH, span / 60))
        for w in widths
    ]
    width = np.repeat(widths, [g.size for g in grids])
    return logistics(sample, np.concatenate(grids), width)


def fine_logistics(sample: Sample, family: Family) -> Family:
    """A finer grid of logistics around the members of a first family that the data do not clearly reject."""
    gain = gains(family, sample)
    rest = max(total_squares(sample) - float(gain.max()), 1e-12 * total_squares(sample), 1e-300)
    near = sample.score.size * (float(gain.max()) - gain) / rest <= _FINE_REACH
    span = float(sample.x[-1] - sample.x[0])
    widths = _coarse_widths(span)
    margin = span / 60
    middles = np.linspace(family.low[near].min() - margin, family.high[near].max() + margin, _FINE_MIDDLES)
    narrow = max(float(family.width[near].min()) / _WIDTH_RATIO, widths[0] / 4)
    wide = max(float(family.width[near].max()) * _WIDTH_RATIO, widths[0])
    fine = np.geomspace(narrow, wide, _FINE_WIDTHS)
    return logistics(sample, np.tile(middles, _FINE_WIDTHS), np.repeat(fine, _FINE_MIDDLES))


def rising_family(sample: Sample) -> Family:
    """Every step, and logistics on two grids; empty when no step leaves five concepts on either side."""
    step_family = steps(sample)
    if len(step_family) == 0:
        return step_family
    family = join(step_family, coarse_logistics(sample))
    return join(family, fine_logistics(sample, family))


def heights(family: Family, sample: Sample) -> Floats:
    """Inner product of each member with the scores: the fitted amount of the basis function. Shape (E,)."""
    amounts: Floats = family.basis @ sample.per_cell(sample.weight * sample.score)
    return amounts


def gains(family: Family, sample: Sample) -> Floats:
    """Weighted squares each member explains beyond the mean, 0 where it would have to fall. Shape (E,)."""
    gained: Floats = np.maximum(heights(family, sample), 0.0) ** 2
    return gained


def total_squares(sample: Sample) -> float:
    """Weighted sum of squares of the scores about their weighted mean."""
    mean = float(np.average(sample.score, weights=sample.weight))
    return float(np.sum(sample.weight * (sample.score - mean) ** 2))


def _coarse_widths(span: float) -> Floats:
    narrowest = _MIN_WIDTH * min(1.0, span / 3.0)
    steps_up = int(np.ceil(np.log(4.0 * span / narrowest) / np.log(_WIDTH_RATIO)))
    return np.unique(np.append(narrowest * _WIDTH_RATIO ** np.arange(steps_up + 1), NARROW))


def _scaled(values: Floats, sample: Sample) -> tuple[Floats, NDArray[np.bool_]]:
    """Centre and scale rows; tell which have at least five concepts' worth of rise on either side."""
    weight = sample.cell_weight
    lowest, highest = values[:, :1], values[:, -1:]
    risen = (values - lowest) / np.maximum(highest - lowest, 1e-12)
    above = risen @ sample.count
    needed = min(MIN_SEGMENT, sample.score.size / 4.0)
    kept = (above >= needed) & (sample.score.size - above >= needed) & (highest - lowest > 1e-9)[:, 0]
    centred = risen - (risen @ weight)[:, None] / weight.sum()
    norm = np.sqrt((centred**2) @ weight)
    basis: Floats = centred / np.maximum(norm, 1e-300)[:, None]
    return basis, kept
