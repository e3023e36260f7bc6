"""Before the accelerators are rented: which rises would be found, and how well located?

The noise of a score has two parts: concepts of equal frequency differ (standard deviation `between`), and a
score is an average over M images, each of which scatters (standard deviation `image`): sd^2 = between^2 +
image^2 / M. Power is the share of simulated curves whose test statistic exceeds the critical value of curves
without a rise; widths are those of real estimates.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from fit.threshold.curve import Floats, ImitationCurve
from fit.threshold.estimate import estimate
from fit.threshold.family import WIDTH_PER_SCALE, heights, rising_family
from fit.threshold.logistic import LogisticFit, fit_logistic
from fit.threshold.planted import Noise, Truth, planted_curve
from fit.threshold.rise import centred, rise_statistic, rise_test
from fit.threshold.sample import pool
from fit.threshold.signs import flipped_sums
from fit.threshold.verdict import Threshold

RISES: Final = (0.05, 0.1, 0.2, 0.3)
"""Rises in score that a plan tells the power for."""

_POWER_RUNS, _WIDTH_RUNS, _NULLS = 600, 60, 8
_PLACES: Final = (0.2, 0.8)


@dataclass(frozen=True)
class ScoreNoise:
    """Scatter of scores around the mean curve.

    Attributes:
        between: standard deviation between concepts of equal frequency, in score.
        image: standard deviation of one image's contribution, in score.
        source: where the figures are from.
    """

    between: float
    image: float
    source: str

    def sd(self, images: int) -> float:
        """Standard deviation of a score that averages so many images."""
        return float(np.sqrt(self.between**2 + self.image**2 / images))


DEFAULT_NOISE: Final = ScoreNoise(0.16, 0.11, "the demo world: 130 artists, 20 images each")
"""Measured by `pilot_noise` on a finished run of the demo."""


@dataclass(frozen=True)
class Prospect:
    """What to expect of a study when the truth is a step of one size.

    Attributes:
        rise: size of the step, in score.
        power: probability that a rise is found.
        width: median width of the interval, decades of 1 + frequency; None where it is hardly ever found.
        factor: the same as a ratio of its ends.
    """

    rise: float
    power: float
    width: float | None

    @property
    def factor(self) -> float | None:
        """Upper end of a typical interval over its lower end."""
        return None if self.width is None else float(10.0**self.width)


def pilot_noise(curve: ImitationCurve, source: str) -> ScoreNoise:
    """Read the noise off a curve that was measured.

    Args:
        curve: with `score_se` and `images`; without them all scatter counts as between concepts.
        source: where the curve is from.
    """
    sample = pool(curve)
    family = rising_family(sample)
    residual = centred(sample)
    if len(family):
        height = heights(family, sample)
        best = int(np.argmax(height))
        residual = residual - max(float(height[best]), 0.0) * sample.spread(family.basis[best])
    total = float(np.sum(residual**2)) / max(len(curve) - 4.0, 1.0)
    if curve.score_se is None or curve.images is None:
        return ScoreNoise(float(np.sqrt(total)), 0.0, source)
    measuring = float(np.mean(curve.score_se**2))
    image = float(np.sqrt(np.mean(curve.score_se**2 * curve.images)))
    return ScoreNoise(float(np.sqrt(max(total - measuring, 0.0))), image, source)


def prospect(
    rise: float,
    concepts: int,
    sd: float,
    *,
    level: float = 0.95,
    frequencies: Floats | None = None,
    seed: int = 0,
) -> Prospect:
    """Predict the power for a step and the width of its interval.

    The step lies anywhere between the 20th and the 80th percentile of the concepts.

    Args:
        rise: size of the step, in score, > 0.
        concepts: number of concepts, at least 10.
        sd: standard deviation of the scores around the mean curve.
        level: confidence level in [0.5, 0.999].
        frequencies: those of the concepts to be studied; None takes the published bins.
        seed: of the simulated curves.
    """
    rng = np.random.default_rng([seed, 5])
    noise = Noise(sd)

    def curve(size: float, number: int) -> ImitationCurve:
        truth = Truth("step" if size > 0 else "flat", rise=size, at=float(rng.uniform(*_PLACES)))
        return planted_curve(truth, n=concepts, frequencies=frequencies, noise=noise, seed=number).curve

    critical = float(np.mean([_critical(curve(0.0, i), level, i) for i in range(_NULLS)]))
    statistics = [rise_statistic(pool(curve(rise, i))) for i in range(_POWER_RUNS)]
    power = float(np.mean(np.array(statistics) > critical))
    widths = []
    for number in range(_WIDTH_RUNS if power >= 0.1 else 0):
        verdict = estimate(curve(rise, number), level=level, replicates=400, seed=number)
        if isinstance(verdict, Threshold) and verdict.interval is not None:
            low, high = verdict.interval
            widths.append(float(np.log10((1.0 + high) / (1.0 + low))))
    return Prospect(rise, power, float(np.median(widths)) if widths else None)


def _critical(curve: ImitationCurve, level: float, seed: int) -> float:
    sample = pool(curve)
    null = flipped_sums(sample, sample.weight * centred(sample), 1000, seed)
    return rise_test(sample, null, level).critical


@dataclass(frozen=True)
class Spending:
    """Where more images would narrow the interval most.

    Attributes:
        concepts: names with the images that each should get, those with most first.
        between: smallest and largest frequency of these concepts, images.
        by_images: factor on the interval's width if the images are spent so.
        evenly: the same if every concept gets as many.
        by_concepts: the same if they are spent on new concepts at the midpoint, as many images each as now.
        sentence: what to do.
    """

    concepts: tuple[tuple[str, int], ...]
    between: tuple[float, float]
    by_images: float
    evenly: float
    by_concepts: float
    sentence: str


def next_images(curve: ImitationCurve, extra: int) -> Spending | None:
    """Tell where the next images should go.

    The width of the interval of a logistic's midpoint falls with the root of the information on it, the sum
    over concepts of (slope of the mean curve)^2 / (between^2 + image^2 / M): images count where the curve is
    steep, and only as far as measuring is what scatters (optimal design, Atkinson & Donev 1992).

    Args:
        curve: with `score_se` and `images`.
        extra: images to spend, at least 1.

    Returns:
        None without standard errors, or where no logistic rises among the concepts.
    """
    if curve.score_se is None or curve.images is None:
        return None
    sample = pool(curve)
    family = rising_family(sample)
    fit = fit_logistic(sample, family, within=False) if len(family) else None
    if fit is None or fit.ceiling <= fit.baseline:
        return None
    noise = pilot_noise(curve, "")
    slope = _steepness(fit, curve.x)
    images = np.maximum(curve.images, 1.0)
    share = _greedy(slope, images, noise, extra)
    steep = float(slope.max())
    typical = float(np.median(images))
    now = _information(slope, images, noise)
    if not 0.0 < now < np.inf:
        return None
    new = extra / typical * steep / max(noise.sd(round(typical)) ** 2, 1e-12)
    factors = [
        float(np.sqrt(now / _information(slope, images + share, noise))),
        float(np.sqrt(now / _information(slope, images + extra / images.size, noise))),
        float(np.sqrt(now / (now + new))),
    ]
    chosen = [i for i in np.argsort(-share, kind="stable") if share[i] > 0]
    ends = (float(curve.frequency[chosen].min()), float(curve.frequency[chosen].max()))
    named = tuple((curve.concepts[i], int(share[i])) for i in chosen)
    return Spending(named, ends, factors[0], factors[1], factors[2], _advice(factors, ends, extra))


def _advice(factors: list[float], ends: tuple[float, float], extra: int) -> str:
    by_images, evenly, by_concepts = factors
    text = (
        f"{extra:,} more images of the concepts with {ends[0]:.3g} to {ends[1]:.3g} training images would "
        "narrow the "
        f"interval to {by_images:.0%} of its width (spread evenly over all: {evenly:.0%})"
    )
    if by_concepts < by_images:
        return f"{text}; as many images of new concepts near the midpoint would do better: {by_concepts:.0%}."
    return f"{text}; as many images of new concepts near the midpoint would do no better ({by_concepts:.0%})."


def _steepness(fit: LogisticFit, x: Floats) -> Floats:
    """Squared derivative of the mean curve by its midpoint, at x. Shape of x."""
    scale = fit.width / WIDTH_PER_SCALE
    risen = expit((x - fit.middle) / scale)
    steep: Floats = ((fit.ceiling - fit.baseline) / scale * risen * (1.0 - risen)) ** 2
    return steep


def _information(slope: Floats, images: Floats, noise: ScoreNoise) -> float:
    return float(np.sum(slope / np.maximum(noise.between**2 + noise.image**2 / images, 1e-12)))


def _greedy(slope: Floats, images: Floats, noise: ScoreNoise, extra: int) -> Floats:
    """Deal out the images in at most 200 lots, each where it adds most. Shape (n,), whole numbers."""
    given, lot = np.zeros(images.size), max(1, extra // 200)
    left = extra
    while left > 0:
        size = min(lot, left)
        now = slope / np.maximum(noise.between**2 + noise.image**2 / (images + given), 1e-12)
        then = slope / np.maximum(noise.between**2 + noise.image**2 / (images + given + size), 1e-12)
        given[int(np.argmax(then - now))] += size
        left -= size
    return given
