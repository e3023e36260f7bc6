"""Where to cut "shows this concept".

Calibrated on the statistic that is applied, the largest cosine to any reference.

The largest of many cosines grows with their number, so a cut from average similarities lets in ever more
strangers as references are added. Here each concept has its own cut, from images of other concepts against
all of its references; its own references, each left out in turn, tell how many true images the cut lets
through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cut:
    """The calibrated cut of one concept and what it does.

    Attributes:
        value: Least largest cosine of an image that counts as the concept, in [-1, 1].
        own_passed: References of the concept at or above the cut, each judged by the others.
        own_total: References of the concept.
        strangers_passed: References of other concepts at or above the cut.
        strangers_total: References of other concepts.
    """

    value: float
    own_passed: int
    own_total: int
    strangers_passed: int
    strangers_total: int


def nearest(images: Vectors, references: Vectors) -> npt.NDArray[np.float32]:
    """Return the statistic: each image's largest cosine to any reference, shape (n,)."""
    largest: npt.NDArray[np.float32] = (images @ references.T).max(axis=1)
    return largest


def calibrate(references: dict[str, Vectors], false_match_rate: float) -> dict[str, Cut]:
    """Return the cut of every concept that has two references or more.

    The cut is the smallest value that at most `false_match_rate` of the other concepts' references reach.

    Args:
        references: Unit vectors of each concept's references, shape (n_c, d).
        false_match_rate: Share of strangers let in, in (0, 1).
    """
    cuts = {}
    for concept, own in references.items():
        others = [vectors for name, vectors in references.items() if name != concept and len(vectors)]
        if len(own) >= 2 and others:
            cuts[concept] = _cut(own, np.concatenate(others), false_match_rate)
    return cuts


def at_cut(references: dict[str, Vectors], value: float) -> dict[str, Cut]:
    """Return what one given cut, such as a published one, does for every concept that `calibrate` would cut.

    Args:
        references: As of `calibrate`.
        value: The cut, in [-1, 1].
    """
    cuts = {}
    for concept, own in references.items():
        others = [vectors for name, vectors in references.items() if name != concept and len(vectors)]
        if len(own) >= 2 and others:
            cuts[concept] = _judged(own, nearest(np.concatenate(others), own), value)
    return cuts


def _cut(own: Vectors, strangers: Vectors, false_match_rate: float) -> Cut:
    reached = np.sort(nearest(strangers, own))[::-1]
    allowed = int(round(false_match_rate * len(reached), 6))  # 0.29 * 100 is 28.999999999999996
    # Just above the first stranger who must stay out.
    value = float(np.nextafter(reached[min(allowed, len(reached) - 1)], np.float32(2)))
    return _judged(own, reached, value)


def _judged(own: Vectors, reached: npt.NDArray[np.float32], value: float) -> Cut:
    """Return a cut with what it does; `reached` are the strangers' largest cosines, shape (n,)."""
    among = own @ own.T
    np.fill_diagonal(among, -2)
    passed = int((among.max(axis=1) >= value).sum())
    return Cut(value, passed, len(own), int((reached >= value).sum()), len(reached))
