"""One curve with everything that is fitted to it before a verdict is made."""

from dataclasses import dataclass

import numpy as np

from fit.threshold.blur import Blur
from fit.threshold.curve import ImitationCurve
from fit.threshold.family import Family, rising_family
from fit.threshold.inversion import Inversion, invert
from fit.threshold.logistic import LogisticFit, fit_logistic
from fit.threshold.rise import centred
from fit.threshold.sample import Sample, pool
from fit.threshold.scatter import draw_scatter, residuals
from fit.threshold.signs import Singles, flipped_sums
from fit.threshold.step import StepFit, fit_step


@dataclass(frozen=True, eq=False)
class Study:
    """A curve that a rise can be looked for in.

    Attributes:
        curve: the concepts.
        sample: their scores pooled by frequency.
        family: the rising curves to choose from, at least one.
        step: the best upward step, or None where every step goes down.
        free: the best logistic, or None where none rises.
        null: sums of the centred scores with flipped signs, for the test. Shape (K, R).
        replicates: R.
        seed: of all draws.
    """

    curve: ImitationCurve
    sample: Sample
    family: Family
    step: StepFit | None
    free: LogisticFit | None
    null: Singles
    replicates: int
    seed: int

    def inversion(self) -> Inversion:
        """Likelihood-ratio tests on this curve.

        They use half of the replicates: their p-values are compared with 2.5 and 5 %, not reported as
        evidence.
        """
        few = max(100, self.replicates // 2)
        scatter = draw_scatter(self.sample, residuals(self.sample, self.family), few, self.seed)
        return invert(self.sample, self.family, scatter, Blur.of(self.sample, scatter.sums, self.seed))

    def within(self) -> LogisticFit | None:
        """The best logistic whose ED10 and ED90 lie in the range of the data."""
        if self.free is not None and self.free.inside(self.sample):
            return self.free
        return fit_logistic(self.sample, self.family, within=True)

    def images(self, x: float) -> float:
        """Frequency at x, clipped to the data; exactly one of theirs where x is one of theirs."""
        x = min(max(x, float(self.sample.x_first[0])), float(self.sample.x_last[-1]))
        nearest = int(np.argmin(np.abs(self.curve.x - x)))
        if abs(float(self.curve.x[nearest]) - x) < 1e-9:
            return float(self.curve.frequency[nearest])
        return max(0.0, float(10.0**x - 1.0))

    def span(self, ends: tuple[float, float]) -> tuple[float, float]:
        """Frequencies at both ends."""
        return self.images(ends[0]), self.images(ends[1])


def study(curve: ImitationCurve, replicates: int, seed: int) -> Study | None:
    """Fit everything to a curve.

    Args:
        curve: at least two distinct frequencies.
        replicates: random draws.
        seed: of the draws.

    Returns:
        None where no change between distinct frequencies leaves five concepts on either side.
    """
    sample = pool(curve)
    family = rising_family(sample)
    if len(family) == 0:
        return None
    null = flipped_sums(sample, sample.weight * centred(sample), replicates, seed)
    free = fit_logistic(sample, family, within=False)
    return Study(curve, sample, family, fit_step(curve), free, null, replicates, seed)
