"""Do the references of a concept look like each other? Which do not, and which look like another's?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fit.imitation.calibration import Cut, calibrate

Vectors = npt.NDArray[np.float32]
FEWEST = 5  # references, below which none can be told from the others
DEVIATIONS = 3.5  # Iglewicz & Hoaglin 1993, "How to detect and handle outliers", for modified z-scores
TO_SIGMA = 0.6745  # median absolute deviation of a normal distribution, in standard deviations
LEAST_SPREAD = 0.01  # of cosines: below this all references are alike and none stands out
STRANGERS = 0.01  # share of other concepts' references that reach the cosine which clears a reference


@dataclass(frozen=True)
class Likeness:
    """How a concept's references stand to each other and to those of other concepts.

    Attributes:
        own: Mean cosine of each reference to the others of the concept, shape (n,); NaN for a single one.
        outlier: Whether it does not look like the others, shape (n,): its mean cosine is far below what they
            have, and its largest cosine to them no more than what other concepts' references reach.
        closest: The concept to whose references it is closest on average; its own where none is closer.
    """

    own: npt.NDArray[np.float64]
    outlier: npt.NDArray[np.bool_]
    closest: tuple[str, ...]


def compare_references(references: Mapping[str, Vectors]) -> dict[str, Likeness]:
    """Compare every concept's references with each other and with the mean of each other concept's.

    Args:
        references: Unit vectors of each concept's references, shape (n_c, d); n_c may be 0.
    """
    names = [name for name, vectors in references.items() if len(vectors)]
    if not names:
        return {}
    means = np.stack([references[name].astype(np.float64).mean(axis=0) for name in names])
    cuts = calibrate(dict(references), STRANGERS)
    found = {}
    for name in names:
        own, closest = _compare(references[name].astype(np.float64), names.index(name), means)
        outlier = _far_below(own) & _unrecognised(references[name], cuts.get(name))
        found[name] = Likeness(own, outlier, tuple(names[i] for i in closest))
    return found


def _compare(
    vectors: npt.NDArray[np.float64], place: int, means: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return each reference's mean cosine to its others, and the concept that it is closest to."""
    n = len(vectors)
    total = vectors.sum(axis=0)
    squares = (vectors * vectors).sum(axis=1)
    own = (vectors @ total - squares) / (n - 1) if n > 1 else np.full(n, np.nan)
    similar = vectors @ means.T
    similar[:, place] = own if n > 1 else np.inf
    best = similar.argmax(axis=1)
    # Its own concept where it is as close: a tie is no reason to doubt a label.
    return own, np.where(similar[np.arange(n), best] > similar[:, place], best, place)


def _unrecognised(vectors: Vectors, cut: Cut | None) -> npt.NDArray[np.bool_]:
    """Return which references none of the others would recognise; all of them where no cut is known."""
    if cut is None:
        return np.ones(len(vectors), dtype=bool)
    among = vectors @ vectors.T
    np.fill_diagonal(among, -2)
    unlike: npt.NDArray[np.bool_] = among.max(axis=1) < cut.value
    return unlike


def _far_below(own: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which values lie far below the others, by the modified z-score."""
    if len(own) < FEWEST:
        return np.zeros(len(own), dtype=bool)
    middle = np.median(own)
    spread = max(float(np.median(np.abs(own - middle))), LEAST_SPREAD * TO_SIGMA)
    low: npt.NDArray[np.bool_] = TO_SIGMA * (own - middle) / spread < -DEVIATIONS
    return low
