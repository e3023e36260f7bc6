"""Imitation curves whose truth is known: for tests, for the simulation table, and to try the tool out."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from fit.threshold.curve import Floats, ImitationCurve

PUBLISHED_BINS: Final = (
    (1, 100),
    (100, 500),
    (500, 1_000),
    (1_000, 5_000),
    (5_000, 10_000),
    (10_000, 100_000),
)
PUBLISHED_SHARES: Final = (14, 67, 133, 62, 63, 39, 40)
"""Concepts with no image, then in each of `PUBLISHED_BINS`: the 418 classical artists of arXiv:2410.15002."""

_LOGIT_90: Final = float(np.log(9.0))


@dataclass(frozen=True)
class Truth:
    """The mean curve that is planted.

    Attributes:
        shape: `flat`; `step`; `logistic` in x = log10(1 + frequency); `ramp`, linear in x over all
            frequencies; `falling`, a step downwards.
        baseline: score before the rise.
        rise: size of the rise, >= 0 (of the fall for `falling`).
        at: rank of the change or midpoint as a share of the concepts, in (0, 1); unused by `flat` and `ramp`.
        width: for `logistic`, from 10 % to 90 % of the rise, in decades of 1 + frequency.
    """

    shape: Literal["flat", "step", "logistic", "ramp", "falling"]
    baseline: float = 0.1
    rise: float = 0.25
    at: float = 0.5
    width: float = 1.0


@dataclass(frozen=True)
class Noise:
    """What stands between the truth and the curve.

    Attributes:
        sd: standard deviation of the scores around the mean curve, at the lowest rank.
        sd_top: the same at the highest rank, linear between; None for the same noise everywhere.
        tails: `normal`, or `t3` for Student's t with 3 degrees of freedom scaled to the same sd.
        outliers: share of the concepts that are moved by six standard deviations up or down.
        frequency_factor: frequencies are log-normal with a 95 % interval of times/divided by this; 1 for
            exact.
    """

    sd: float = 0.07
    sd_top: float | None = None
    tails: Literal["normal", "t3"] = "normal"
    outliers: float = 0.0
    frequency_factor: float = 1.0


@dataclass(frozen=True)
class Planted:
    """A curve with its truth, in images.

    Attributes:
        curve: what an estimator sees.
        truth: what was planted.
        change: the neighbouring true frequencies (below, at or above) that a step lies between; for
            `logistic` the midpoint twice; for the others (nan, nan).
        ed10: frequency at which a tenth of the rise is reached (a step: its upper frequency); nan without a
            rise.
    """

    curve: ImitationCurve
    truth: Truth
    change: tuple[float, float]
    ed10: float


def published_frequencies(n: int, rng: np.random.Generator) -> Floats:
    """Whole frequencies over the published bins, log-uniform within a bin, many of them tied. Shape (n,)."""
    shares = np.cumsum(np.array(PUBLISHED_SHARES, dtype=np.float64))
    bins = np.searchsorted(shares / shares[-1], (np.arange(n) + 0.5) / n)
    edges = np.array(((0, 0), *PUBLISHED_BINS), dtype=np.float64)[bins]
    low, high = np.log(np.maximum(edges[:, 0], 1.0)), np.log(np.maximum(edges[:, 1], 1.0))
    drawn = np.round(np.exp(low + (high - low) * rng.random(n)))
    frequencies: Floats = np.where(bins == 0, 0.0, drawn)
    return frequencies


def planted_curve(
    truth: Truth,
    *,
    n: int = 418,
    frequencies: Floats | None = None,
    noise: Noise | None = None,
    seed: int = 0,
) -> Planted:
    """Draw a curve around a planted truth.

    Args:
        truth: the mean curve.
        n: concepts, when no frequencies are given.
        frequencies: true frequencies to use, images, at least two distinct; None for the published bins.
        noise: what is added; None for sd 0.07.
        seed: every draw follows from it.
    """
    rng = np.random.default_rng(seed)
    noise = noise or Noise()
    true = np.sort(published_frequencies(n, rng) if frequencies is None else np.asarray(frequencies, float))
    mean, change, ed10 = _mean(truth, true)
    score = np.clip(mean + _scatter(noise, true.size, rng), -1.0, 1.0)
    columns: dict[str, object] = {"frequency": true, "score": score}
    if noise.frequency_factor > 1:
        log_factor = np.log(noise.frequency_factor)
        seen = true * np.exp(rng.standard_normal(true.size) * log_factor / 1.96)
        columns |= {"frequency": seen, "frequency_low": seen / noise.frequency_factor}
        columns |= {"frequency_high": seen * noise.frequency_factor}
    names = [f"concept {i:06d}" for i in rng.permutation(true.size)]
    curve = ImitationCurve.from_columns({"concept": names, **columns})
    return Planted(curve=curve, truth=truth, change=change, ed10=ed10)


def _mean(truth: Truth, frequency: Floats) -> tuple[Floats, tuple[float, float], float]:
    nothing = (float("nan"), float("nan"))
    x = np.log10(1.0 + frequency)
    if truth.shape == "flat":
        return np.full(x.size, truth.baseline), nothing, float("nan")
    if truth.shape == "ramp":
        rising = (x - x[0]) / (x[-1] - x[0])
        ed10 = 10.0 ** (x[0] + 0.1 * (x[-1] - x[0])) - 1.0
        return truth.baseline + truth.rise * rising, nothing, float(ed10)
    upper = frequency[max(1, min(frequency.size - 1, int(truth.at * frequency.size)))]
    upper = upper if upper > frequency[0] else frequency[frequency > frequency[0]][0]
    if truth.shape == "logistic":
        scale = truth.width / (2.0 * _LOGIT_90)
        middle = np.log10(1.0 + upper)
        rising = 1.0 / (1.0 + np.exp(-(x - middle) / scale))
        ed10 = 10.0 ** (middle - truth.width / 2.0) - 1.0
        return truth.baseline + truth.rise * rising, (float(upper), float(upper)), float(ed10)
    lower = float(frequency[frequency < upper][-1])
    rise = truth.rise if truth.shape == "step" else -truth.rise
    mean = truth.baseline + rise * (frequency >= upper)
    return mean, (lower, float(upper)), float(upper) if rise > 0 else float("nan")


def _scatter(noise: Noise, n: int, rng: np.random.Generator) -> Floats:
    top = noise.sd if noise.sd_top is None else noise.sd_top
    sd = np.linspace(noise.sd, top, n)
    unit = rng.standard_normal(n) if noise.tails == "normal" else rng.standard_t(3, n) / np.sqrt(3.0)
    moved = rng.random(n) < noise.outliers
    shift: Floats = 6.0 * moved * rng.choice((-1.0, 1.0), n)
    scattered: Floats = sd * (unit + shift)
    return scattered
