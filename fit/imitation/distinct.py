"""How many different pictures there are among many images, of which only some were looked at.

That cannot be told without assumptions: a picture that is there twice among a million looks, in a sample of a
hundred, like one that is there once, and no estimator is better than a factor of sqrt(population / sample)
for all populations (Charikar, Chaudhuri, Motwani & Narasayya 2000). The naive estimate, pictures seen over
the share looked at, is an upper bound, and mostly far too high. Two statements hold for every population, in
expectation, with d pictures seen, f1 of them once and f2 twice among n images, a share q of all:

- f1 / q + (d - f1) is at least the number of pictures: each one of m images adds 1 + (m - 1) (1 - q)^m to it;
- d + f1^2 / (2 f2 n / (n - 1) + f1 q / (1 - q)) is at most that number (Chao 1987; Chao & Lin 2012 for
  sampling without replacement), and equal to it where all pictures are there equally often.

The estimate is the second: a lower bound that is near the truth when copies are spread evenly. The interval
reaches from its lower limit to the first one's upper limit, so it stays valid whatever the population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fit.imitation.hit_rate import Frequency


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures among the images that were looked at.

    Attributes:
        images: Images, n.
        pictures: Different pictures among them, d.
        once: Pictures seen once, f1.
        twice: Pictures seen twice, f2.
    """

    images: int
    pictures: int
    once: int
    twice: int

    @property
    def copies(self) -> float | None:
        """Share of the images that repeat a picture seen before, in [0, 1]; None without an image."""
        return 1 - self.pictures / self.images if self.images else None


@dataclass(frozen=True, slots=True)
class DistinctShare:
    """Different pictures per image of the population, in (0, 1], with its interval."""

    value: float
    low: float
    high: float


def seen(numbers: npt.NDArray[np.int64]) -> Seen:
    """Return how often pictures were seen.

    Args:
        numbers: Which picture each image is, shape (n,).
    """
    _, sizes = np.unique(numbers, return_counts=True)
    return Seen(len(numbers), len(sizes), int((sizes == 1).sum()), int((sizes == 2).sum()))


def distinct_share(found: Seen, looked_at: float, look_alike: float, level: float) -> DistinctShare | None:
    """Estimate how many different pictures there are per image.

    Args:
        found: The pictures among the images that were looked at.
        looked_at: Share of the population's images that were, q, in (0, 1].
        look_alike: Share of the pairs of different pictures that are taken for the same, in [0, 1].
        level: Of the interval, in (0, 1).

    Returns:
        None where no image was looked at.
    """
    if not found.images:
        return None
    n, population = found.images, found.images / looked_at
    false_pairs = look_alike * n * (n - 1) / 2
    pictures = min(found.pictures + false_pairs, n)
    once, twice = min(found.once + 2 * false_pairs, n), max(found.twice - false_pairs, 0.0)
    value = pictures + _unseen(once, twice, n, looked_at)
    low, high = float(found.pictures), pictures
    if looked_at < 1:
        low += _least_unseen(found, looked_at, (1 - level) / 2)
        high += _most_unseen(min(once, n), looked_at, (1 - level) / 2)
    value = min(value, population)
    return DistinctShare(
        value / population, min(low, value) / population, min(max(high, value), population) / population
    )


def _least_unseen(found: Seen, looked_at: float, tail: float) -> float:
    """Return a lower limit of the pictures not seen; a third of the tail for each number that is chance.

    Pairs that only look alike make it lower still.
    """
    few, _ = _poisson_limits(found.once, tail / 3)
    _, many = _poisson_limits(found.twice, tail / 3)
    return _poisson_limits(_unseen(few, many, found.images, looked_at), tail / 3)[0]


def _most_unseen(once: float, looked_at: float, tail: float) -> float:
    """Return an upper limit of the pictures not seen, half of the tail for each number that is chance."""
    _, most = _poisson_limits(once, tail / 2)
    return _poisson_limits(most * (1 - looked_at) / looked_at, tail / 2)[1]


def _unseen(once: float, twice: float, images: int, looked_at: float) -> float:
    """Return a lower bound of the pictures that were not seen (Chao & Lin 2012)."""
    if looked_at >= 1 or once <= 0:
        return 0.0
    pairs = 2 * twice * images / max(images - 1, 1)
    return once**2 / (pairs + once * looked_at / (1 - looked_at))


def _poisson_limits(count: float, tail: float) -> tuple[float, float]:
    """Return the exact limits of a Poisson mean, each with `tail` beyond it (Garwood 1936)."""
    from scipy.stats import chi2

    low = float(chi2.ppf(tail, 2 * count)) / 2 if count > 0 else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * (count + 1))) / 2


@dataclass(frozen=True, slots=True)
class DistinctFrequency:
    """Different pictures of a concept, with their interval in whole pictures; None: could not be told."""

    images: float | None
    low: float
    high: float


def distinct_frequency(
    frequency: Frequency, share: DistinctShare | None, lost: float, most: float
) -> DistinctFrequency:
    """Return how many different pictures of a concept there are.

    Copies of a lost image may be there or not, so the interval lets all lost images be copies of others, or
    all of them pictures of their own.

    Args:
        frequency: Images that show the concept. The interval of this and that of `share` are to be of such
            levels that both hold together at the level wanted.
        share: Different pictures per image that shows the concept; None where none was seen.
        lost: Share of the sampled images that could not be had, in [0, 1].
        most: More pictures than this there cannot be, such as the number of addresses.
    """
    if frequency.images is None or frequency.low is None or frequency.high is None:
        return DistinctFrequency(None, 0.0, most)
    value = min(frequency.images * (share.value if share else 1.0), most)
    low = frequency.low * (1 - lost) * (share.low if share else 0.0)
    high = frequency.high * ((1 - lost) * (share.high if share else 1.0) + lost)
    return DistinctFrequency(
        value, float(np.floor(min(low, value))), float(np.ceil(min(max(high, value), most)))
    )
