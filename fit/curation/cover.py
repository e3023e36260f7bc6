"""Which rows to drop so that no concept keeps more than its limit, when one row may name several.

A covering problem (set multicover): concept c must lose at least ``excess[c]`` of its rows, and every dropped
row counts for all concepts that it names. Rows that name the same concepts above their limits are alike, so
the problem has one variable per *kind* of row. The greedy choice, the kind that serves most concepts first,
drops at most H(k) = 1 + 1/2 + ... + 1/k times the optimum, k being the most concepts in a row (Dobson 1982);
the linear relaxation gives a lower bound for the case at hand, which is nearly always tight.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

MOST_KINDS = 200_000
"""Kinds of rows up to which the relaxation is solved; beyond, the bound is the largest single excess."""

SECONDS = 60.0
"""Longest time that the relaxation may take; a bound that is not ready by then is not used."""


@dataclass(frozen=True)
class Kind:
    """Rows that name the same concepts above their limits.

    Attributes:
        concepts: Positions of those concepts, ascending, at least one.
        rows: How many such rows there are, >= 0.
    """

    concepts: tuple[int, ...]
    rows: int


@dataclass(frozen=True)
class Cover:
    """How many rows of each kind to drop.

    Attributes:
        drop: Rows to drop of each kind, shape (kinds,).
        bound: No choice drops fewer rows than this.
    """

    drop: Counts
    bound: int

    @property
    def rows(self) -> int:
        """How many rows are dropped."""
        return int(self.drop.sum())

    @property
    def at_most_too_many(self) -> int:
        """By how many rows the choice can be larger than the best one."""
        return self.rows - self.bound


def cover(kinds: Sequence[Kind], excess: Mapping[int, int]) -> Cover:
    """Choose rows to drop.

    Args:
        kinds: The kinds of rows; the rows that name a concept must be at least its excess.
        excess: Rows that each concept must lose, > 0; every concept of a kind has one.

    Returns:
        A choice in which no row can be kept, and a lower bound of the optimum.

    Raises:
        ValueError: A concept has fewer rows than it must lose.
    """
    held = dict.fromkeys(excess, 0)
    for kind in kinds:
        for concept in kind.concepts:
            held[concept] += kind.rows
    for concept, needed in excess.items():
        if held[concept] < needed:
            raise ValueError(f"concept {concept}: must lose {needed} rows and has {held[concept]}")
    drop = _greedy(kinds, dict(excess))
    _put_back(kinds, drop, excess)
    return Cover(drop, _bound(kinds, excess, int(drop.sum())))


def _greedy(kinds: Sequence[Kind], needed: dict[int, int]) -> Counts:
    """Take rows of the kind that serves most concepts still above their limits, again and again."""
    drop = np.zeros(len(kinds), np.int64)
    heap = [(-len(kind.concepts), place) for place, kind in enumerate(kinds) if kind.rows > 0]
    heapq.heapify(heap)
    while heap:
        gain, place = heapq.heappop(heap)
        kind = kinds[place]
        served = [concept for concept in kind.concepts if needed[concept] > 0]
        if not served:
            continue
        if len(served) < -gain:  # it serves fewer than when it was put here; nothing ever serves more
            heapq.heappush(heap, (-len(served), place))
            continue
        take = min(kind.rows - int(drop[place]), *(needed[concept] for concept in served))
        drop[place] += take
        for concept in served:
            needed[concept] -= take
        if drop[place] < kind.rows:
            heapq.heappush(heap, (gain, place))
    return drop


def _put_back(kinds: Sequence[Kind], drop: Counts, excess: Mapping[int, int]) -> None:
    """Keep rows that later choices have made superfluous, those that serve fewest concepts first."""
    spare = {concept: -needed for concept, needed in excess.items()}
    for kind, dropped in zip(kinds, drop.tolist(), strict=True):
        for concept in kind.concepts:
            spare[concept] += dropped
    for place in sorted(np.flatnonzero(drop).tolist(), key=lambda each: (len(kinds[each].concepts), each)):
        back = min(int(drop[place]), *(spare[concept] for concept in kinds[place].concepts))
        if back > 0:
            drop[place] -= back
            for concept in kinds[place].concepts:
                spare[concept] -= back


def _bound(kinds: Sequence[Kind], excess: Mapping[int, int], found: int) -> int:
    """Return a number of rows that no choice can go below."""
    least = max(excess.values(), default=0)
    if found == least or len(kinds) > MOST_KINDS:
        return least
    relaxed = _relaxation(kinds, excess)
    return least if relaxed is None else min(max(least, math.ceil(relaxed - 1e-6 * max(1.0, relaxed))), found)


def _relaxation(kinds: Sequence[Kind], excess: Mapping[int, int]) -> float | None:
    """Return the optimum when rows could be dropped in part, or None when it is not found in time."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    rows = {concept: number for number, concept in enumerate(excess)}
    entries = [(rows[concept], place) for place, kind in enumerate(kinds) for concept in kind.concepts]
    shape = (len(rows), len(kinds))
    at, by = zip(*entries, strict=True)
    matrix = csr_array((-np.ones(len(entries)), (np.array(at), np.array(by))), shape=shape)
    solved = linprog(
        np.ones(len(kinds)),
        A_ub=matrix,
        b_ub=-np.array([excess[concept] for concept in rows], float),
        bounds=[(0, kind.rows) for kind in kinds],
        method="highs",
        options={"time_limit": SECONDS},
    )
    return float(solved.fun) if solved.status == 0 else None
