"""Which of the rows that name concepts to drop: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fit.curation.cover import Kind, cover

Places = NDArray[np.int64]


@dataclass(frozen=True)
class NamingRows:
    """Rows whose captions name concepts, or that go in any case.

    Attributes:
        names: The different sets of concepts that rows name, each ascending; the empty one may be there.
        kind: For each row the position of its set in `names`. Shape (rows,).
        worth: Of each row; those of least worth go first, ties by position. Shape (rows,).
        forced: Rows that go in any case. Shape (rows,).
    """

    names: Sequence[tuple[int, ...]]
    kind: NDArray[np.int32]
    worth: NDArray[np.float64]
    forced: NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """What to drop.

    Attributes:
        dropped: Positions of the rows to drop, ascending, those that were forced among them.
        above: For each of them the concepts above their limits that it names; empty for forced ones.
        before: Rows that name each concept. Shape (concepts,).
        after: The same when the rows are gone.
        at_most_too_many: By how many rows the choice can be larger than the best one.
    """

    dropped: Places
    above: tuple[tuple[int, ...], ...]
    before: Places
    after: Places
    at_most_too_many: int


def choose(rows: NamingRows, limits: Mapping[int, int], concepts: int) -> Choice:
    """Choose the rows to drop so that no concept keeps more than its limit, as few as possible.

    Among rows that serve equally, those of least worth go first. A row that names no concept above its limit
    is never dropped unless it was forced.

    Args:
        rows: All rows that name a concept with a limit.
        limits: Rows that a concept may keep, >= 0; a concept without one keeps all.
        concepts: How many concepts there are.
    """
    before = _tally(rows, np.ones(rows.kind.size, np.bool_), concepts)
    left = _tally(rows, ~rows.forced, concepts)
    excess = {c: int(left[c]) - limit for c, limit in limits.items() if left[c] > limit}
    reduced = [tuple(owner for owner in named if owner in excess) for named in rows.names]
    kinds = {named: i for i, named in enumerate(dict.fromkeys(each for each in reduced if each))}
    served = np.array([kinds.get(named, -1) for named in reduced], np.int64)[rows.kind]
    served[rows.forced] = -1
    numbers = np.bincount(served[served >= 0], minlength=len(kinds))
    found = cover([Kind(named, int(numbers[i])) for named, i in kinds.items()], excess)
    gone = rows.forced.copy()
    for number, places in zip(found.drop.tolist(), _groups(served, len(kinds)), strict=True):
        if number:
            gone[places[np.argsort(rows.worth[places], kind="stable")[:number]]] = True
    dropped = np.flatnonzero(gone)
    named = list(kinds)
    return Choice(
        dropped,
        tuple(named[i] if i >= 0 else () for i in served[dropped].tolist()),
        before,
        _tally(rows, ~gone, concepts),
        found.at_most_too_many,
    )


def _groups(kind: Places, number: int) -> list[Places]:
    """Positions of each kind, in order."""
    order = np.argsort(kind, kind="stable")
    edges = np.searchsorted(kind[order], np.arange(number + 1))
    return [order[edges[i] : edges[i + 1]] for i in range(number)]


def _tally(rows: NamingRows, chosen: NDArray[np.bool_], concepts: int) -> Places:
    """Chosen rows that name each concept. Shape (concepts,)."""
    of_kind = np.bincount(rows.kind[chosen], minlength=len(rows.names))
    counted = np.zeros(concepts, np.int64)
    for named, number in zip(rows.names, of_kind.tolist(), strict=True):
        counted[list(named)] += number
    return counted
