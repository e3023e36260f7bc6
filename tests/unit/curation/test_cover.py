"""The choice of rows: nobody above the limit, nothing superfluous, near the optimum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.curation.cover import Cover, Kind, cover


def lost(kinds: list[Kind], drop: list[int], concept: int) -> int:
    return sum(n for kind, n in zip(kinds, drop, strict=True) if concept in kind.concepts)


def best(kinds: list[Kind], excess: dict[int, int]) -> int:
    """The optimum by trying everything."""
    choices = itertools.product(*(range(kind.rows + 1) for kind in kinds))
    return min(
        sum(drop)
        for drop in choices
        if all(lost(kinds, list(drop), concept) >= needed for concept, needed in excess.items())
    )


def test_rows_that_name_two_concepts_go_first() -> None:
    # Both must lose 3. Two rows name both, so 2 + 1 + 1 = 4 rows instead of 6.
    kinds = [Kind((0,), 10), Kind((1,), 10), Kind((0, 1), 2)]
    assert cover(kinds, {0: 3, 1: 3}) == Cover(pytest.approx([1, 1, 2]), 4)


def test_a_single_concept_loses_its_excess_exactly() -> None:
    found = cover([Kind((7,), 50)], {7: 12})
    assert (found.rows, found.bound, found.at_most_too_many) == (12, 12, 0)


def test_nothing_to_lose_is_nothing_to_drop() -> None:
    assert cover([], {}).rows == 0


def test_all_rows_go_at_a_limit_of_zero() -> None:
    kinds = [Kind((0,), 4), Kind((0, 1), 3), Kind((1,), 2)]
    assert cover(kinds, {0: 7, 1: 5}).drop.tolist() == [4, 3, 2]


def test_greed_that_was_superfluous_is_put_back() -> None:
    # Greed takes the row of three first; the three pairs that are then needed make it superfluous or not:
    # whatever is taken, no dropped row may be one that could stay.
    kinds = [Kind((0, 1, 2), 1), Kind((0, 3), 1), Kind((1, 4), 1), Kind((2, 5), 1)]
    excess = dict.fromkeys(range(6), 1)
    found = cover(kinds, excess)
    assert found.drop.tolist() == [0, 1, 1, 1]
    assert found.bound == 3


def test_more_than_there_is_cannot_be_lost() -> None:
    with pytest.raises(ValueError, match="must lose 5"):
        cover([Kind((0,), 4)], {0: 5})


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Kind], dict[int, int]]:
    sets = draw(st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=5, unique_by=frozenset))
    kinds = [Kind(tuple(sorted(each)), draw(st.integers(1, 3))) for each in sets]
    held = {c: lost(kinds, [kind.rows for kind in kinds], c) for c in {c for k in kinds for c in k.concepts}}
    return kinds, {concept: draw(st.integers(1, rows)) for concept, rows in held.items()}


@given(problems())
@settings(max_examples=300, deadline=None)
def test_against_all_choices(problem: tuple[list[Kind], dict[int, int]]) -> None:
    kinds, excess = problem
    found = cover(kinds, excess)
    drop = found.drop.tolist()
    optimum = best(kinds, excess)
    assert all(0 <= n <= kind.rows for n, kind in zip(drop, kinds, strict=True))
    assert all(lost(kinds, drop, concept) >= needed for concept, needed in excess.items())
    assert found.bound <= optimum <= found.rows
    most = max(len(kind.concepts) for kind in kinds)
    assert found.rows <= optimum * sum(1 / k for k in range(1, most + 1)) + 1e-9
    # Nothing superfluous: no dropped row could stay.
    for place in np.flatnonzero(found.drop).tolist():
        kept = [n - (i == place) for i, n in enumerate(drop)]
        assert any(lost(kinds, kept, concept) < excess[concept] for concept in kinds[place].concepts)
