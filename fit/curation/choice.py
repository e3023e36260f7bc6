"""Which of the rows that name concepts to drop: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fit.curation.cover import Kind, cover

Counts = NDArray[np.int64]
Named = tuple[int, ...]
"""The concepts that a row names: their positions, ascending."""


@dataclass(frozen=True, eq=False)
class NamingRows:
    """Rows whose captions name concepts. Twelve bytes a row: a large corpus has tens of millions.

    Attributes:
        names: The different sets of concepts that rows name, S of them.
        kind: For each row that may stay the position of its set in `names`. Shape (rows,).
        worth: Of each of these rows; those of least worth go first, ties by position. Shape (rows,).
        forced: How many more rows name each set and go in any case. Shape (S,).
    """

    names: Sequence[Named]
    kind: NDArray[np.int32]
    worth: NDArray[np.float64]
    forced: Counts


@dataclass(frozen=True, eq=False)
class Choice:
    """What to drop, beside the rows that go in any case.

    Attributes:
        gone: Whether each row that may stay is dropped. Shape (rows,).
        above: For each set of `NamingRows.names` its concepts above their limits. Length S.
        before: Rows that name each concept, those that go in any case among them. Shape (concepts,).
        after: The same when the rows are gone.
        at_most_too_many: By how many rows the choice can be larger than the best one.
    """

    gone: NDArray[np.bool_]
    above: tuple[Named, ...]
    before: Counts
    after: Counts
    at_most_too_many: int


def choose(rows: NamingRows, limits: Mapping[int, int], concepts: int) -> Choice:
    """Choose the rows to drop so that no concept keeps more than its limit, as few as possible.

    Among rows that name the same concepts above their limits, those of least worth go first. A row that names
    no concept above its limit is never dropped. How many rows are dropped of each kind depends on nothing but
    how many rows there are of each.

    Args:
        rows: All rows that name a concept with a limit.
        limits: Rows that a concept may keep, >= 0; a concept without one keeps all.
        concepts: How many concepts there are.
    """
    there = np.bincount(rows.kind, minlength=len(rows.names))
    left = _tally(rows.names, there, concepts)
    excess = {c: int(left[c]) - limit for c, limit in limits.items() if left[c] > limit}
    above = tuple(tuple(owner for owner in named if owner in excess) for named in rows.names)
    served = sorted({each for each in above if each})
    place = {named: number for number, named in enumerate(served)}
    of_set = np.array([place.get(named, -1) for named in above], np.int32)
    number = np.bincount(of_set[of_set >= 0], there[of_set >= 0], len(served)).astype(np.int64)
    kinds = [Kind(named, rows_of) for named, rows_of in zip(served, number.tolist(), strict=True)]
    found = cover(kinds, excess)
    gone = _least(of_set[rows.kind], rows.worth, found.drop, number)
    stay = there - np.bincount(rows.kind[gone], minlength=len(rows.names))
    return Choice(
        gone,
        above,
        _tally(rows.names, there + rows.forced, concepts),
        _tally(rows.names, stay, concepts),
        found.at_most_too_many,
    )


def _least(
    served: NDArray[np.int32], worth: NDArray[np.float64], drop: Counts, number: Counts
) -> NDArray[np.bool_]:
    """Return which rows go: of each kind so many of least worth. A kind of -1 stays."""
    whole = np.append(drop == number, False)  # the last one is what -1 points to
    gone: NDArray[np.bool_] = whole[served]
    some = np.flatnonzero((drop > 0) & (drop < number))
    if some.size:
        order = np.lexsort((worth, served))  # stable: ties by position
        starts = served.size - int(number.sum()) + np.cumsum(number) - number  # those that stay come first
        for start, size in zip(starts[some].tolist(), drop[some].tolist(), strict=True):
            gone[order[start : start + size]] = True
    return gone


def _tally(names: Sequence[Named], number: Counts, concepts: int) -> Counts:
    """Return how many rows name each concept, given how many name each set. Shape (concepts,)."""
    sizes = np.fromiter(map(len, names), np.int64, len(names))
    owners = np.fromiter((owner for named in names for owner in named), np.int64, int(sizes.sum()))
    counted = np.zeros(concepts, np.int64)
    np.add.at(counted, owners, np.repeat(number, sizes))
    return counted
