"""Rows to drop: nobody above the limit, the best kept, nothing dropped without a reason."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.curation.choice import Choice, NamingRows, choose


def rows(
    owners: list[tuple[int, ...]], worth: list[float] | None = None, forced: list[tuple[int, ...]] = ()
) -> NamingRows:  # type: ignore[assignment]
    names = list(dict.fromkeys([*owners, *forced]))
    return NamingRows(
        names,
        np.array([names.index(each) for each in owners], np.int32),
        np.array(worth if worth is not None else range(len(owners)), float),
        np.array([forced.count(each) for each in names], np.int64),
    )


def dropped(found: Choice) -> list[int]:
    return np.flatnonzero(found.gone).tolist()


def test_the_best_are_kept() -> None:
    found = choose(rows([(0,)] * 5, [0.9, 0.1, 0.5, 0.3, 0.7]), {0: 2}, 1)
    assert dropped(found) == [1, 2, 3]
    assert (found.before.tolist(), found.after.tolist()) == ([5], [2])
    assert found.above == ((0,),)


def test_rows_of_equal_worth_go_by_their_place() -> None:
    assert dropped(choose(rows([(0,)] * 5, [1.0] * 5), {0: 3}, 1)) == [0, 1]


def test_a_row_that_names_two_counts_for_both() -> None:
    found = choose(rows([(0,), (0, 1), (1,)]), {0: 1, 1: 1}, 2)
    assert dropped(found) == [1]
    assert found.at_most_too_many == 0


def test_the_best_are_kept_among_rows_that_serve_equally() -> None:
    # Concept 1 has no limit, so that rows of 0 alone and of both serve equally: the two of least worth go.
    found = choose(rows([(0,), (0, 1), (0,), (1,)], [3.0, 1.0, 2.0, 0.0]), {0: 1}, 2)
    assert dropped(found) == [1, 2]


def test_concepts_without_a_limit_keep_all() -> None:
    found = choose(rows([(0,), (1,), (0, 1)]), {0: 0}, 2)
    assert dropped(found) == [0, 2]
    assert found.above == ((0,), (), (0,))
    assert found.after.tolist() == [0, 1]


def test_rows_that_go_in_any_case_count() -> None:
    found = choose(rows([(0,), (0,)], forced=[(0,), ()]), {0: 2}, 1)
    assert dropped(found) == []
    assert (found.before.tolist(), found.after.tolist()) == ([3], [2])


def test_no_rows_are_nothing_to_choose() -> None:
    empty = NamingRows([], np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64))
    found = choose(empty, {0: 3}, 1)
    assert dropped(found) == []
    assert found.before.tolist() == [0]


OWNERS = st.lists(st.sets(st.integers(0, 3)).map(lambda each: tuple(sorted(each))), max_size=30)


@given(OWNERS, st.lists(st.integers(0, 6), min_size=4, max_size=4), OWNERS)
@settings(max_examples=200, deadline=None)
def test_nobody_stays_above_and_nothing_goes_without_a_reason(
    owners: list[tuple[int, ...]], limits: list[int], forced: list[tuple[int, ...]]
) -> None:
    given_rows = rows(owners, forced=forced)
    found = choose(given_rows, dict(enumerate(limits)), 4)
    kept = [each for each, goes in zip(owners, found.gone.tolist(), strict=True) if not goes]
    for concept, limit in enumerate(limits):
        assert sum(concept in each for each in kept) == found.after[concept] <= limit
        assert sum(concept in each for each in [*owners, *forced]) == found.before[concept]
    for place in dropped(found):
        above = found.above[given_rows.kind[place]]
        assert above
        assert all(sum(concept in each for each in owners) > limits[concept] for concept in above)


@given(OWNERS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_how_many_go_of_each_set_does_not_depend_on_the_order(
    owners: list[tuple[int, ...]], random: object
) -> None:
    shuffled = list(owners)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    limits = dict.fromkeys(range(4), 2)
    gone = [
        sorted(each[place] for place in dropped(choose(rows(each), limits, 4))) for each in (owners, shuffled)
    ]
    # Rows of different sets with the same concepts above their limits serve equally, so they are one here.
    held = {concept: sum(concept in each for each in owners) for concept in range(4)}
    one, other = (sorted(tuple(c for c in named if held[c] > limits[c]) for named in each) for each in gone)
    assert one == other
