"""From checked images to the concept's frequency.

Hit rate, corrected for the verifier's own errors, with an interval.

A concept has N captions; n of their images, a random sample, were checked and K passed the cut. The
verifier passes a share s of the true images (sensitivity) and a share f of the others (false matches), both
known only from references. The number of true images among the checked ones is then about (K - n f) / (s -
f) (Rogan & Gladen 1978), and those among the unchecked follow the same rate. The interval comes from
drawing all of it: s and f from their Beta posteriors, the verifier's chance, and the unchecked images from
a beta-binomial with Jeffreys' prior (Brown, Cai & DasGupta 2001). Its ends are whole images, outward.

Images that could not be had are no random sample: pages of one kind vanish sooner than those of another. The
odds that a lost image shows the concept may be up to a factor G smaller or larger than those of an image that
is there; the interval reaches from the lower end for 1 / G to the upper end for G (a sensitivity analysis as
in Rosenbaum 2002; docs/decisions/008). G = 1 takes links to be lost at random, and the limit of a large G
are the bounds that assume nothing (Manski 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fit.imitation.calibration import Cut

Numbers = float | npt.NDArray[np.float64]
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Checked:
    """What the verification of one concept found.

    Attributes:
        captions: Captions that name the concept, N.
        checked: Images of those captions that could be looked at, n.
        passed: Of these, those at or above the cut, K.
        lost: Images of the sample that could not be had.
    """

    captions: int
    checked: int
    passed: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Frequency:
    """The concept's frequency and hit rate, each with its interval.

    Attributes:
        hit_rate: Share of the captions' images that show the concept, in [0, 1]; None without a checked
            image.
        hit_rate_low, hit_rate_high: Its interval.
        images: Concept frequency in images, >= 0; None without a checked image unless there is no caption.
        low, high: Its interval, whole images.
    """

    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    images: float | None
    low: float | None
    high: float | None


def pooled_sensitivity(cuts: list[Cut]) -> tuple[float, float]:
    """Return the Beta prior (a, b) of a concept's sensitivity from those of all concepts.

    By the method of moments.

    Few references say little about one concept; how much concepts differ says how far to trust the average
    instead. Their true variance is what is left of the observed one without the references' own chance, plus
    one standard error of that: few concepts must not pass for alike by luck.
    """
    total = np.array([cut.own_total for cut in cuts], dtype=float)
    share = np.array([cut.own_passed for cut in cuts]) / total
    mean = float(np.clip(share.mean(), 0.01, 0.99))
    chance = mean * (1 - mean) * float((1 / total).mean())
    unsure = chance * float(np.sqrt(2 / max(len(cuts) - 1, 1)))
    between = max(float(share.var()) - chance, 0.0) + unsure
    strength = max(mean * (1 - mean) / max(between, 1e-4) - 1, 2.0)
    return mean * strength, (1 - mean) * strength


def estimate_frequency(
    found: Checked,
    cut: Cut | None,
    prior: tuple[float, float],
    level: float,
    rng: np.random.Generator,
    lost_odds: float = 1.0,
) -> Frequency:
    """Estimate a concept's hit rate and frequency.

    Args:
        found: What the verification found.
        cut: The concept's cut, which says how the verifier errs; None takes it not to, as published.
        prior: Beta prior of the sensitivity (`pooled_sensitivity`).
        level: Of the intervals, in (0, 1).
        rng: The concept's own random numbers.
        lost_odds: Largest ratio, at least 1, between the odds of showing the concept of images that are there
            and of images that were lost, either way; 1: links are lost at random.
    """
    if found.captions == 0:
        return Frequency(None, None, None, 0.0, 0.0, 0.0)
    if found.checked == 0:
        return Frequency(None, None, None, None, 0.0, float(found.captions))
    if cut is None:
        true, drawn = np.asarray(float(found.passed)), np.full(DRAWS, float(found.passed))
    else:
        true, drawn = _corrected(found, cut, prior, rng)
    least, most = _of_all(found, drawn, lost_odds, rng)
    share = float(true / found.checked)
    images = share * found.captions
    low = float(np.floor(min(np.quantile(least, (1 - level) / 2), images)))
    high = float(min(np.ceil(max(np.quantile(most, (1 + level) / 2), images)), found.captions))
    return Frequency(share, low / found.captions, high / found.captions, images, low, high)


def _corrected(
    found: Checked, cut: Cut, prior: tuple[float, float], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the true images among the checked, and draws of them; the cut says how the verifier errs."""
    a, b = prior[0] + cut.own_passed, prior[1] + cut.own_total - cut.own_passed
    c, d = 0.5 + cut.strangers_passed, 0.5 + cut.strangers_total - cut.strangers_passed
    true = _true_images(found, a / (a + b), c / (c + d), 0.0)
    sensitivity, false_match = rng.beta(a, b, DRAWS), rng.beta(c, d, DRAWS)
    return true, _true_images(found, sensitivity, false_match, rng.standard_normal(DRAWS))


def _of_all(
    found: Checked, true: npt.NDArray[np.float64], lost_odds: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return draws of the images of all captions that show the concept: at least, and at most.

    Args:
        found: What the verification found.
        true: Draws of the true images among the checked.
        lost_odds: Largest ratio of the odds between images that are there and lost ones.
        rng: Random numbers.
    """
    n, rest = found.checked, found.captions - found.checked - found.lost
    gone = found.lost + rng.binomial(rest, rng.beta(found.lost + 0.5, n + 0.5, DRAWS))
    rate = rng.beta(true + 0.5, n - true + 0.5)
    there = true + rng.binomial(found.captions - n - gone, rate)
    odds = rate / np.maximum(1 - rate, 1e-12)
    least, most = (
        there + rng.binomial(gone, ratio / (1 + ratio)) for ratio in (odds / lost_odds, odds * lost_odds)
    )
    return least, most


def _true_images(
    found: Checked, sensitivity: Numbers, false_match: Numbers, chance: Numbers
) -> npt.NDArray[np.float64]:
    """Return the true images among the checked, in [0, n].

    `chance` is the verifier's own, in standard deviations.
    """
    s, f = np.asarray(sensitivity), np.asarray(false_match)
    n, gap = found.checked, np.maximum(s - f, 0.05)
    plain = np.clip((found.passed - n * f) / gap, 0, n)
    spread = np.sqrt(plain * s * (1 - s) + (n - plain) * f * (1 - f)) / gap
    true: npt.NDArray[np.float64] = np.clip(plain + spread * np.asarray(chance), 0, n)
    return true
