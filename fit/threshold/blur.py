"""What uncertain frequencies add to the scatter: a concept near the change may lie on either side of it.

The mean curve, seen through the uncertainty, is smooth (see `family.steps`); around it a concept near the
change is not normally distributed but has one of two means. The replicates draw that as well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from fit.threshold.curve import Floats
from fit.threshold.family import WIDTH_PER_SCALE, Family
from fit.threshold.sample import Sample
from fit.threshold.signs import Singles

_REACH: Final = 3.5
"""Standard deviations of x around a transition within which a concept may lie on either side of it."""


@dataclass(frozen=True, eq=False)
class Blur:
    """True frequencies drawn around the estimated ones.

    Attributes:
        x: estimated x of each cell. Shape (K,).
        sd: their standard deviations. Shape (K,).
        weight: sum of the weights in each cell. Shape (K,).
        count: concepts in each cell; the scatter of a cell's mean falls with their root. Shape (K,).
        drawn: standard normal draws of each cell's error. Shape (K, R).
        noise: weighted noise of the scores themselves, summed within cells. Shape (K, R).
    """

    x: Floats
    sd: Floats
    weight: Floats
    count: Floats
    drawn: Singles
    noise: Singles

    @classmethod
    def of(cls, sample: Sample, noise: Singles, seed: int) -> "Blur | None":
        """Draw; None where the frequencies are exact."""
        if not bool(sample.x_sd.any()):
            return None
        drawn = np.random.default_rng([seed, 2]).standard_normal(noise.shape, dtype=np.float32)
        return cls(sample.x, sample.x_sd, sample.cell_weight, sample.count, drawn, noise)

    def around(self, family: Family, member: int, rise: float) -> "Extra":
        """The scatter that uncertain frequencies add when one member of a family is the truth.

        Args:
            family: the member's family.
            member: its index.
            rise: its rise, in units of the score.
        """
        middle = float(family.low[member] + family.high[member]) / 2.0
        width = float(family.width[member])
        near = (self.sd > 0) & (np.abs(self.x - middle) <= _REACH * self.sd + width)
        cells = np.flatnonzero(near)
        sd = self.sd[cells][:, None]
        true = self.x[cells][:, None] + sd * self.drawn[cells]
        if width == 0:
            risen, expected = (
                (true >= middle).astype(np.float64),
                ndtr((self.x[cells][:, None] - middle) / sd),
            )
        else:
            scale = width / WIDTH_PER_SCALE
            blurred = scale * np.sqrt(1.0 + np.pi / 8.0 * (sd / scale) ** 2)
            risen = expit((true - middle) / scale)
            expected = expit((self.x[cells][:, None] - middle) / blurred)
        share = (self.weight[cells] / np.sqrt(self.count[cells]))[:, None]
        sums = (rise * share * (risen - expected)).astype(np.float32)
        return Extra(cells, sums, self._squares(cells, sums))

    def _squares(self, cells: NDArray[np.intp], sums: Singles) -> Floats:
        """What the sums add to the weighted squares of the noise about its mean. Shape (R,)."""
        weight, total = self.weight[cells][:, None], float(self.weight.sum())
        own = ((2.0 * self.noise[cells] + sums) * sums / weight).sum(axis=0, dtype=np.float64)
        added, before = sums.sum(axis=0, dtype=np.float64), self.noise.sum(axis=0, dtype=np.float64)
        squares: Floats = own - (2.0 * before + added) * added / total
        return squares


@dataclass(frozen=True, eq=False)
class Extra:
    """Scatter in some cells.

    Attributes:
        cells: which. Shape (C,).
        sums: weighted scatter summed within them. Shape (C, R), single precision.
        squares: what it adds to the weighted squares of the noise about its mean. Shape (R,).
    """

    cells: NDArray[np.intp]
    sums: Singles
    squares: Floats
