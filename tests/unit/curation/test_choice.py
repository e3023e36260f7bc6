"""Rows to drop: nobody above the limit, the best kept, nothing dropped without a reason."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.curation.choice import Choice, NamingRows, choose


def rows(
    owners: list[tuple[int, ...]], worth: list[float] | None = None, forced: set[int] = frozenset()
) -> NamingRows:  # type: ignore[assignment]
    names = list(dict.fromkeys(owners))
    return NamingRows(
        names,
        np.array([names.index(each) for each in owners], np.int32),
        np.array(worth if worth is not None else range(len(owners)), float),
        np.array([i in forced for i in range(len(owners))], bool),
    )


def test_the_best_are_kept() -> None:
    found = choose(rows([(0,)] * 5, [0.9, 0.1, 0.5, 0.3, 0.7]), {0: 2}, 1)
    assert found.dropped.tolist() == [1, 2, 3]
    assert (found.before.tolist(), found.after.tolist()) == ([5], [2])
    assert found.above == ((0,), (0,), (0,))


def test_a_row_that_names_two_counts_for_both() -> None:
    found = choose(rows([(0,), (0, 1), (1,)]), {0: 1, 1: 1}, 2)
    assert found.dropped.tolist() == [1]
    assert found.at_most_too_many == 0


def test_concepts_without_a_limit_keep_all() -> None:
    found = choose(rows([(0,), (1,), (0, 1)]), {0: 0}, 2)
    assert found.dropped.tolist() == [0, 2]
    assert found.above == ((0,), (0,))
    assert found.after.tolist() == [0, 1]


def test_forced_rows_go_first_and_count() -> None:
    found = choose(rows([(0,), (0,), (), (0,)], forced={0, 2}), {0: 2}, 1)
    assert found.dropped.tolist() == [0, 2]
    assert found.after.tolist() == [2]


def test_no_rows_are_nothing_to_choose() -> None:
    found = choose(NamingRows([], np.empty(0, np.int32), np.empty(0), np.empty(0, bool)), {0: 3}, 1)
    assert found.dropped.size == 0
    assert found.before.tolist() == [0]


OWNERS = st.lists(st.sets(st.integers(0, 3)).map(lambda each: tuple(sorted(each))), max_size=30)


@given(OWNERS, st.lists(st.integers(0, 6), min_size=4, max_size=4), st.sets(st.integers(0, 29)))
@settings(max_examples=200, deadline=None)
def test_nobody_stays_above_and_nothing_goes_without_a_reason(
    owners: list[tuple[int, ...]], limits: list[int], forced: set[int]
) -> None:
    found = choose(rows(owners, forced=forced), dict(enumerate(limits)), 4)  # type: ignore[arg-type]
    kept = [each for i, each in enumerate(owners) if i not in set(found.dropped.tolist())]
    for concept, limit in enumerate(limits):
        assert sum(concept in each for each in kept) == found.after[concept] <= limit
        assert sum(concept in each for each in owners) == found.before[concept]
    for place, above in zip(found.dropped.tolist(), found.above, strict=True):
        if place in forced:
            assert above == ()
        else:
            assert above
            assert all(found.before[concept] > limits[concept] for concept in above)
    assert forced & set(range(len(owners))) <= set(found.dropped.tolist())


@given(OWNERS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_number_dropped_does_not_depend_on_the_order(
    owners: list[tuple[int, ...]], random: object
) -> None:
    shuffled = list(owners)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    limits = dict.fromkeys(range(4), 2)
    one, other = (choose(rows(each), limits, 4) for each in (owners, shuffled))
    assert isinstance(one, Choice)
    assert abs(one.dropped.size - other.dropped.size) <= max(one.at_most_too_many, other.at_most_too_many)
