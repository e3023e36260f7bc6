"""What is expected of a concept at another frequency: read off the fitted curve, with intervals.

The curve is the logistic family whatever the shape, as for the safe count: it has the step as its limit, and
beyond the data it levels off instead of jumping. Where no rise was shown it is the mean of all scores.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from fit.threshold.curve import Floats, ImitationCurve, too_little
from fit.threshold.logistic import LogisticFit, asymptotes, rising
from fit.threshold.rise import rise_test
from fit.threshold.robust import without_outliers
from fit.threshold.scatter import draw_scatter, local_spread, residuals
from fit.threshold.study import Study, study

Span = tuple[float, float]

MOST_REPLICATES: Final = 1000
"""Curves that are fitted anew for the interval, at most."""


@dataclass(frozen=True)
class Expected:
    """Scores to be expected at one frequency.

    Attributes:
        score: of the average concept.
        interval: of that average, at the level asked for.
        single: where the score of one concept of that frequency lies, at the same level.
        curve: `logistic`, or `flat` where no rise was shown.
    """

    score: float
    interval: Span
    single: Span
    curve: Literal["logistic", "flat"]


@dataclass(frozen=True)
class NoExpectation:
    """Why nothing can be expected.

    Attributes:
        reason: in words.
    """

    reason: str


@dataclass(frozen=True, eq=False)
class Replicates:
    """The curve and others that the same concepts could as well have given.

    Attributes:
        work: what was fitted.
        fit: the logistic; None where no rise was shown.
        others: as many as replicates; empty where no rise was shown.
        deviation: scores about the curve. Shape (n,).
        level: of the intervals.
    """

    work: Study
    fit: LogisticFit | None
    others: tuple[LogisticFit, ...]
    deviation: Floats
    level: float

    def at(self, frequency: float) -> Expected:
        """What is expected at a frequency, images, >= 0."""
        x, sample = float(np.log10(1.0 + frequency)), self.work.sample
        rng = np.random.default_rng([self.work.seed, 3])
        if self.fit is None:
            root = np.sqrt(sample.weight) * self.deviation
            error = float(np.sqrt(np.sum(sample.weight * root**2))) / float(sample.weight.sum())
            score = float(np.average(sample.score, weights=sample.weight))
            means = score + error * rng.standard_normal(MOST_REPLICATES)
        else:
            score = float(self.fit.at(np.array(x)))
            means = np.array([float(other.at(np.array(x))) for other in self.others])
        spread = local_spread(self.deviation)
        here = float(np.interp(x, self.work.curve.x, spread))
        singles = means + here * rng.choice(self.deviation / np.maximum(spread, 1e-12), means.size)
        return Expected(
            score=min(max(score, -1.0), 1.0),
            interval=self._ends(means, score),
            single=self._ends(singles, score),
            curve="flat" if self.fit is None else "logistic",
        )

    def _ends(self, drawn: Floats, score: float) -> Span:
        tail = (1.0 - self.level) / 2.0
        low, high = np.quantile(drawn, [tail, 1.0 - tail])
        return max(min(float(low), score), -1.0), min(max(float(high), score), 1.0)


def expectation(
    curve: ImitationCurve, *, level: float = 0.95, replicates: int = 2000, seed: int = 0, robust: bool = False
) -> Replicates | NoExpectation:
    """Fit a curve so that scores at other frequencies can be read off it.

    Args:
        curve: of one domain and model.
        level: confidence level of the intervals, in [0.5, 0.999].
        replicates: random draws; half of them, at most `MOST_REPLICATES`, are fitted anew.
        seed: of every draw.
        robust: pull in outlying scores first, as in `estimate`.
    """
    problem = too_little(curve)
    if problem is not None:
        return NoExpectation(problem)
    work = study(without_outliers(curve) if robust else curve, replicates, seed)
    if work is None:
        return NoExpectation("no change between distinct frequencies leaves five concepts on either side")
    rise = rise_test(work.sample, work.null, level)
    if work.free is None or not rise.shows_rise(level):
        if rise.p_fall <= 1.0 - level and rise.fall >= rise.statistic:
            return NoExpectation("the score falls with the frequency, which no imitation curve does")
        mean = float(np.average(work.sample.score, weights=work.sample.weight))
        return Replicates(work, None, (), work.sample.score - mean, level)
    few = max(100, min(replicates // 2, MOST_REPLICATES))
    deviation = residuals(work.sample, work.family)
    return Replicates(work, work.free, _others(work, work.free, few), deviation, level)


def _others(work: Study, fit: LogisticFit, few: int) -> tuple[LogisticFit, ...]:
    """Fit the logistics of the family to the curve plus noise like that of its scores, drawn anew."""
    sample = work.sample
    family = work.family.take(~work.family.is_step)
    scatter = draw_scatter(sample, residuals(sample, work.family), few, work.seed)
    seen = fit.baseline + (fit.ceiling - fit.baseline) * rising(sample, fit.middle, fit.width)
    sums = (sample.cell_weight * seen)[:, None] + scatter.sums
    best = np.argmax(family.basis.astype(np.float32) @ sums.astype(np.float32), axis=0)
    return tuple(
        asymptotes(
            sample,
            (sample.cell_weight, sums[:, number]),
            float(family.low[member]),
            float(family.width[member]),
        )
        for number, member in enumerate(best.tolist())
    )
