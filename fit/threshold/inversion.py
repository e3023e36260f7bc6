"""Confidence statements by inverting likelihood-ratio tests, each calibrated at its own hypothesis.

A statement such as "the midpoint lies at or below t" is the subset of the family of curves for which it
holds. Its likelihood ratio compares the best curve of the subset with the best of all. What values the ratio
takes when the statement is true is found by replicates: the best curve of the subset plus noise drawn like
that of the curve, to which everything is fitted again. The limits are the values of t where the statement is
no longer rejected.

Why not simpler: the ordinary bootstrap of a change point is inconsistent (Seijo & Sen 2011); quantiles of
chi-squared hold for a logistic but not for its limit, the step, where those of Hansen (2000) hold instead; a
calibration at the best curve alone takes its rise, which was selected for being large, to be the true one.
All curves share one matrix of fitted noise, so a hypothesis costs one pass over it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fit.threshold.blur import Blur
from fit.threshold.curve import Floats
from fit.threshold.family import Family, heights, total_squares
from fit.threshold.sample import Sample
from fit.threshold.scatter import Scatter
from fit.threshold.signs import Singles

Mask = NDArray[np.bool_]

_HOPELESS: Final = 60.0
"""Members whose likelihood ratio to the best of their kind exceeds this are dropped."""


@dataclass(frozen=True, eq=False)
class Inversion:
    """What all tests on one sample and family share.

    Attributes:
        family: E members, at least one.
        height: fitted amount of each member's basis function. Shape (E,).
        total: weighted sum of squares of the scores about their mean.
        noise: amounts fitted to draws of noise alone. Shape (E, R), single precision.
        noise_total: their weighted sums of squares about their means. Shape (R,).
        cell_basis: basis functions times the weights of the cells. Shape (E, K).
        n: concepts.
        blur: what uncertain frequencies add; None where they are exact.
    """

    family: Family
    height: Floats
    total: float
    noise: Singles
    noise_total: Floats
    cell_basis: Floats
    n: int
    blur: Blur | None = None

    @property
    def gain(self) -> Floats:
        """Weighted squares explained by each member. Shape (E,)."""
        return np.maximum(self.height, 0.0) ** 2

    @property
    def best(self) -> int:
        """Index of the member that fits best."""
        return int(np.argmax(self.height))

    def among(self, chosen: Mask) -> "Inversion":
        """The same tests with only some members of the family allowed."""
        return replace(
            self,
            family=self.family.take(chosen),
            height=self.height[chosen],
            noise=self.noise[chosen],
            cell_basis=self.cell_basis[chosen],
        )

    def ratio(self, holds: Mask) -> float:
        """Excess residual squares of the best member of a subset.

        It is relative to those of the best member of all: zero when that one belongs to the subset, about
        chi-squared / n in regular cases.
        """
        gain = self.gain
        within = float(gain[holds].max()) if bool(holds.any()) else 0.0
        rest = max(self.total - float(gain.max()), 1e-9 * self.total)
        return (float(gain.max()) - within) / rest

    def p_value(self, holds: Mask) -> float:
        """Probability of a ratio as large as the observed one, were the best member of the subset true.

        Args:
            holds: members for which the hypothesis is true. Shape (E,). An empty subset, all of whose members
                were hopeless, has the smallest p-value that there is.
        """
        if not bool(holds.any()):
            return 1.0 / (self.noise_total.size + 1.0)
        observed = self.ratio(holds)
        if observed <= 1e-9:
            return 1.0
        inside = np.flatnonzero(holds)
        truth = int(inside[np.argmax(self.height[inside])])
        amount = max(float(self.height[truth]), 0.0)
        shift = amount * (self.cell_basis @ self.family.basis[truth])
        fitted, squares = self.noise + shift.astype(np.float32)[:, None], self.noise_total
        of_truth = self.noise[truth]
        if self.blur is not None:
            basis = self.family.basis
            extra = self.blur.around(self.family, truth, amount * float(basis[truth, -1] - basis[truth, 0]))
            added = basis[:, extra.cells].astype(np.float32) @ extra.sums
            fitted, squares, of_truth = fitted + added, squares + extra.squares, of_truth + added[truth]
        overall = np.maximum(fitted.max(axis=0), 0.0).astype(np.float64) ** 2
        within = np.maximum(fitted[inside].max(axis=0), 0.0).astype(np.float64) ** 2
        total = amount**2 + 2.0 * amount * of_truth + squares
        ratio = (overall - within) / np.maximum(total - overall, 1e-9 * total)
        return float((1.0 + np.count_nonzero(ratio >= observed * (1 - 1e-4))) / (ratio.size + 1.0))

    def lower_limit(self, key: Floats, alpha: float) -> float:
        """Smallest t for which "key <= t" is not rejected.

        Args:
            key: value of the quantity of interest for each member. Shape (E,).
            alpha: one-sided level; with probability about 1 - alpha the truth is not below the limit.
        """
        values = np.unique(key)
        # Near the best member every calibration accepts, far away none does; between the two, ask.
        accepted = int(np.searchsorted(values, key[self.best]))
        rejected = -1
        while accepted - rejected > 1:
            middle = (accepted + rejected) // 2
            holds = key <= values[middle]
            distance = self.n * self.ratio(holds)
            if distance < 0.5 or (distance < _HOPELESS / 2.0 and self.p_value(holds) > alpha):
                accepted = middle
            else:
                rejected = middle
        return float(values[accepted])

    def upper_limit(self, key: Floats, alpha: float) -> float:
        """Largest t for which "key >= t" is not rejected; see `lower_limit`."""
        return -self.lower_limit(-key, alpha)


def invert(sample: Sample, family: Family, scatter: Scatter, blur: Blur | None = None) -> Inversion:
    """Prepare the tests.

    Args:
        sample: the data.
        family: at least one member.
        scatter: noise like theirs.
        blur: what uncertain frequencies add to it.
    """
    height, total = heights(family, sample), total_squares(sample)
    gain = np.maximum(height, 0.0) ** 2
    rest = max(total - float(gain.max()), 1e-9 * total)
    best_step = float(gain[family.is_step].max(initial=0.0))
    rival = np.where(family.is_step, best_step, gain.max())
    near = sample.score.size * (rival - gain) / rest <= _HOPELESS
    family, height = family.take(near), height[near]
    noise = family.basis.astype(np.float32) @ scatter.sums
    return Inversion(
        family=family,
        height=height,
        total=total,
        noise=noise,
        noise_total=scatter.squares,
        cell_basis=family.basis * sample.cell_weight,
        n=sample.score.size,
        blur=blur,
    )
