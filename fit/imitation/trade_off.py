"""How often a cut lets strangers in and true images out: the detection error trade-off of a scorer.

The statistic is the one that is applied, an image's largest cosine to any of a concept's references: for same
concepts each reference against the concept's others, for different concepts against all of them. Source of
the curve: Martin et al. 1997, "The DET curve in assessment of detection task performance".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from fit.imitation.calibration import nearest

Vectors = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparisons:
    """The statistic for every reference and concept.

    Attributes:
        same: Of references with their own concept, each left out in turn, by concept, shape (n_c,).
        different: Of other concepts' references with a concept, by concept, shape (strangers,).
    """

    same: Mapping[str, Array]
    different: Mapping[str, Array]


@dataclass(frozen=True)
class TradeOff:
    """Error rates at each cut.

    Attributes:
        cut: Cuts from low to high, shape (n,); an image passes at or above.
        false_match: Share of different concepts' images that pass, shape (n,), falling.
        false_non_match: Share of the concept's own that do not, shape (n,), rising.
    """

    cut: Array
    false_match: Array
    false_non_match: Array

    def at_rate(self, false_match: float) -> tuple[float, float]:
        """Return the smallest cut that lets in at most this share of strangers, and its false non-matches."""
        place = int(np.argmax(self.false_match <= false_match))
        return float(self.cut[place]), float(self.false_non_match[place])

    def at_cut(self, cut: float) -> tuple[float, float]:
        """Return the false matches and false non-matches at a cut."""
        place = int(np.searchsorted(self.cut, cut, side="left"))
        place = min(place, len(self.cut) - 1)
        return float(self.false_match[place]), float(self.false_non_match[place])

    def thinned(self, step: float = 0.02) -> TradeOff:
        """Return the curve without cuts at which neither rate is `step` normal deviates further."""
        rates = np.clip(np.stack([self.false_match, self.false_non_match]), 1e-6, 1 - 1e-6)
        cell = np.floor(ndtri(rates) / step)
        new = np.append(True, (np.diff(cell, axis=1) != 0).any(axis=0))
        new[-1] = True
        return TradeOff(self.cut[new], self.false_match[new], self.false_non_match[new])

    @property
    def equal_error_rate(self) -> float:
        """The rate at which both errors are equal, between the two cuts around."""
        gap = self.false_match - self.false_non_match
        after = int(np.argmax(gap <= 0))
        if after == 0 or gap[after] == 0:
            return float((self.false_match[after] + self.false_non_match[after]) / 2)
        weight = gap[after - 1] / (gap[after - 1] - gap[after])
        before = after - 1
        rate = self.false_match[before] + weight * (self.false_match[after] - self.false_match[before])
        return float(rate)


def compare(references: Mapping[str, Vectors]) -> Comparisons:
    """Compare every reference with every concept that has two references or more.

    Args:
        references: Unit vectors of each concept's references, shape (n_c, d).
    """
    same, different = {}, {}
    for name, own in references.items():
        others = [vectors for other, vectors in references.items() if other != name and len(vectors)]
        if len(own) < 2 or not others:
            continue
        among = own @ own.T
        np.fill_diagonal(among, -2)
        same[name] = among.max(axis=1).astype(np.float64)
        different[name] = np.concatenate([nearest(each, own) for each in others]).astype(np.float64)
    return Comparisons(same, different)


def trade_off(comparisons: Comparisons, concepts: Collection[str]) -> TradeOff:
    """Return the error rates over some concepts at every cut that changes one.

    Args:
        comparisons: The statistic.
        concepts: Whose comparisons count; those without any are ignored, at least one has some.
    """
    kept = [name for name in comparisons.same if name in set(concepts)]
    same = np.sort(np.concatenate([comparisons.same[name] for name in kept]))
    different = np.sort(np.concatenate([comparisons.different[name] for name in kept]))
    values = np.unique(np.concatenate([same, different]))
    cuts = np.append(values, np.nextafter(values[-1], np.inf))  # the last lets nothing in
    false_match = 1 - np.searchsorted(different, cuts, side="left") / len(different)
    false_non_match = np.searchsorted(same, cuts, side="left") / len(same)
    return TradeOff(cuts, false_match, false_non_match)
